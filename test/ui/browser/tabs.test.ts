import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../../chats/support.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, visit } from './support.ts';
import { answers, ends, field, openTalk, says, send, type Talk, whole } from './talk.ts';

describeInBrowser('chats that are kept on the server', () => {
  closeBrowserAfterwards();
  let folder = '';
  let talk: Talk;
  let seen: Visit;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-page-'));
    talk = await openTalk({ more: { chatStore: (await openStore(folder)).store } });
    seen = await visit(talk.url);
    await field(seen.page).waitFor();
    await seen.page.locator('[data-phase=ready]').waitFor();
  });
  afterEach(async () => {
    await seen.end();
    await talk.close();
    await rm(folder, { recursive: true, force: true });
  });

  it('loses nothing and doubles nothing when the page is loaded anew in the middle of an answer', async () => {
    const { page } = seen;
    await send(page, 'Count');
    const run = await talk.run();
    says(run, 'text', ['one ', 'two ', 'three ']);
    await page.getByText('one two three').waitFor();
    await page.reload();
    await page.getByText('one two three').waitFor();
    says(run, 'text', ['four ', 'five'], { begin: false });
    await page.getByText('one two three four five').waitFor();
    ends(run);
    await whole(page);
    await page.reload();
    await page.getByText('one two three four five').waitFor();
    expect(await page.locator('.answer .markdown').allInnerTexts()).toEqual(['one two three four five']);
    expect(talk.runs).toHaveLength(1);
    expect(run.stoppedBy).toBeUndefined();
  });

  it('keeps what was answered while no page was there', async () => {
    const { page } = seen;
    await send(page, 'Alone');
    const run = await talk.run();
    says(run, 'text', ['begun ']);
    await page.getByText('begun').waitFor();
    await page.goto('about:blank');
    says(run, 'text', ['and ended'], { begin: false });
    ends(run);
    await page.goto(talk.url);
    await page.locator('.chat-row a').click();
    await page.getByText('begun and ended').waitFor();
    await whole(page);
  });

  it('goes on in seven tabs, each of which hears of what the others say', async () => {
    const { page } = seen;
    await send(page, 'First');
    answers(await talk.run(0), 'Heard.');
    await whole(page);
    const address = page.url();
    const tabs = [page];
    for (let more = 0; more < 6; more++) {
      const tab = await page.context().newPage();
      await tab.goto(address);
      await tab.getByText('Heard.').waitFor();
      tabs.push(tab);
    }
    const last = tabs[6] ?? page;
    await send(last, 'From the seventh');
    answers(await talk.run(1), 'Still here.');
    for (const tab of tabs) await tab.getByText('Still here.').waitFor();
    await send(page, 'From the first');
    answers(await talk.run(2), 'And here.');
    for (const tab of tabs) await tab.getByText('And here.').waitFor();
    expect(await last.locator('.bubble').allInnerTexts()).toEqual(['First', 'From the seventh', 'From the first']);
  });

  it('loses no word of two tabs that write to one chat at once', async () => {
    const { page } = seen;
    await send(page, 'Begin');
    answers(await talk.run(0), 'Begun.');
    await whole(page);
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.getByText('Begun.').waitFor();
    await Promise.all([send(page, 'Left'), send(other, 'Right')]);
    for (const index of [1, 2]) {
      const run = await talk.run(index);
      answers(run, JSON.stringify(run.request).includes('Left') ? 'To the left.' : 'To the right.');
    }
    await Promise.all([page.getByText('To the left.').waitFor(), other.getByText('To the right.').waitFor()]);
    const third = await page.context().newPage();
    await third.goto(page.url());
    await third.locator('.user-turn .versions').waitFor();
    const texts = async () => (await third.locator('.conversation-content').textContent()) ?? '';
    const back = third.locator('.user-turn').getByRole('button', { name: 'Previous version' });
    const next = third.locator('.user-turn').getByRole('button', { name: 'Next version' });
    // What the other two still keep arrives here too.
    const bothVersions = async () => {
      const one = await texts();
      await ((await back.isDisabled()) ? next : back).click();
      return `${one} ${await texts()}`;
    };
    for (const text of ['Left', 'Right', 'To the left.', 'To the right.'])
      await expect.poll(bothVersions).toContain(text);
  });

  it('gives nothing to a page of another server on this machine', async () => {
    await send(seen.page, 'A secret');
    answers(await talk.run(), 'Kept.');
    await whole(seen.page);
    const foreign = await otherServer();
    const page = await seen.page.context().newPage();
    await page.goto(`http://127.0.0.1:${(foreign.address() as AddressInfo).port}/`);
    const ask = (path: string, method = 'GET') =>
      page.evaluate(
        ([url, method]) =>
          fetch(url ?? '', { method: method ?? 'GET' }).then(
            (response) => `read ${response.status}`,
            () => 'refused',
          ),
        [talk.url + path, method],
      );
    for (const path of ['/api/chats', '/api/chats/events', '/api/runs']) expect(await ask(path)).toBe('refused');
    expect(await ask('/api/chats', 'POST')).toBe('refused');
    await page.close();
    await new Promise((resolve) => foreign.close(resolve));
    const { chats } = (await (await fetch(`${talk.url}/api/chats`)).json()) as { chats: unknown[] };
    expect(chats).toHaveLength(1);
  });
});

async function otherServer(): Promise<Server> {
  const server = createServer((_, response) => response.end('<p>another page</p>'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return server;
}

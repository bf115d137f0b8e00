import { afterEach, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, type VisitOptions, visit } from './support.ts';
import { answers, ends, field, openTalk, says, send, type Talk, whole } from './talk.ts';

describeInBrowser('troubles', () => {
  closeBrowserAfterwards();
  let talk: Talk;
  let seen: Visit;
  const open = async (options: Parameters<typeof openTalk>[0] = {}, how: VisitOptions = {}) => {
    talk = await openTalk(options);
    seen = await visit(talk.url, how);
    await field(seen.page).waitFor();
    return seen.page;
  };
  afterEach(async () => {
    await seen.end();
    await talk.close();
  });

  it('lets one write at once while the model loads, and sends by itself what waited for it', async () => {
    const page = await open();
    talk.door.models.current = 'loading';
    await page.reload();
    await page.locator('[data-phase=loading]').waitFor();
    await send(page, 'Early');
    await page.getByText('Waiting for the model').waitFor();
    expect(talk.runs).toHaveLength(0);
    talk.door.models.current = 'ready';
    answers(await talk.run(), 'Here I am.');
    await page.getByText('Here I am.').waitFor();
    await whole(page);
    expect(talk.runs).toHaveLength(1);
  });

  it('forgets what waited for the model when it is stopped, and sends the next', async () => {
    const page = await open();
    talk.door.models.current = 'loading';
    await page.reload();
    await send(page, 'Never mind');
    await page.getByText('Waiting for the model').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
    talk.door.models.current = 'ready';
    await page.locator('[data-phase=ready]').waitFor();
    await send(page, 'This instead');
    const run = await talk.run();
    expect(JSON.stringify(run.request)).toContain('This instead');
    answers(run, 'Fine.');
    await page.getByText('Fine.').waitFor();
    expect([talk.runs.length, talk.cancels.length]).toEqual([1, 0]);
  });

  it('counts down when the server is full, asks again by itself, and at once where one does not want to wait', async () => {
    const page = await open();
    await send(page, 'Busy?');
    const busy = () => new ServeError('overloaded', 'The queue is full.', { retryAfterSeconds: 4 });
    (await talk.run(0)).say(busy());
    await page.getByText(/^The server is busy\. Asking again in [1-4]/).waitFor();
    (await talk.run(1)).say(busy());
    await page.locator('.run-status[data-kind=later]').waitFor();
    await page.getByRole('button', { name: 'Ask now' }).click();
    answers(await talk.run(2), 'Now there is room.');
    await page.getByText('Now there is room.').waitFor();
    expect(await page.locator('.bubble').count()).toBe(1);
  });

  it('shows an error in the server’s words with the id of the request, and goes on afterwards', async () => {
    const page = await open();
    await send(page, 'Break');
    (await talk.run(0)).say(new ServeError('engine_failure', 'The engine stumbled.'));
    await page.getByText('The engine stumbled.').waitFor();
    expect(await page.locator('.failure-note .fine').textContent()).toMatch(/^Request \S+$/);
    await page.getByRole('button', { name: 'Answer again' }).click();
    answers(await talk.run(1), 'Better now.');
    await page.getByText('Better now.').waitFor();
  });

  it('keeps what came before an answer broke off, and offers to continue it', async () => {
    const page = await open();
    await send(page, 'Half');
    const run = await talk.run(0);
    says(run, 'text', ['The first ']);
    await page.getByText('The first').waitFor();
    run.say({ type: 'block-end', index: 0 }, new ServeError('engine_failure', 'The engine is gone.'));
    await page.getByText('The engine is gone.').waitFor();
    await page.getByRole('button', { name: 'Continue' }).click();
    answers(await talk.run(1), 'half.');
    await page.getByText('The first half.').waitFor();
  });

  it('shows a full context as what is needed of what there is, never as a raw error', async () => {
    const page = await open();
    await send(page, 'Long');
    const message = 'The prompt has 4096 tokens, but the context has room for 2048.';
    (await talk.run()).say(new ServeError('context_length_exceeded', message));
    await page.getByText('4,096 tokens needed, 2,048 available').waitFor();
    expect(await page.getByText(message).count()).toBe(0);
  });

  it('asks for a key, says when it is wrong, and puts it nowhere but into the header', async () => {
    const key = 'sk-very-secret';
    talk = await openTalk({ settings: { apiKeys: [key] } });
    seen = await visit(talk.url);
    const { page } = seen;
    const box = page.getByLabel('Key', { exact: true });
    await box.fill('sk-wrong');
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByText('The server does not know this key.').waitFor();
    await box.fill(key);
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.locator('[data-phase=ready]').waitFor();
    await send(page, 'Hello');
    answers(await talk.run(), 'Hello too.');
    await page.getByText('Hello too.').waitFor();
    await page.reload();
    await page.getByText('Hello too.').waitFor();
    const places = await page.evaluate(() => [JSON.stringify(localStorage), document.documentElement.outerHTML]);
    const told = [...seen.requests, ...places, JSON.stringify(talk.door.logs), JSON.stringify(talk.door.records)];
    expect(told.filter((text) => text.includes(key))).toEqual([]);
    expect(await page.evaluate(() => Object.values({ ...sessionStorage }))).toContain(key);
  });

  it('shows names of files and titles as they are written', async () => {
    const page = await open();
    const title = '"><img src=x onerror=alert(1)> javascript:alert(1)';
    await send(page, title);
    answers(await talk.run(), 'Hm.');
    await whole(page);
    expect(await page.locator('.chat-title').textContent()).toBe(title);
    expect(await page.title()).toContain(title);
    expect(await page.locator('.sidebar img, .turn img').count()).toBe(0);
  });

  it('writes the same page whether an answer came in one piece or in thousands', async () => {
    const page = await open();
    const text = [
      '# A *heading*\n\nText with `code`, **bold**, ~~struck~~ and [a link](https://example.org).\n\n',
      '1. one\n2. two\n   - inner\n\n     paragraph\n\n> quote\n> - list\n\n| a | b |\n|---|--:|\n| 1 | `2` |\n\n',
      '```ts\nconst answer = `6 * 7`; // why\n```\n\n- [x] done\n- [ ] open\n\n<b>no markup</b> &amp; done.\n',
    ]
      .join('')
      .repeat(15);
    const shown = () =>
      page
        .locator('.answer .markdown')
        .last()
        .evaluate((element) => element.innerHTML.replaceAll(/ id="[^"]*"/g, ''));
    await send(page, 'Once');
    answers(await talk.run(0), text);
    await whole(page);
    // What colours code is fetched with the first of it.
    await page.locator('.hljs-keyword').first().waitFor();
    const once = await shown();
    await send(page, 'Pieces');
    const run = await talk.run(1);
    const pieces = [...text];
    expect(pieces.length).toBeGreaterThan(4000);
    says(run, 'text', []);
    for (let from = 0; from < pieces.length; from += 50) {
      says(run, 'text', pieces.slice(from, from + 50), { begin: false });
      await new Promise((resolve) => setImmediate(resolve));
    }
    ends(run);
    await whole(page);
    await expect.poll(shown).toBe(once);
  });
});

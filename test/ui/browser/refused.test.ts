import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../../chats/support.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, visit } from './support.ts';
import { answers, openTalk, send, type Talk, whole } from './talk.ts';

describeInBrowser('what the server cannot do', () => {
  closeBrowserAfterwards();
  let folder = '';
  let talk: Talk;
  let seen: Visit;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-page-'));
    talk = await openTalk({ more: { chatStore: (await openStore(folder)).store } });
    seen = await visit(talk.url, { reducedMotion: 'reduce' });
    await seen.page.locator('[data-phase=ready]').waitFor();
  });
  afterEach(async () => {
    await seen.end();
    await talk.close();
    await rm(folder, { recursive: true, force: true });
  });
  const fails = (page: Page, path: RegExp) =>
    page.route(path, (route) => route.fulfill({ status: 500, json: { error: { message: 'The disk is broken.' } } }));

  it('is said of a search, an export and a chat that is opened, and may be tried again', async () => {
    const { page } = seen;
    await send(page, 'Hello');
    answers(await talk.run(0), 'Hello too.');
    await whole(page);
    // From now on there is no news: nothing but a click tries again.
    await page.reload();
    const row = page.locator('.chat-row', { hasText: 'Hello' });
    await row.waitFor();
    const search = page.getByRole('searchbox', { name: 'Search chats' });
    const searched = /\/api\/chats\?q=/;
    await fails(page, searched);
    await search.fill('Hello');
    await page.getByText('The search did not come to an end: The disk is broken.').waitFor();
    await page.unroute(searched);
    await page.locator('.chat-list').getByRole('button', { name: 'Try again' }).click();
    await row.waitFor();
    await search.fill('');

    const read = /\/api\/chats\/[^/?]+$/;
    await fails(page, read);
    await row.hover();
    await row.getByRole('button', { name: /^Actions/ }).click();
    await page.getByRole('menuitem', { name: 'Export' }).click();
    await page.getByText('“Hello” could not be exported: The disk is broken.').waitFor();

    await page.reload();
    await page.getByText('The chat could not be read: The disk is broken.').waitFor();
    await page.unroute(read);
    await page.locator('.sidebar').getByRole('button', { name: 'New chat' }).click();
    await row.getByRole('link').click();
    await page.getByText('Hello too.').waitFor();
  });

  it('is said of words in another language, and the page goes on in its own', async () => {
    const { page } = seen;
    await page.route(/\/de-[^/]*\.js$/, (route) => route.abort());
    await page.evaluate(() => localStorage.setItem('serve-model:language', 'de'));
    await page.reload();
    await page.getByText('A part of the page could not be fetched.').waitFor();
    await page.getByRole('button', { name: 'New chat' }).first().waitFor();
  });

  it('is not asked for again and again while a key is missing, and is heard when there is one', async () => {
    const { page, requests } = seen;
    const news = /\/api\/(?:chats|inference)\/events$/;
    await expect.poll(() => requests.filter((url) => news.test(url)).length).toBe(2);
    await page.clock.install();
    const locked = /\/(?:api\/(?!ui\/)|v1\/|health$)/;
    await page.route(locked, (route) =>
      route.fulfill({ status: 401, json: { error: { message: 'A key is needed.' } } }),
    );
    await page.reload();
    const box = page.getByLabel('Key', { exact: true });
    await box.waitFor();
    const asked = () => requests.filter((url) => news.test(url)).length;
    await page.clock.fastForward(2000);
    await expect.poll(asked).toBeGreaterThan(2);
    const before = asked();
    for (let minute = 0; minute < 5; minute++) {
      await page.clock.fastForward(60_000);
      // As far as anything that was asked for now would be on its way.
      await page.evaluate(() => fetch('/livez').then((response) => response.text()));
    }
    expect(asked()).toBe(before);
    await page.unroute(locked);
    await box.fill('sk-any');
    await page.getByRole('button', { name: 'Continue' }).click();
    await expect.poll(asked).toBeGreaterThan(before);
    await expect.poll(() => page.locator('[data-phase=ready]').count()).toBe(1);
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../../chats/support.ts';
import { isAccessible } from './accessible.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, visit } from './support.ts';
import { answers, ends, field, openTalk, says, send, type Talk, whole } from './talk.ts';

describeInBrowser('a chat that is deleted elsewhere', () => {
  closeBrowserAfterwards();
  let folder = '';
  let talk: Talk;
  let seen: Visit;
  /** Two tabs that show one chat. */
  const openTwo = async (place: string) => {
    const store = place === 'server' ? { chatStore: (await openStore(folder)).store } : {};
    talk = await openTalk({ more: store });
    seen = await visit(talk.url, { reducedMotion: 'reduce' });
    const { page } = seen;
    await page.locator('[data-phase=ready]').waitFor();
    await send(page, 'First');
    answers(await talk.run(0), 'Heard.');
    await whole(page);
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.getByText('Heard.').waitFor();
    return { page, other };
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-page-'));
  });
  afterEach(async () => {
    await seen.end();
    await talk.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each(['server', 'browser'])(
    'says so, and comes back by a click or by what is written: on the %s',
    async (place) => {
      const { page, other } = await openTwo(place);
      await field(page).fill('A draft');
      await removeFirst(other);
      await page.getByText('This chat was deleted.').waitFor();
      await isAccessible(page, 'a deleted chat');
      await page.getByRole('button', { name: 'Bring it back' }).click();
      await other.locator('.chat-row').waitFor();
      await expect.poll(() => page.getByText('This chat was deleted.').count()).toBe(0);
      expect(await field(page).inputValue()).toBe('A draft');

      await removeFirst(other);
      await page.getByText('This chat was deleted.').waitFor();
      await field(page).press('Enter');
      answers(await talk.run(1), 'Back again.');
      await whole(page);
      await expect.poll(() => page.getByText('This chat was deleted.').count()).toBe(0);
      await other.locator('.chat-row').getByRole('link').click();
      await other.getByText('Back again.').waitFor();
    },
  );

  it.each(['server', 'browser'])(
    'comes back when it was deleted for good, as this page knows it: on the %s',
    async (place) => {
      const { page, other } = await openTwo(place);
      await other.getByRole('button', { name: /^Chats are kept/ }).click();
      await other.getByRole('button', { name: 'Delete all …' }).click();
      await other.getByRole('button', { name: 'Delete all chats for good' }).click();
      await other.getByText('All chats are gone.').waitFor();
      await page.getByText('This chat was deleted.').waitFor();
      await page.getByRole('button', { name: 'Bring it back' }).click();
      await expect.poll(() => page.getByText('This chat was deleted.').count()).toBe(0);
      await page.reload();
      await page.getByText('Heard.').waitFor();
      expect(await page.locator('.bubble').allTextContents()).toEqual(['First']);
    },
  );

  it.each(['server', 'browser'])('keeps the answer that was under way for its return: on the %s', async (place) => {
    const { page, other } = await openTwo(place);
    await send(page, 'Second');
    const run = await talk.run(1);
    says(run, 'text', ['It goes ']);
    await page.getByText('It goes').waitFor();
    await removeFirst(other);
    await page.getByText('This chat was deleted.').waitFor();
    says(run, 'text', ['on.'], { begin: false });
    ends(run);
    await whole(page);
    // It is nobody's wish that it comes back.
    expect(await page.locator('.chat-row').count()).toBe(0);
    await page.getByRole('button', { name: 'Bring it back' }).click();
    await expect.poll(() => page.getByText('This chat was deleted.').count()).toBe(0);
    await other.reload();
    await other.locator('.chat-row').getByRole('link').click();
    await other.getByText('It goes on.').waitFor();
    await removeFirst(other);
    await page.getByRole('button', { name: 'Close it' }).click();
    await expect.poll(() => page.locator('.bubble').count()).toBe(0);
    expect(await page.getByText('This chat was deleted.').count()).toBe(0);
  });
});

async function removeFirst(page: Page): Promise<void> {
  await page.locator('.chat-row').first().hover();
  await page
    .locator('.chat-row')
    .first()
    .getByRole('button', { name: /^Actions/ })
    .click();
  await page.getByRole('menuitem', { name: 'Delete' }).click();
}

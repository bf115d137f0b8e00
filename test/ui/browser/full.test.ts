import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';
import { openStore } from '../../chats/support.ts';
import { isAccessible } from './accessible.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, visit } from './support.ts';
import { answers, openTalk, send, type Talk, whole } from './talk.ts';

/** Of the browser for this page, and of the server for everybody's chats. */
const room = 400_000;
const tooLong = 'Long words. '.repeat(25_000);

describeInBrowser('where there is no room for chats any more', () => {
  closeBrowserAfterwards();
  let talk: Talk;
  let seen: Visit;
  afterEach(async () => {
    await seen.end();
    await talk.close();
  });

  const open = async (place: 'server' | 'browser') => {
    const { store } = await openStore(undefined, { ownerBytes: room });
    talk = await openTalk(place === 'server' ? { more: { chatStore: store } } : {});
    const { origin } = new URL(talk.url);
    seen = await visit(talk.url, {
      acceptDownloads: true,
      reducedMotion: 'reduce',
      before: (page) => limit(page, origin),
    });
    await seen.page.locator('[data-phase=ready]').waitFor();
    return seen.page;
  };
  const limit = async (page: Page, origin: string, quotaSize = room) => {
    const session = await page.context().newCDPSession(page);
    await session.send('Storage.overrideQuotaForOrigin', { origin, quotaSize });
  };
  let asked = 0;
  const say = async (page: Page, text: string, answer: string) => {
    await send(page, text);
    answers(await talk.run(asked), answer);
    asked++;
    await whole(page);
  };

  it.each([
    ['server', 'Delete some for ever, those in the bin too.'],
    ['browser', 'this browser has no more room for this page.'],
  ] as const)(
    'says so, exports what was not kept, and keeps it when there is room again: on the %s',
    async (place, reason) => {
      const page = await open(place);
      asked = 0;
      await say(page, 'First question', `${tooLong.slice(0, 200_000)} the first end`);
      await page.locator('.sidebar').getByRole('button', { name: 'New chat' }).click();
      await say(page, 'Second question', `${tooLong} the second end`);
      const bar = page.locator('.bar.dangerous');
      await bar.getByText(reason).waitFor();
      await isAccessible(page, `full, on the ${place}`);
      // A second try is as good as the first while there is no more room.
      await bar.getByRole('button', { name: 'Try again' }).click();
      await bar.getByText(reason).waitFor();

      await bar.getByRole('button', { name: 'Export or delete chats' }).click();
      const dialog = page.getByRole('dialog', { name: 'Your chats' });
      const [download] = await Promise.all([
        page.waitForEvent('download'),
        dialog.getByRole('button', { name: 'Export all' }).click(),
      ]);
      expect(await readFile(await download.path(), 'utf8')).toContain('the second end');
      await page.keyboard.press('Escape');

      await page.getByRole('button', { name: 'Actions for “First question”' }).click();
      await page.getByRole('menuitem', { name: 'Delete' }).click();
      await bar.getByRole('button', { name: 'Export or delete chats' }).click();
      await dialog.getByRole('button', { name: 'Empty the bin' }).click();
      await dialog.getByText('1 deleted chat is gone for good.').waitFor();
      await page.keyboard.press('Escape');
      if (place === 'browser') {
        // Browsers take their time to free what was deleted.
        await limit(page, new URL(talk.url).origin, 20 * room);
        await bar.getByRole('button', { name: 'Try again' }).click();
      }
      await expect.poll(() => bar.count()).toBe(0);
      await page.reload();
      await page.getByText('the second end').waitFor();
      expect(await page.locator('.chat-title').allTextContents()).toEqual(['Second question']);
    },
  );
});

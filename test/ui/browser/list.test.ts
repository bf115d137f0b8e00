import type { Page } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';
import { closeBrowserAfterwards, describeInBrowser, type Visit, visit } from './support.ts';
import { openTalk, type Talk } from './talk.ts';

const count = 1000;
/** The row, its link and title, the button with its sign of two, and the empty menu. */
const elementsOfRow = 7;
/** Where there is next to nothing, asked for behind the list. */
const small = ['files', 'partials'];

describeInBrowser('a list of a thousand chats', () => {
  closeBrowserAfterwards();
  let talk: Talk;
  let seen: Visit;
  afterEach(async () => {
    await seen.end();
    await talk.close();
  });

  const open = async () => {
    talk = await openTalk();
    seen = await visit(talk.url);
    const { page } = seen;
    await page.locator('.list-note').waitFor();
    await page.evaluate(keepChats, count);
    await page.addInitScript(noteReads);
    await page.reload();
    await titles(page).first().waitFor();
    return page;
  };

  it('makes the rows that can be seen, without their menus, out of one look at the chats and not at their texts', async () => {
    const page = await open();
    const { reads, elements, rows } = await page.evaluate(() => ({
      reads: (globalThis as Noted).readsBeforeRows,
      elements: document.querySelectorAll('.chat-list *').length,
      rows: document.querySelectorAll('.chat-row').length,
    }));
    expect(reads?.filter((name) => !small.includes(name))).toEqual(['chats']);
    expect(rows).toBe(60);
    expect(elements).toBeLessThanOrEqual(rows * elementsOfRow + 10);
    await page.getByRole('button', { name: 'Actions for “Chat 999”' }).click();
    await page.getByRole('menuitem', { name: 'Rename' }).click();
    await page.getByRole('textbox', { name: 'New title' }).waitFor();
    expect(await page.getByRole('menuitem', { includeHidden: true }).count()).toBe(0);
  });

  it('has all of them for who goes to its end, by the wheel or from row to row', async () => {
    const page = await open();
    const list = page.locator('.chat-list');
    const height = await list.evaluate((element) => element.scrollHeight);
    await page.locator('.chat-row a').nth(59).focus();
    await titles(page).nth(60).waitFor({ state: 'attached' });
    await list.evaluate((element) => {
      element.scrollTop = element.scrollHeight;
    });
    await titles(page)
      .nth(count - 1)
      .waitFor({ state: 'attached' });
    const expected = Array.from({ length: count }, (_, index) => `Chat ${count - 1 - index}`);
    expect(await titles(page).allTextContents()).toEqual(expected);
    // The room for those that were to come was theirs.
    expect(Math.abs((await list.evaluate((element) => element.scrollHeight)) - height)).toBeLessThan(height / 20);
  });

  it('is no longer where a search finds all of them, whose texts are read before its first letter', async () => {
    const page = await open();
    await page.getByRole('searchbox').focus();
    await expect.poll(() => page.evaluate(() => (globalThis as Noted).reads)).toContain('texts');
    await page.getByRole('searchbox').fill('chat');
    await page.locator('.chat-list > ul').waitFor();
    expect(await titles(page).count()).toBe(60);
    await page.locator('.chat-list').evaluate((element) => {
      element.scrollTop = element.scrollHeight;
    });
    await titles(page)
      .nth(count - 1)
      .waitFor({ state: 'attached' });
    await page.getByRole('searchbox').fill('chat 77');
    await expect.poll(() => titles(page).count()).toBe(19);
  });
});

const titles = (page: Page) => page.locator('.chat-title');

type Noted = typeof globalThis & { reads?: string[]; readsBeforeRows?: string[] };

/** Runs before the page: what is asked of the database, and what of it until there are rows. */
function noteReads(): void {
  const reads: string[] = [];
  const readsBeforeRows: string[] = [];
  Object.assign(globalThis, { reads, readsBeforeRows });
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (names, mode, options) {
    const asked = typeof names === 'string' ? [names] : [...names];
    reads.push(...asked);
    if (!document.querySelector('.chat-row')) readsBeforeRows.push(...asked);
    return transaction.call(this, names, mode, options);
  };
}

/** Runs in the page: chats without messages, the latest last. */
function keepChats(count: number): Promise<void> {
  return new Promise((done, failed) => {
    const opening = indexedDB.open('serve-model-chats');
    opening.onerror = () => failed(opening.error);
    opening.onsuccess = () => {
      const change = opening.result.transaction('chats', 'readwrite');
      for (let index = 0; index < count; index++)
        change
          .objectStore('chats')
          .put({ id: `chat-${index}`, title: `Chat ${index}`, pinned: false, createdAt: index, updatedAt: index });
      change.oncomplete = () => {
        opening.result.close();
        done();
      };
    };
  });
}

import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../../chats/support.ts';
import { isAccessible } from './accessible.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, visit } from './support.ts';
import { answers, openTalk, send, type Talk, whole } from './talk.ts';

describeInBrowser('where chats are kept', () => {
  closeBrowserAfterwards();
  let folder = '';
  let talk: Talk;
  let seen: Visit;
  const open = async (place: 'server' | 'browser') => {
    const store = place === 'server' ? { chatStore: (await openStore(folder)).store } : {};
    talk = await openTalk({ more: store });
    seen = await visit(talk.url, { acceptDownloads: true, reducedMotion: 'reduce' });
    await seen.page.locator('[data-phase=ready]').waitFor();
    return seen.page;
  };
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-page-'));
  });
  afterEach(async () => {
    await seen.end();
    await talk.close();
    await rm(folder, { recursive: true, force: true });
  });

  it.each([
    ['server', 'They lie on the server'],
    ['browser', 'They lie in this browser'],
  ] as const)('gives everything out, away and back again: chats on the %s', async (place, where) => {
    const page = await open(place);
    await send(page, 'First <b>chat</b>');
    answers(await talk.run(0), 'One');
    await whole(page);
    await page.getByRole('button', { name: 'Answer again' }).click();
    answers(await talk.run(1), 'Two');
    await page.getByText('Two').waitFor();
    await whole(page);
    await page.locator('.sidebar').getByRole('button', { name: 'New chat' }).click();
    await send(page, 'Second chat');
    answers(await talk.run(2), 'Three');
    await whole(page);
    await page.getByRole('button', { name: /^Chats are kept/ }).click();
    await page.getByText(where).waitFor();
    await isAccessible(page, 'keeping');
    const before = await exported(page);
    await page.getByRole('button', { name: 'Delete all …' }).click();
    await page.getByRole('button', { name: 'Delete all chats for good' }).click();
    await page.getByText('All chats are gone.').waitFor();
    expect(await page.locator('.chat-row').count()).toBe(0);
    for (const _ of [1, 2]) {
      await give(page, 'chats.json', before);
      await page.getByText('2 chats were imported.').waitFor();
    }
    expect(sorted(await exported(page))).toEqual(sorted(before));
    await page.keyboard.press('Escape');
    await page.locator('.chat-row', { hasText: 'First' }).getByRole('link').click();
    await page.getByText('Two').waitFor();
    expect(await page.locator('.versions').textContent()).toContain('2 / 2');
  });

  it('says so where a file has no chats, and takes those of other programs', async () => {
    const page = await open('browser');
    await page.getByRole('button', { name: /^Chats are kept/ }).click();
    await give(page, 'note.json', '{"a": 1}');
    await page.getByText('“note.json” has no chats').waitFor();
    const lines = [
      { type: 'session', harness: 'llama.cpp', id: 'c0ffee00-1', name: 'From afar', currNode: 'a' },
      {
        type: 'message',
        message: { id: 'u', parent: null, type: 'text', role: 'user', content: 'Hello', timestamp: 1 },
      },
      {
        type: 'message',
        message: { id: 'a', parent: 'u', type: 'text', role: 'assistant', content: 'Hi', timestamp: 2 },
      },
    ];
    await give(page, 'chat.jsonl', lines.map((line) => JSON.stringify(line)).join('\n'));
    await page.getByText('1 chat was imported.').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('link', { name: 'From afar' }).click();
    await page.locator('.answer', { hasText: 'Hi' }).waitFor();

    // A start writes nothing, but where something has lain in the bin for too long.
    await page.addInitScript(noteTransactions);
    await page.reload();
    await page.locator('.chat-row', { hasText: 'From afar' }).waitFor();
    const modes = await page.evaluate(() => (globalThis as Noted).transactionModes);
    expect(new Set(modes)).toEqual(new Set(['readonly']));
    await page.evaluate(changeChats, { removedAt: 1 });
    await page.reload();
    await page.locator('.list-note', { hasText: 'Your chats will be listed here.' }).waitFor();
    await expect.poll(() => page.evaluate(changeChats, {})).toBe(0);
  });
});

type Noted = typeof globalThis & { transactionModes?: string[] };

/** Runs before the page. */
function noteTransactions(): void {
  const noted: string[] = [];
  (globalThis as Noted).transactionModes = noted;
  const { transaction } = IDBDatabase.prototype;
  IDBDatabase.prototype.transaction = function (names, mode = 'readonly', options) {
    noted.push(mode);
    return transaction.call(this, names, mode, options);
  };
}

/** Runs in the page: every chat of this browser gets these members. Resolves with their number. */
function changeChats(members: object): Promise<number> {
  return new Promise((done, failed) => {
    const opening = indexedDB.open('serve-model-chats');
    opening.onerror = () => failed(opening.error);
    opening.onsuccess = () => {
      const change = opening.result.transaction('chats', 'readwrite');
      const store = change.objectStore('chats');
      const all = store.getAll();
      all.onsuccess = () => {
        for (const chat of all.result) store.put({ ...chat, ...members });
      };
      change.oncomplete = () => {
        opening.result.close();
        done(all.result.length);
      };
    };
  });
}

async function exported(page: Page): Promise<string> {
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Export all' }).click(),
  ]);
  return readFile(await download.path(), 'utf8');
}

async function give(page: Page, name: string, text: string): Promise<void> {
  await page
    .getByLabel('Files with chats')
    .setInputFiles({ name, mimeType: 'application/json', buffer: Buffer.from(text) });
}

/** Chats have no order of their own. */
function sorted(file: string): unknown[] {
  const { chats } = JSON.parse(file) as { chats: { chat_id: string }[] };
  return chats.sort((left, right) => left.chat_id.localeCompare(right.chat_id));
}

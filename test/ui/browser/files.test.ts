import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page, Request } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openStore } from '../../chats/support.ts';
import { isAccessible } from './accessible.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, visit } from './support.ts';
import { answers, field, openTalk, send, type Talk, whole } from './talk.ts';

const picture = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAFElEQVR4nGP4z8CAFTFgFWUYaAkAOH4/wZ8hPWwAAAAASUVORK5CYII=',
  'base64',
);
const png = { name: '<b>cat</b>.png', mimeType: 'image/png', buffer: picture };
const notes = { name: 'notes.py', mimeType: '', buffer: Buffer.from('print("hello")\n') };

describeInBrowser('files', () => {
  closeBrowserAfterwards();
  let folder = '';
  let talk: Talk;
  let seen: Visit;
  const open = async (place: 'server' | 'browser', sees: boolean) => {
    const store = place === 'server' ? { chatStore: (await openStore(folder)).store } : {};
    talk = await openTalk({ more: store });
    const status = { active_model: 'demo', loading: [], models: [{ model: 'demo', is_vision: sees }] };
    seen = await visit(talk.url, {
      acceptDownloads: true,
      reducedMotion: 'reduce',
      before: async (page) =>
        void (await page.route('**/api/inference/status', (route) => route.fulfill({ json: status }))),
    });
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

  it.each(['server', 'browser'] as const)(
    'come by button, drop and paste, and are there again after a reload: chats on the %s',
    async (place) => {
      const page = await open(place, true);
      await page.locator('.composer input[type=file]').setInputFiles([png, notes]);
      await page.locator('.file-chip').nth(1).waitFor();
      await drop(page, 'dropped.md', '# Dropped');
      await page.locator('.file-chip', { hasText: 'dropped.md' }).waitFor();
      if (place === 'server') await isAccessible(page, 'files');
      const sent = page.waitForRequest(isAnswer);
      await send(page, 'What are these?');
      expect((await sent).postDataJSON().messages).toEqual([asked]);
      answers(await talk.run(0), 'Some files.');
      await whole(page);
      await page.reload();
      await page.locator('.turn-files img').waitFor();
      expect(await page.locator('.turn-files .file-name').allTextContents()).toEqual([
        '<b>cat</b>.png',
        'notes.py',
        'dropped.md',
      ]);
      const again = page.waitForRequest(isAnswer);
      await page.getByRole('button', { name: 'Answer again' }).click();
      expect((await again).postDataJSON().messages).toEqual([asked]);
      answers(await talk.run(1), 'Still the same.');
      await whole(page);
      await page.getByRole('button', { name: /^notes.py/ }).click();
      await page.getByRole('dialog', { name: 'notes.py' }).getByText('print("hello")').waitFor();
      if (place === 'server') await isAccessible(page, 'file');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: /^Chats are kept/ }).click();
      const coming = page.waitForEvent('download');
      await page.getByRole('button', { name: 'Export all' }).click();
      const file = JSON.parse(await readFile(await (await coming).path(), 'utf8'));
      expect(Object.values(file.files)).toEqual([picture.toString('base64')]);
    },
  );

  it('are made of long texts that are pasted, which one key turns back; others are refused with the reason', async () => {
    const page = await open('browser', false);
    const text = 'word '.repeat(600);
    await field(page).fill('ab');
    await field(page).press('ArrowLeft');
    await paste(page, text);
    await page.locator('.file-chip', { hasText: 'Pasted text.txt' }).waitFor();
    expect(await field(page).inputValue()).toBe('ab');
    await field(page).press('Control+z');
    expect(await field(page).inputValue()).toBe(`a${text}b`);
    expect(await page.locator('.file-chip').count()).toBe(0);
    await field(page).fill('');
    await paste(page, text);
    await page.getByRole('button', { name: 'Remove Pasted text.txt' }).click();
    await page.locator('.file-chip').waitFor({ state: 'detached' });
    await paste(page, 'short');
    expect(await page.locator('.file-chip').count()).toBe(0);
    // What the model cannot take is refused with the reason, by name.
    const zip = { name: 'a.zip', mimeType: '', buffer: Buffer.from([80, 75, 3, 4, 0, 0, 255]) };
    await page.locator('.composer input[type=file]').setInputFiles([png, zip]);
    await page.getByText('“<b>cat</b>.png” was not attached: this model sees no pictures.').waitFor();
    await page.getByText('“a.zip” is neither text nor a picture.').waitFor();
    expect(await page.locator('.file-chip').count()).toBe(0);
    await field(page).fill('Still here');
    expect(await page.getByRole('button', { name: 'Send', exact: true }).isEnabled()).toBe(true);
  });
});

const asked = {
  role: 'user',
  content: [
    { type: 'image_url', image_url: { url: `data:image/png;base64,${picture.toString('base64')}` } },
    {
      type: 'text',
      text: 'File "notes.py":\n```\nprint("hello")\n```\n\nFile "dropped.md":\n```\n# Dropped\n```\n\nWhat are these?',
    },
  ],
};

const isAnswer = (request: Request) => /\/v1\/chat\/completions$/.test(request.url());

/** As the browser tells of a file that is let go over the page. */
async function drop(page: Page, name: string, text: string): Promise<void> {
  const data = await page.evaluateHandle(
    ([name, text]) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([text ?? ''], name ?? ''));
      return transfer;
    },
    [name, text],
  );
  await page.dispatchEvent('.conversation', 'dragover', { dataTransfer: data });
  await page.locator('.file-drop').waitFor();
  await page.dispatchEvent('.conversation', 'drop', { dataTransfer: data });
  await page.locator('.file-drop').waitFor({ state: 'detached' });
}

/** As the browser tells of the clipboard; what nobody takes goes nowhere. */
async function paste(page: Page, text: string): Promise<void> {
  await field(page).evaluate((area, text) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData('text/plain', text);
    area.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }));
  }, text);
}

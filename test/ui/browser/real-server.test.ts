import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { runCommand, type ServeProcess } from '../../support/serve-process.ts';
import { closeBrowserAfterwards, describeInBrowser, visit } from './support.ts';
import { field, send, whole } from './talk.ts';

/** Servers as a user starts them, with the bundled model. */
describeInBrowser('the page of a real server', () => {
  closeBrowserAfterwards();
  let folder = '';
  const processes: ServeProcess[] = [];
  const startAt = (port: number) => {
    const flags = ['--port', `${port}`, '--threads', '1', '--no-flash-attn', '--ctx-size', '1024'];
    const process = runCommand([...flags, '--chat-store', folder]);
    processes.push(process);
    return process;
  };
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-page-'));
  });
  afterAll(async () => {
    for (const { child } of processes) child.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true });
  });

  it('counts below the field what the server then reads, of shortened turns too, and stops the engine with the answer', async () => {
    const url = await startAt(await freePort()).ready();
    const { page, end } = await visit(url);
    await page.locator('[data-phase=ready]').waitFor();
    await send(page, `Who are you? ${'The sea is wide and deep. '.repeat(25)}`);
    await whole(page);
    await page.locator('button.context-meter').click();
    const dialog = page.getByRole('dialog', { name: 'Context' });
    await dialog.getByRole('button', { name: /^Shorten “Who are you/ }).click();
    await dialog.getByText(/^Saves \d+ tokens/).waitFor();
    await dialog.getByRole('button', { name: 'Shorten the turn' }).click();
    await page.keyboard.press('Escape');
    await page.getByText('shortened for the model').waitFor();
    const counted = page.waitForResponse(
      (response) => /input_tokens$/.test(response.url()) && /lighthouse/.test(response.request().postData() ?? ''),
    );
    await field(page).fill('Tell me a long story about a fox, a lighthouse and the sea.');
    const { input_tokens: told } = (await (await counted).json()) as { input_tokens: number };
    await page.locator('.context-total', { hasText: new RegExp(`^${told} of 1,024`) }).waitFor();
    const asked = page.waitForRequest(/\/v1\/chat\/completions$/);
    await field(page).press('Enter');
    await asked;
    await page.locator('.answer').nth(1).locator('.markdown').waitFor();
    await page.keyboard.press('Escape');
    await whole(page);
    await expect.poll(() => slotsAtWork(url)).toBe(0);
    await page.locator('button.figures').last().click();
    const rows = await page.locator('.figures-panel:popover-open dl > div').allTextContents();
    expect(rows).toContain(`Prompt tokens${told}`);
    await end();
  });

  it('finds a server again that was killed and started anew, and loses nothing', async () => {
    const port = await freePort();
    const first = startAt(port);
    const url = await first.ready();
    const { page, end } = await visit(url);
    await page.locator('[data-phase=ready]').waitFor();
    await page.evaluate(() => Object.assign(globalThis, { sameDocument: true }));
    await send(page, 'Before');
    await whole(page);
    first.child.kill('SIGKILL');
    await first.exited();
    await field(page).fill('Draft');
    await page.getByText('The server does not answer.').waitFor();
    await field(page).press('Enter');
    await page.getByText('Waiting for the server').waitFor();
    await startAt(port).ready();
    await page.locator('[data-phase=ready]').waitFor();
    await expect
      .poll(() => page.locator('.answer .answer-footer[data-last=true]').count(), { timeout: 30_000 })
      .toBe(1);
    await expect.poll(() => page.locator('.bubble').allTextContents()).toEqual(['Before', 'Draft']);
    expect(await page.evaluate(() => 'sameDocument' in globalThis)).toBe(true);
    await page.reload();
    await page.getByText('Draft').last().waitFor();
    expect(await page.locator('.bubble').allTextContents()).toEqual(['Before', 'Draft']);
    await end();
  });

  it('keeps what pages of two servers write to one folder', async () => {
    const running = await Promise.all(
      [startAt(await freePort()), startAt(await freePort())].map((each) => each.ready()),
    );
    const seen = await Promise.all(running.map((url) => visit(url)));
    const pages = seen.map(({ page }) => page);
    for (const page of pages) await page.locator('[data-phase=ready]').waitFor();
    await Promise.all(pages.map((page, index) => send(page, `Message of page ${index}`)));
    for (const page of pages) {
      await whole(page);
      for (const index of [0, 1])
        await page
          .locator('.chat-title', { hasText: `Message of page ${index}` })
          .first()
          .waitFor();
    }
    const [one, two] = pages;
    await one?.locator('.chat-row', { hasText: 'Message of page 1' }).getByRole('link').click();
    await one?.locator('.bubble', { hasText: 'Message of page 1' }).waitFor();
    const answers = async (page?: Page) => page?.locator('.answer .markdown').allTextContents();
    await expect.poll(() => answers(one)).toEqual(await answers(two));
    for (const { end } of seen) await end();
  });
});

async function slotsAtWork(url: string): Promise<number> {
  const slots = (await (await fetch(`${url}/slots`)).json()) as { is_processing: boolean }[];
  return slots.filter((slot) => slot.is_processing).length;
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

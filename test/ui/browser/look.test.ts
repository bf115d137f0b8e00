import type { Page } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import { finish } from '../../http/support.ts';
import { isAccessible } from './accessible.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, type VisitOptions, visit } from './support.ts';
import { answers, ends, field, openTalk, says, send, type Talk, whole } from './talk.ts';

describeInBrowser('how it looks', () => {
  closeBrowserAfterwards();
  let talk: Talk;
  let seen: Visit;
  const open = async (options: Parameters<typeof openTalk>[0] = {}, how: VisitOptions = {}) => {
    talk = await openTalk(options);
    // What fades in is judged as it stays.
    seen = await visit(talk.url, { reducedMotion: 'reduce', ...how });
    return seen.page;
  };
  afterEach(async () => {
    await seen.end();
    await talk.close();
  });

  it('has no fault that axe knows while an answer comes, light or dark', async () => {
    const page = await open();
    await field(page).waitFor();
    await page.locator('[data-phase=ready]').waitFor();
    await isAccessible(page, 'empty');
    await send(page, 'Look');
    const run = await talk.run();
    run.say({ type: 'queued', position: 2, etaMs: 8000 });
    await page.locator('.run-status[data-kind=queued]').waitFor();
    await isAccessible(page, 'queued');
    run.say(
      { type: 'start', inputTokens: 900, cachedTokens: 100 },
      { type: 'prompt-progress', totalTokens: 900, cachedTokens: 100, processedTokens: 512, elapsedMs: 90 },
    );
    await page.locator('.run-status progress').waitFor();
    await isAccessible(page, 'reading');
    run.say(
      { type: 'block-start', index: 0, kind: 'reasoning' },
      { type: 'block-delta', index: 0, delta: 'Hm.\n\nA thought.' },
    );
    await page.getByText('A thought.').waitFor();
    await isAccessible(page, 'thinking');
    run.say({ type: 'block-end', index: 0 });
    says(run, 'text', [rich], { index: 1 });
    await page.locator('.answer table').waitFor();
    await page.locator('.answer .formula-display .katex').waitFor();
    expect(await page.locator('.answer .formula a').count()).toBe(0);
    await isAccessible(page, 'writing');
    ends(run, finish({ reason: 'length' }), 1);
    await whole(page);
    await page.locator('.thought-head').click();
    await isAccessible(page, 'cut');
  });

  it('has no fault that axe knows in calls, errors and stopped answers', async () => {
    const page = await open();
    await page.locator('[data-phase=ready]').waitFor();
    await send(page, 'Call');
    const run = await talk.run(0);
    run.say(
      { type: 'start', inputTokens: 10, cachedTokens: 0 },
      { type: 'block-start', index: 0, kind: 'tool-call', id: 'call_1', name: 'get_weather' },
      { type: 'block-delta', index: 0, delta: '{"city":"Paris"}' },
    );
    ends(run, finish({ reason: 'tool-calls' }));
    await page.getByText('No tool is connected').waitFor();
    await isAccessible(page, 'call');
    await send(page, 'Stop');
    says(await talk.run(1), 'text', ['Some words']);
    await page.getByText('Some words').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText(/Stopped by you/).waitFor();
    await send(page, 'Fail');
    (await talk.run(2)).say(new ServeError('engine_failure', 'The engine stumbled.'));
    await page.getByText('The engine stumbled.').waitFor();
    await send(page, 'Too long');
    (await talk.run(3)).say(new ServeError('context_length_exceeded', 'The prompt has 4096 tokens of 2048.'));
    await page.locator('.context-full').waitFor();
    await isAccessible(page, 'failed');
    await send(page, 'Wait');
    (await talk.run(4)).say(new ServeError('overloaded', 'Full.', { retryAfterSeconds: 600 }));
    await page.locator('.run-status[data-kind=later]').waitFor();
    await isAccessible(page, 'later');
  });

  it('has no fault that axe knows in its menus, dialogs and fields', async () => {
    const page = await open();
    await page.locator('[data-phase=ready]').waitFor();
    await send(page, 'Menus');
    answers(await talk.run(), 'Here.');
    await whole(page);
    await page.locator('button.figures').click();
    await isAccessible(page, 'figures');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Appearance and language' }).click();
    await isAccessible(page, 'preferences');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: /^Actions for/ }).click();
    await isAccessible(page, 'menu');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+/');
    await page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor();
    await isAccessible(page, 'shortcuts');
    await page.keyboard.press('Escape');
    await page.getByRole('searchbox').fill('here');
    await page.locator('.chat-excerpt').waitFor();
    await isAccessible(page, 'search');
    await field(page).press('ArrowUp');
    await page.getByRole('textbox', { name: 'Edit the message' }).waitFor();
    await isAccessible(page, 'editing');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: /^Actions for/ }).click();
    await page.getByRole('menuitem', { name: 'Delete' }).click();
    await page.locator('.toast').waitFor();
    await isAccessible(page, 'deleted');
  });

  it('has no fault that axe knows while the model loads, is missing, or the server is gone or wants a key', async () => {
    const page = await open();
    for (const state of ['loading', 'empty'] as const) {
      talk.door.models.current = state;
      await page.reload();
      await page.locator(`[data-phase=${state}]`).waitFor();
      await isAccessible(page, state);
    }
    await talk.close();
    await page.getByRole('button', { name: 'Try now' }).waitFor();
    await isAccessible(page, 'gone');
    await seen.end();
    await open({ settings: { apiKeys: ['a'] } });
    await seen.page.getByLabel('Key', { exact: true }).fill('b');
    await seen.page.getByRole('button', { name: 'Continue' }).click();
    await seen.page.getByText('The server does not know this key.').waitFor();
    await isAccessible(seen.page, 'key');
  });

  it.each([360, 600])(
    'can be used on a page of %d pixels: nothing is wider than it, everything is in reach',
    async (width) => {
      const page = await open({}, { viewport: { width, height: 640 }, hasTouch: true });
      await page.locator('[data-phase=ready]').waitFor();
      await send(page, `A question with${'averylongwordthatnobodywouldeverwrite'.repeat(4)}`);
      const run = await talk.run();
      run.say({ type: 'queued', position: 12, etaMs: 125_000 });
      await page.locator('.run-status[data-kind=queued]').waitFor();
      await isWithin(page, width);
      says(run, 'text', [rich, `\n\n${'word'.repeat(100)}\n\n\`\`\`\n${'code '.repeat(100)}\n\`\`\`\n`]);
      ends(run, finish({ reason: 'length' }));
      await whole(page);
      await isWithin(page, width);
      await page.getByRole('button', { name: 'Show the chats' }).click();
      await page.locator('.chat-row').waitFor();
      await isWithin(page, width);
      await page.locator('.sidebar').getByRole('button', { name: 'New chat' }).click();
      await page.locator('.welcome').waitFor();
      await isWithin(page, width);
      const place = await field(page).boundingBox();
      expect(place && place.y + place.height).toBeLessThan(640);
    },
  );
});

const rich =
  '# Heading\n\nText with `code` and [a link](https://example.org).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```ts\nconst a: number = 1; // why\n```\n\n> quoted\n\n1. one\n2. two\n\n- [x] done\n\n$$\n\\frac{a}{b}\n$$\n\nand $\\href{javascript:alert(1)}{x}$\n';

/** Nothing makes the page wider than the window, and every button is within it. */
async function isWithin(page: Page, width: number): Promise<void> {
  const { wide, outside } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    outside: [...document.querySelectorAll('button, input, textarea')]
      .filter((element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true }))
      .map((element) => ({ name: element.outerHTML.slice(0, 120), at: element.getBoundingClientRect() }))
      .filter(({ at }) => at.width > 0 && (at.left < -1 || at.right > innerWidth + 1))
      .map(({ name }) => name),
  }));
  expect(wide).toBeLessThanOrEqual(width);
  expect(outside).toEqual([]);
}

import { afterEach, beforeEach, expect, it } from 'vitest';
import { closeBrowserAfterwards, describeInBrowser, type Visit, visit } from './support.ts';
import { answers, ends, openTalk, says, send, type Talk, whole } from './talk.ts';

const example = ['```ts', 'const one = 1;', '```', '', 'Below it.'].join('\n');
/** A part of the page that is fetched when it is wanted. */
const colours = /\/highlighter-[^/]*\.js$/;

describeInBrowser('code in answers', () => {
  closeBrowserAfterwards();
  let talk: Talk;
  let seen: Visit;
  beforeEach(async () => {
    talk = await openTalk();
  });
  afterEach(async () => {
    await seen.end();
    await talk.close();
  });

  it('has what it needs for its colours before it ends, and a page without any does not fetch that', async () => {
    seen = await visit(talk.url);
    const { page, requests } = seen;
    await page.locator('[data-phase=ready]').waitFor();
    expect(requests.filter((url) => colours.test(url))).toEqual([]);
    await send(page, 'Code');
    const run = await talk.run();
    says(run, 'text', ['```ts\nconst one']);
    await page.locator('.code-block').waitFor();
    await expect.poll(() => requests.filter((url) => colours.test(url)).length).toBe(1);
    says(run, 'text', [' = 1;\n```\n'], { begin: false });
    ends(run);
    await page.locator('.code-block .hljs-keyword', { hasText: 'const' }).waitFor();
    expect(await page.locator('.code-block code').textContent()).toBe('const one = 1;');
  });

  it('moves nothing when its colours come late, and has those of a rare language too', async () => {
    seen = await visit(talk.url);
    const { page } = seen;
    await page.locator('[data-phase=ready]').waitFor();
    await send(page, 'Code');
    answers(await talk.run(), `${example}\n\n\`\`\`rust\nfn main() {}\n\`\`\``);
    await whole(page);
    let letCome: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      letCome = resolve;
    });
    await page.route(colours, async (route) => {
      await held;
      await route.continue();
    });
    await page.reload();
    await page.locator('.code-block').last().waitFor();
    const places = () =>
      page
        .locator('.answer *')
        .evaluateAll((elements) =>
          elements
            .filter((element) => !element.closest('code'))
            .map((element) => JSON.stringify(element.getBoundingClientRect())),
        );
    const before = await places();
    expect(await page.locator('[class^=hljs]').count()).toBe(0);
    letCome();
    await page.locator('.code-block .hljs-keyword', { hasText: 'fn' }).waitFor();
    expect(await places()).toEqual(before);
  });
});

import type { Page } from 'playwright-core';
import { expect, it } from 'vitest';
import type { GenerationEvent, TokenCandidate } from '../../../src/contract/events.ts';
import { type FakeRun, finish } from '../../http/support.ts';
import { isAccessible } from './accessible.ts';
import { closeBrowserAfterwards, describeInBrowser, visit } from './support.ts';
import { answers, openTalk, send, whole } from './talk.ts';

const candidate = (text: string, probability: number): TokenCandidate => ({
  token: 1,
  text,
  bytes: [...Buffer.from(text)],
  logprob: Math.log(probability),
});

/** Says one token after the other, each with what else could stand there. */
function saysTokens(run: FakeRun, tokens: readonly (readonly [string, number, string?])[]): void {
  const deltas = tokens.map(([text, probability, other = 'x']): GenerationEvent => {
    const own = candidate(text, probability);
    const top = [own, candidate(other, 0.06), candidate('rare', 0.004), candidate('<|im_end|>', 0.002)];
    return { type: 'block-delta', index: 0, delta: text, logprobs: [{ ...own, top }] };
  });
  run.say({ type: 'start', inputTokens: 10, cachedTokens: 4 }, { type: 'block-start', index: 0, kind: 'text' });
  run.say(...deltas, { type: 'block-end', index: 0 }, finish());
}

/** What the next answer is asked for with. */
async function askedWith(page: Page, act: () => Promise<void>) {
  const asked = page.waitForRequest(/\/chat\/completions$/);
  await act();
  return (await asked).postDataJSON() as {
    readonly logprobs?: boolean;
    readonly top_logprobs?: number;
    readonly messages: readonly object[];
  };
}

describeInBrowser('the token lens', () => {
  closeBrowserAfterwards();

  it('shows tokens when it is on, and an answer goes on from what is taken instead of one', async () => {
    const talk = await openTalk();
    const { page, requests, end } = await visit(talk.url, { reducedMotion: 'reduce' });
    await page.locator('[data-phase=ready]').waitFor();
    const plain = await askedWith(page, () => send(page, 'Hello'));
    expect(plain).not.toHaveProperty('logprobs');
    answers(await talk.run(0), '**Hi**');
    await whole(page);
    expect(requests.filter((url) => /\/lens-[^/]*\.js/.test(url))).toEqual([]);

    await page.keyboard.press('Control+.');
    await page.getByRole('checkbox', { name: 'Tokens with their probability' }).check();
    expect(await askedWith(page, () => send(page, 'Greet me'))).toMatchObject({ logprobs: true, top_logprobs: 5 });
    const spoken = [
      ['Good', 0.95],
      [' morning', 0.3, ' day'],
      [' to', 0.6],
      [' you', 0.1],
      ['\n', 0.99],
    ] as const;
    saysTokens(await talk.run(1), spoken);
    await whole(page);
    expect(await page.locator('.answer').first().locator('strong').textContent()).toBe('Hi');
    const lens = page.getByRole('toolbar', { name: 'Tokens with their probability' });
    const tokens = lens.getByRole('button');
    await expect.poll(() => tokens.allTextContents()).toEqual(spoken.map(([text]) => text));
    expect(await tokens.evaluateAll((all) => all.map((one) => one.dataset.sure))).toEqual([
      'sure',
      'open',
      'likely',
      'unlikely',
      'sure',
    ]);
    expect(await tokens.evaluateAll((all) => all.filter((one) => one.tabIndex === 0).length)).toBe(1);
    await isAccessible(page, 'lens');

    await tokens.first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    const menu = page.getByRole('menu', { name: 'What else could stand here' });
    await expect
      .poll(() => menu.getByRole('menuitem').allTextContents())
      .toEqual(['“ morning”30%', '“ day”6%', '“rare”< 1%']);
    await isAccessible(page, 'alternatives');
    await page.keyboard.press('Escape');
    await menu.waitFor({ state: 'hidden' });
    expect(await tokens.nth(1).evaluate((one) => one === document.activeElement)).toBe(true);

    await tokens.nth(1).click();
    const day = menu.getByRole('menuitem', { name: /day/ });
    await expect.poll(() => day.evaluate((one) => one === document.activeElement)).toBe(true);
    const branched = await askedWith(page, () => page.keyboard.press('Enter'));
    expect(branched.messages.at(-1)).toEqual({ role: 'assistant', content: 'Good day' });
    saysTokens(await talk.run(2), [['!', 0.7]]);
    await whole(page);
    await expect.poll(() => tokens.allTextContents()).toEqual(['Good', ' day', '!']);
    await page.getByText('2 / 2').waitFor();

    await page.getByRole('checkbox', { name: 'Tokens with their probability' }).uncheck();
    await lens.waitFor({ state: 'detached' });
    await page.locator('.answer').last().getByText('Good day!').waitFor();
    await end();
    await talk.close();
  });
});

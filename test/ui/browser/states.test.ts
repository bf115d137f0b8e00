import { afterEach, beforeEach, expect, it } from 'vitest';
import { finish } from '../../http/support.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, type VisitOptions, visit } from './support.ts';
import { answers, ends, field, openTalk, says, send, type Talk, whole } from './talk.ts';

describeInBrowser('a conversation', () => {
  closeBrowserAfterwards();
  let talk: Talk;
  let seen: Visit;
  const open = async (options: VisitOptions = {}) => {
    seen = await visit(talk.url, options);
    await field(seen.page).waitFor();
    await seen.page.locator('[data-phase=ready]').waitFor();
    return seen.page;
  };
  beforeEach(async () => {
    talk = await openTalk();
  });
  afterEach(async () => {
    await seen.end();
    await talk.close();
  });

  it('shows place in line, reading, thought and text as they come, and ends with the server’s figures', async () => {
    const page = await open();
    await send(page, 'Hello');
    const run = await talk.run();
    run.say({ type: 'queued', position: 2, etaMs: 8000 });
    await page.getByText('2 in line · about 8.0 sec').waitFor();
    run.say({ type: 'start', inputTokens: 3647, cachedTokens: 400 });
    run.say({ type: 'prompt-progress', totalTokens: 3647, cachedTokens: 400, processedTokens: 1580, elapsedMs: 4000 });
    await page.getByText('Reading 1,580 of 3,647 tokens · 400 kept from before').waitFor();
    run.say(
      { type: 'block-start', index: 0, kind: 'reasoning' },
      { type: 'block-delta', index: 0, delta: 'Let me see.' },
    );
    await page.getByText('Let me see.').waitFor();
    run.say({ type: 'block-end', index: 0 });
    says(run, 'text', ['All ', '**well**.'], { index: 1 });
    await page.locator('strong', { hasText: 'well' }).waitFor();
    ends(run, finish({ usage: { inputTokens: 3647, cachedTokens: 400, outputTokens: 9, reasoningTokens: 3 } }), 1);
    await whole(page);
    expect(await page.locator('.thought-head').textContent()).toMatch(/^Thought for .+ · 3 tokens$/);
    await page.locator('button.figures').click();
    const rows = await page.locator('.figures-panel dl > div').allInnerTexts();
    expect(rows.map((row) => row.replace('\n', ': '))).toEqual(
      expect.arrayContaining([
        'Prompt tokens: 3,647',
        'of these kept from before: 400',
        'Answer tokens: 9',
        'of these thought: 3',
      ]),
    );
  });

  it.each([
    ['queued', (run: Awaited<ReturnType<Talk['run']>>) => run.say({ type: 'queued', position: 3, etaMs: 9000 })],
    [
      'reading',
      (run: Awaited<ReturnType<Talk['run']>>) =>
        run.say(
          { type: 'start', inputTokens: 900, cachedTokens: 0 },
          { type: 'prompt-progress', totalTokens: 900, cachedTokens: 0, processedTokens: 512, elapsedMs: 90 },
        ),
    ],
    ['thinking', (run: Awaited<ReturnType<Talk['run']>>) => says(run, 'reasoning', ['hm '])],
  ])('stops while %s: one cancel for it, what is there stays, and the next message goes', async (stage, begin) => {
    const page = await open();
    await send(page, 'Go');
    const run = await talk.run();
    begin(run);
    await page.locator(`.run-status[data-kind=${stage}]`).waitFor();
    const stop = page.getByRole('button', { name: 'Stop', exact: true });
    await stop.dblclick();
    await page.getByRole('button', { name: 'Send', exact: true }).waitFor();
    await page.keyboard.press('Escape');
    expect(talk.cancels).toHaveLength(1);
    expect(talk.cancels[0]).toMatchObject({ cancelId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    await send(page, 'Again');
    answers(await talk.run(1), 'Here.');
    await page.getByText('Here.').waitFor();
  });

  it('stops with Escape, and a second one does no harm', async () => {
    const page = await open();
    await send(page, 'Go');
    says(await talk.run(), 'text', ['Once ']);
    await page.getByText('Once').waitFor();
    await page.keyboard.press('Escape');
    await page.getByText(/Stopped by you/).waitFor();
    await page.keyboard.press('Escape');
    expect(talk.cancels).toHaveLength(1);
  });
});

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

  it('says what the next message costs before it is sent, and counts it as it would be sent', async () => {
    const page = await open();
    const counted = page.waitForRequest(/input_tokens$/);
    await field(page).fill('How much?');
    expect((await counted).postDataJSON()).toMatchObject({
      model: 'demo',
      messages: [{ role: 'user', content: 'How much?' }],
    });
    await page.getByText('4 new + 3 kept').waitFor();
    const meter = page.locator('.context-meter');
    expect(await meter.getAttribute('title')).toBe('7 of 2,048 tokens · 4 new + 3 kept · first token ≈ 12 ms');
    await field(page).fill('');
    await page.getByText('4 new + 3 kept').waitFor({ state: 'detached' });
    // What is long is read while it is still being written, and given up when it is sent.
    talk.door.generation.countTokens = async () => ({ inputTokens: 900, cachedTokens: 3, firstTokenMs: 1200 });
    const read = page.waitForRequest(/\/chat\/completions$/);
    await field(page).fill('A long story');
    const ahead = (await read).postDataJSON();
    expect(ahead).toMatchObject({ max_tokens: 0, priority: 1, messages: [{ role: 'user', content: 'A long story' }] });
    const reading = await talk.run(0);
    await field(page).press('Enter');
    answers(await talk.run(1), 'Once.');
    await whole(page);
    await expect.poll(() => reading.stoppedBy).toBeDefined();
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

  it('says whom a message waits for: own chats by their titles, others as such', async () => {
    await talk.close();
    const slots = () =>
      [talk.runs[0]?.request.keys.sessionId, undefined].map((sessionId, id) => ({
        id,
        state: 'decode' as const,
        tokens: 7,
        ...(sessionId !== undefined && { sessionId }),
      }));
    talk = await openTalk({ more: { slots: () => [{ model: 'demo', slots: slots() }] } });
    const page = await open();
    await send(page, 'A long story');
    says(await talk.run(0), 'text', ['Once ']);
    await page.getByText('Once').waitFor();
    await page.locator('.sidebar').getByRole('button', { name: 'New chat' }).click();
    await send(page, 'A short one');
    (await talk.run(1)).say({ type: 'queued', position: 1, etaMs: 2000 });
    await page.getByText('behind “A long story” and another program').waitFor();
  });

  it('ends a thought when one wants the answer now', async () => {
    await talk.close();
    const asked: unknown[] = [];
    const endThought = (which: unknown) => {
      asked.push(which);
      return 'ended' as const;
    };
    talk = await openTalk({ more: { endThought } });
    const status = { active_model: 'demo', loading: [], models: [thinker] };
    const page = await open({
      before: async (page) =>
        void (await page.route('**/api/inference/status', (route) => route.fulfill({ json: status }))),
    });
    const sent = page.waitForRequest(/completions$/);
    await send(page, 'Think');
    expect((await sent).postDataJSON()).toMatchObject({ reasoning_control: true });
    const run = await talk.run();
    says(run, 'reasoning', ['and on ', 'and on ']);
    await page.getByRole('button', { name: 'Answer now' }).click();
    await expect.poll(() => asked).toEqual([{ answerId: expect.stringMatching(/^chatcmpl-/) }]);
    run.say({ type: 'block-end', index: 0 });
    says(run, 'text', ['So be it.'], { index: 1 });
    ends(run, finish(), 1);
    await page.getByText('So be it.').waitFor();
    await whole(page);
    expect(await page.getByRole('button', { name: 'Answer now' }).count()).toBe(0);
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

const thinker = { model: 'demo', display_name: 'demo', supports_reasoning: true, speculative_type: null };

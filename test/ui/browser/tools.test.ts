import axe from 'axe-core';
import type { Page } from 'playwright-core';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { GenerationEvent } from '../../../src/contract/events.ts';
import type { CallDecision, ServerTool, ToolHost } from '../../../src/contract/server-tools.ts';
import { openStore } from '../../chats/support.ts';
import { type FakeRun, finish, until } from '../../http/support.ts';
import { everyPart } from '../../support/route-rows.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, visit } from './support.ts';
import { answers, ends, field, openTalk, says, send, type Talk, whole } from './talk.ts';

const tool = (name: string, readOnly: boolean): ServerTool => ({
  server: 'files',
  name,
  description: `Does ${name}.`,
  parameters: { type: 'object', properties: {} },
  readOnly,
});

describeInBrowser('tools that the server runs', () => {
  closeBrowserAfterwards();
  let talk: Talk;
  let seen: Visit;
  let decisions: [string, CallDecision][] = [];
  let restarted: string[] = [];

  const host: ToolHost = {
    ...everyPart.serverTools.host,
    report: () => [
      { name: 'files', transport: 'stdio', state: 'ready', tools: [tool('look', true), tool('write', false)] },
      { name: 'broken', transport: 'http', state: 'failed', problem: 'broken could not be reached.', tools: [] },
    ],
    restart: async (name) => {
      restarted.push(name);
      return { name, transport: 'http', state: 'failed', tools: [] };
    },
  };
  const approvals = {
    decide: (callId: string, decision: CallDecision) => {
      decisions.push([callId, decision]);
      return true;
    },
  };

  beforeEach(async () => {
    decisions = [];
    restarted = [];
    const chatStore = (await openStore()).store;
    talk = await openTalk({ more: { control: everyPart.control, serverTools: { host, approvals }, chatStore } });
    seen = await visit(talk.url, { reducedMotion: 'reduce' });
    await seen.page.locator('[data-phase=ready]').waitFor();
  });
  afterEach(async () => {
    await seen.end();
    await talk.close();
  });

  const panel = (page: Page) => page.getByRole('dialog', { name: 'Tools', exact: true });
  const openPanel = async (page: Page) => {
    await page.getByRole('button', { name: /^Tools/ }).click();
    await panel(page).getByText('broken could not be reached.').waitFor();
    return panel(page);
  };
  const wishOf = ({ request }: FakeRun) => request.serverTools;
  const begins = (run: FakeRun, id: string, name: string, index = 0): void =>
    void run.say(...(index === 0 ? [{ type: 'start', inputTokens: 10, cachedTokens: 0 } as const] : []), {
      type: 'block-start',
      index,
      kind: 'tool-call',
      id,
      name,
      server: 'files',
    });
  const writes = (run: FakeRun, delta: string, index = 0): void => void run.say({ type: 'block-delta', index, delta });
  const result = (callId: string, content: string, more: object = {}): GenerationEvent => ({
    type: 'tool-result',
    callId,
    content,
    isError: false,
    ms: 1234,
    ...more,
  });

  it('are shown with their servers, and switched on and off for each chat', async () => {
    const { page } = seen;
    const shown = await openPanel(page);
    await isAccessible(page, 'panel');
    await shown.getByRole('button', { name: 'Restart' }).last().click();
    await until('the restart', () => restarted.length > 0);
    expect(restarted).toEqual(['broken']);
    await shown.getByRole('checkbox', { name: /^look/ }).check();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Tools: 1' }).waitFor();
    await send(page, 'First');
    answers(await talk.run(0), 'One.');
    await whole(page);
    expect(wishOf(await talk.run(0))).toMatchObject({ enabled: ['files__look'], confirm: 'writes' });

    // The next chat begins as this one; what it changes is its own.
    await page.getByRole('button', { name: 'New chat' }).first().click();
    await openPanel(page);
    await shown.getByRole('checkbox', { name: 'files' }).check();
    await shown.getByRole('combobox', { name: 'Ask me before' }).selectOption('always');
    await page.keyboard.press('Escape');
    await send(page, 'Second');
    answers(await talk.run(1), 'Two.');
    await whole(page);
    expect(wishOf(await talk.run(1))).toMatchObject({ enabled: ['files__look', 'files__write'], confirm: 'always' });

    // They are kept with the chat: another browser has them too, and what is changed there.
    const other = await visit(talk.url, { reducedMotion: 'reduce' });
    await other.page.locator('.chat-title', { hasText: 'First' }).click();
    await other.page.getByRole('button', { name: 'Tools: 1' }).waitFor();
    const there = await openPanel(other.page);
    await there.getByRole('checkbox', { name: /^look/ }).uncheck();
    await other.page.keyboard.press('Escape');
    await send(other.page, 'Third');
    answers(await talk.run(2), 'Three.');
    await whole(other.page);
    expect(wishOf(await talk.run(2))).toBeUndefined();
    await page.locator('.chat-title', { hasText: 'First' }).click();
    await page.getByText('Three.').waitFor();
    await page.getByRole('button', { name: 'Tools', exact: true }).waitFor();
    await other.end();
  });

  it('are shown at work: arguments as they are written, state, result, time', async () => {
    const { page } = seen;
    await send(page, 'Look');
    const run = await talk.run();
    begins(run, 'c1', 'look');
    writes(run, '{"at":');
    const card = page.locator('.tool-call');
    await card.locator('pre', { hasText: '{"at":' }).waitFor();
    writes(run, '"home"}');
    run.say({ type: 'block-end', index: 0 }, { type: 'tool-state', callId: 'c1', state: 'running' });
    await card.getByText('running …').waitFor();
    expect(await card.locator('pre').first().textContent()).toBe('{\n  "at": "home"\n}');
    run.say(result('c1', '<b>a thing</b>'), { type: 'round', inputTokens: 20, cachedTokens: 15 });
    await card.getByText('<b>a thing</b>').waitFor();
    expect(await card.locator('header').textContent()).toMatch(/look.*files.*1\.2/);
    // The model may count its calls anew.
    begins(run, 'c1', 'look', 1);
    writes(run, '{}', 1);
    run.say({ type: 'block-end', index: 1 }, { type: 'tool-state', callId: 'c1', state: 'running' });
    run.say(result('c1', 'it broke', { isError: true }), { type: 'round', inputTokens: 30, cachedTokens: 25 });
    await card.nth(1).getByText('it broke').waitFor();
    expect(await card.nth(1).locator('.failed').textContent()).toContain('failed');
    says(run, 'text', ['Two looks.'], { index: 2 });
    ends(run, finish(), 2);
    await whole(page);
    await isAccessible(page, 'calls');

    await send(page, 'And then?');
    const { prompt } = (await talk.run(1)).request;
    if (prompt.type !== 'chat') throw new Error('it is a chat');
    expect(prompt.messages.map(({ role, content }) => [role, content])).toEqual([
      ['user', 'Look'],
      ['assistant', ''],
      ['tool', '<b>a thing</b>'],
      ['assistant', ''],
      ['tool', 'it broke'],
      ['assistant', 'Two looks.'],
      ['user', 'And then?'],
    ]);
    answers(await talk.run(1), 'Nothing.');
    await whole(page);
  });

  it('wait for a person: once, always, no', async () => {
    const { page } = seen;
    await send(page, 'Write');
    const run = await talk.run();
    const words = [
      ['Once', { approve: true }],
      ['Always', { approve: true, always: true }],
      ['No', { approve: false }],
    ] as const;
    for (const [index, [word]] of words.entries()) {
      const id = `c${index}`;
      begins(run, id, 'write', index);
      writes(run, '{}', index);
      run.say({ type: 'block-end', index }, { type: 'tool-state', callId: id, state: 'asks' });
      const question = page.locator('.call-question');
      await question.getByText('Let the server run this?').waitFor();
      if (index === 0) await isAccessible(page, 'question');
      await question.getByRole('button', { name: word }).click();
      await until('the word', () => decisions.length > index);
      run.say(result(id, 'so be it', word === 'No' ? { isError: true, denied: true } : {}));
      await question.waitFor({ state: 'detached' });
    }
    const answer = expect.stringMatching(/^chatcmpl-/);
    expect(decisions).toEqual(words.map(([, decision], index) => [`c${index}`, { ...decision, answer }]));
    await page.locator('.tool-call').nth(2).getByText('not allowed').waitFor();
    says(run, 'text', ['Done.'], { index: 3 });
    ends(run, finish(), 3);
    await whole(page);
  });

  it('end when the answer is stopped while they run', async () => {
    const { page } = seen;
    await send(page, 'Look');
    const run = await talk.run();
    begins(run, 'c1', 'look');
    writes(run, '{}');
    run.say({ type: 'block-end', index: 0 }, { type: 'tool-state', callId: 'c1', state: 'running' });
    await page.locator('.tool-call').getByText('running …').waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByText('The call was ended before it gave a result.').waitFor();
    expect(talk.cancels).toHaveLength(1);
    await page.getByText('Stopped by you').waitFor();
    await field(page).waitFor();
  });
});

describeInBrowser('where the server runs no tools', () => {
  closeBrowserAfterwards();

  it('nothing of them is shown or asked for', async () => {
    const talk = await openTalk();
    const { page, requests, end } = await visit(talk.url);
    await page.locator('[data-phase=ready]').waitFor();
    await send(page, 'Hello');
    answers(await talk.run(), 'Hello.');
    await whole(page);
    expect(await page.getByRole('button', { name: /^Tools/ }).count()).toBe(0);
    expect(requests.filter((url) => url.includes('api/mcp'))).toEqual([]);
    await end();
    await talk.close();
  });
});

async function isAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe.source);
  const violations = await page.evaluate(async () => {
    const { axe: checker } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
    };
    return (await checker.run()).violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  expect(violations, what).toEqual([]);
}

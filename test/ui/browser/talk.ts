import type { Page } from 'playwright-core';
import type { FinishEvent, GenerationEvent } from '../../../src/contract/events.ts';
import { type FakeRun, finish, until } from '../../http/support.ts';
import { type ScriptedServer, scriptedServer } from './support.ts';

/** A scripted server whose cancel calls are taken down, and end the run in order. */
export async function openTalk(options: Parameters<typeof scriptedServer>[0] = {}): Promise<Talk> {
  const cancels: unknown[] = [];
  const runs: FakeRun[] = [];
  const cancel = (keys: unknown) => {
    cancels.push(keys);
    for (const run of runs) run.say(...closing(run), cancelled);
    return 1;
  };
  const server = await scriptedServer({ ...options, more: { cancel, ...options.more } });
  server.door.generation.script = (run) => void runs.push(run);
  return { ...server, cancels, runs, run: async (index = 0) => await nth(runs, index) };
}

export interface Talk extends ScriptedServer {
  readonly cancels: readonly unknown[];
  readonly runs: readonly FakeRun[];
  /** The answer that was asked for so many times before, when it comes. */
  run(index?: number): Promise<FakeRun>;
}

const cancelled: FinishEvent = finish({ cancelled: true });
const open = new WeakMap<FakeRun, number>();

async function nth(runs: readonly FakeRun[], index: number): Promise<FakeRun> {
  await until(`request ${index}`, () => runs.length > index, 60_000);
  const run = runs[index];
  if (!run) throw new Error('there is none');
  return run;
}

function closing(run: FakeRun): GenerationEvent[] {
  const index = open.get(run);
  return index === undefined ? [] : [{ type: 'block-end', index }];
}

/** Opens a block and says the pieces; the block stays open. */
export function says(
  run: FakeRun,
  kind: 'text' | 'reasoning',
  pieces: readonly string[],
  { index = 0, begin = true }: { index?: number; begin?: boolean } = {},
): void {
  if (begin) {
    if (index === 0) run.say({ type: 'start', inputTokens: 10, cachedTokens: 4 });
    run.say({ type: 'block-start', index, kind });
    open.set(run, index);
  }
  run.say(...pieces.map((delta): GenerationEvent => ({ type: 'block-delta', index, delta })));
}

export function ends(run: FakeRun, last: FinishEvent = finish(), index = 0): void {
  run.say({ type: 'block-end', index }, last);
}

/** Everything in one go. */
export function answers(run: FakeRun, text: string, last: FinishEvent = finish()): void {
  says(run, 'text', [text]);
  ends(run, last);
}

export const field = (page: Page, name = 'Message') => page.getByRole('textbox', { name, exact: true });

export async function send(page: Page, text: string): Promise<void> {
  await field(page).fill(text);
  await field(page).press('Enter');
}

/** Until the last answer is whole. */
export async function whole(page: Page): Promise<void> {
  await page.locator('.answer .answer-footer[data-last=true]').last().waitFor();
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { GenerationResult } from '../../src/contract/events.ts';
import { requestDefaults } from '../../src/contract/request.ts';
import { createFakeEngine } from '../../src/engine/fake.ts';
import { person } from '../support/callers.ts';
import { collect } from '../support/collect.ts';
import { Random } from '../support/random.ts';
import { expectSame } from '../support/same.ts';
import { conductorOver } from './conductor.ts';

const answer = 'as it is';
const interleavings = 2000;

/** The whole way from the request to the engine, with two slots and the engine's steps under the test's control. */
function conductor() {
  const engine = createFakeEngine({ slots: 2, answer, stepping: 'manual', stepTokens: 8 });
  return { engine, ...conductorOver(engine) };
}

interface Call {
  readonly keys: { readonly cancelId: string; readonly sessionId: string; readonly answerId: string };
  /** Undefined before the request comes. */
  done?: Promise<GenerationResult>;
  over: boolean;
  /** A cancel was meant for it, before or while it ran. */
  meant: boolean;
}

describe('cancels of runs on the engine', () => {
  it(`are never dropped and never hit another run, in ${interleavings} random interleavings`, async () => {
    const house = conductor();
    const phases = { before: 0, during: 0, after: 0 };
    for (let seed = 1; seed <= interleavings; seed++) await interleave(seed, house, phases);
    expect(Math.min(...Object.values(phases)), JSON.stringify(phases)).toBeGreaterThan(interleavings / 10);
    // 3 s on a machine of its own, ten times as long on one that others use too: it turns the event loop 30,000 times.
  }, 180_000);
});

type House = ReturnType<typeof conductor>;
type Phases = Record<'before' | 'during' | 'after', number>;

async function interleave(seed: number, house: House, phases: Phases): Promise<void> {
  const random = new Random(seed);
  const calls = Array.from({ length: 4 }, (_, index): Call => {
    const keys = { cancelId: `c${seed}-${index}`, sessionId: `s${seed}-${index % 2}`, answerId: `a${seed}-${index}` };
    return { keys, over: false, meant: false };
  });
  for (let event = 0; event < 12; event++) {
    const call = random.pick(calls);
    if (random.chance(0.3)) cancelOne(call, house, phases);
    else if (random.chance(0.1)) cancelThread(call, calls, house);
    else if (!call.done) start(call, house);
    else await house.engine.step();
    await nextTurn();
  }
  for (const call of calls) if (!call.done) start(call, house);
  await nextTurn();
  await house.engine.runUntilIdle();
  for (const { done, meant, keys } of calls) {
    const result = await done;
    expectSame(result?.finish.cancelled ?? false, meant, `seed ${seed}, ${keys.cancelId}`);
    if (!meant) expectSame(textOf(result), answer, `seed ${seed}, ${keys.cancelId}`);
  }
  const phasesOfSlots = house.engine.slots().map(({ phase }) => phase);
  expectSame([house.cancels.size, ...phasesOfSlots], [0, 'idle', 'idle'], `what is left after seed ${seed}`);
}

function start(call: Call, { service }: House): void {
  const request = { ...requestDefaults, prompt: { type: 'text' as const, text: 'Say it' }, keys: call.keys };
  call.done = collect(service.generate(request, new AbortController().signal));
  call.done.then(
    () => {
      call.over = true;
    },
    () => undefined,
  );
}

function cancelOne(call: Call, { cancels }: House, phases: Phases): void {
  phases[!call.done ? 'before' : call.over ? 'after' : 'during']++;
  const hits = cancels.cancel({ cancelId: call.keys.cancelId }, person());
  expectSame(hits, call.done && !call.over && !call.meant ? 1 : 0, call.keys.cancelId);
  if (!call.over) call.meant = true;
}

/** Thread-wide keys are never kept: only what runs now is meant. */
function cancelThread({ keys }: Call, calls: readonly Call[], { cancels }: House): void {
  const met = calls.filter((call) => call.keys.sessionId === keys.sessionId && call.done && !call.over && !call.meant);
  expectSame(cancels.cancel({ sessionId: keys.sessionId }, person()), met.length, keys.sessionId);
  for (const call of met) call.meant = true;
}

function textOf(result: GenerationResult | undefined): string {
  return result?.blocks.map((block) => (block.kind === 'text' ? block.text : '')).join('') ?? '';
}

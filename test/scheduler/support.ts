import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Timers } from '../../src/contract/services.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { FakeEngine, FakeEngineOptions } from '../../src/engine/fake.ts';
import { createFakeEngine } from '../../src/engine/fake.ts';
import type { Admission, Lease } from '../../src/scheduler/admission.ts';
import type { Scheduler, SchedulerOptions } from '../../src/scheduler/scheduler.ts';
import { createScheduler } from '../../src/scheduler/scheduler.ts';
import { greedy } from '../engine-contract/subject.ts';

/** A clock that stands still until it is moved, and timers that fire on it. */
export class ManualTime implements Timers {
  #now = 0;
  readonly #timers = new Map<object, { readonly at: number; readonly callback: () => void }>();

  readonly clock = () => this.#now;

  get pending(): number {
    return this.#timers.size;
  }

  after(milliseconds: number, callback: () => void): () => void {
    const handle = {};
    this.#timers.set(handle, { at: this.#now + milliseconds, callback });
    return () => this.#timers.delete(handle);
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds;
    for (const [handle, { at, callback }] of [...this.#timers]) {
      if (at > this.#now) continue;
      this.#timers.delete(handle);
      callback();
    }
  }
}

export interface House {
  readonly engine: FakeEngine;
  readonly scheduler: Scheduler;
  readonly time: ManualTime;
}

type SchedulerChanges = { settings?: Partial<SchedulerOptions['settings']> } & Pick<
  SchedulerOptions,
  'observer' | 'files'
>;

export function house(options: FakeEngineOptions & SchedulerChanges = {}): House {
  return houseWith(engineOf(options), options);
}

export function engineOf(options: FakeEngineOptions): FakeEngine {
  return createFakeEngine({ stepping: 'manual', prefillRate: 1000, decodeRate: 100, ...options });
}

export function houseWith(engine: FakeEngine, { settings, observer, files }: SchedulerChanges): House {
  const time = new ManualTime();
  const scheduler = createScheduler({
    engine,
    clock: time.clock,
    timers: time,
    settings: { maxQueue: 8, queueTimeoutMs: 60_000, prefixCacheBytes: 1_000_000, ...settings },
    ...(observer && { observer }),
    ...(files && { files }),
  });
  return { engine, scheduler, time };
}

export function ask(prompt: readonly number[], more: Partial<Admission> = {}): Admission {
  const scope = more.cachePrompt === false ? undefined : '';
  return { prompt, maxTokens: 4, priority: 3, cachePrompt: true, scope, ...more };
}

/** `length` tokens that begin with others' unless `seed` is the same. */
export function tokens(seed: number, length: number): number[] {
  return Array.from({ length }, (_, index) => (seed * 31 + index * 7) % 250);
}

export const never = new AbortController().signal;

/** What generation does with a lease: run, wait for done, release. */
export async function useLease(
  { engine }: { readonly engine: Engine },
  { prompt, maxTokens }: Admission,
  lease: Lease,
  signal: AbortSignal = never,
  output: number[] = [],
): Promise<{ output: number[]; cachedTokens: number }> {
  try {
    const run = engine.run({
      slot: lease.slot,
      prompt,
      reuse: lease.reuse,
      sampling: greedy,
      maxTokens,
      ignoreEos: true,
      signal,
      onToken: ({ token }) => {
        output.push(token);
        return { type: 'continue' };
      },
    });
    lease.begun();
    await run.done;
    return { output, cachedTokens: run.cachedTokens };
  } finally {
    lease.release();
  }
}

/** Admission, run and release in one. */
export async function serve(
  place: House,
  request: Admission,
  signal: AbortSignal = never,
): Promise<{ output: number[]; cachedTokens: number; slot: number; queueMs: number }> {
  const lease = await place.scheduler.admit(request, signal);
  return { ...(await useLease(place, request, lease, signal)), slot: lease.slot, queueMs: lease.queueMs };
}

/** Steps until the promise settles; a bound instead of a timeout, because a step always ends. */
export async function stepUntil<Value>(engine: FakeEngine, promise: Promise<Value>, label: string): Promise<Value> {
  let settled = false;
  const mark = () => {
    settled = true;
  };
  promise.then(mark, mark);
  for (let step = 0; step < 10_000; step++) {
    await engine.step();
    await nextTurn(); // Files answer only then.
    if (settled) return promise;
  }
  throw new Error(`not settled after 10,000 steps: ${label}`);
}

import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { letterAfter } from '../../src/engine/fake/run.ts';
import type { Admission } from '../../src/scheduler/admission.ts';
import { Random } from '../support/random.ts';
import type { House } from './support.ts';
import { ask, house, tokens, useLease } from './support.ts';

const runs = 10_000;
const seed = 20_260_821;
const maxQueue = 3;

/** Made once: to note where an error was made takes longer than most of what a run does. */
const left = new ServeError('client_closed', 'The client left.');
const failure = new ServeError('engine_failure', 'The engine failed to decode a batch.');

interface Client {
  readonly request: Admission;
  readonly controller: AbortController;
  /** Gives its lease back unused. */
  readonly abandons: boolean;
  readonly output: number[];
  outcomes: (ServeError | 'done')[];
}

/** Beginnings that requests share, so that slots, copies and snapshots are worth something. */
const families = [1, 2, 3].map((family) => tokens(family, 120));

function newRequest(random: Random, served: readonly Client[]): Admission {
  const known = random.chance(0.3) && served.length > 0 ? random.pick(served) : undefined;
  const prompt = known
    ? [...known.request.prompt, ...known.output, ...tokens(random.between(10, 99), random.between(1, 20))]
    : [
        ...random.pick(families).slice(0, random.between(0, 120)),
        ...tokens(random.between(10, 99), random.between(1, 60)),
      ];
  return ask(prompt, {
    maxTokens: random.between(0, 6),
    priority: random.between(1, 5),
    cachePrompt: random.chance(0.9),
    checkpoints: [random.between(60, 120)],
    ...(random.chance(0.5) && { sessionId: `session ${random.between(1, 3)}` }),
    ...(random.chance(0.3) && { userHint: `user ${random.between(1, 2)}` }),
  });
}

/** The first `count` tokens of both are the same, and both have so many. */
function begins(one: readonly number[], other: readonly number[], count: number): boolean {
  for (let at = 0; at < count; at++) if (one[at] === undefined || one[at] !== other[at]) return false;
  return true;
}

async function beServed(place: House, client: Client): Promise<void> {
  try {
    const { request, controller } = client;
    const lease = await place.scheduler.admit(request, controller.signal);
    const held = place.engine.slots()[lease.slot]?.tokens ?? [];
    if (lease.reuse >= request.prompt.length) throw new Error('nothing left to evaluate');
    if (!begins(held, request.prompt, lease.reuse)) throw new Error('the slot does not hold what the lease says');
    if (client.abandons) {
      lease.release();
      throw left;
    }
    await useLease(place, request, lease, controller.signal, client.output);
    client.outcomes.push('done');
  } catch (error) {
    if (!(error instanceof ServeError)) throw error;
    client.outcomes.push(error);
  }
}

/** What the model says when nothing goes wrong. */
function expectedOutput({ prompt, maxTokens }: Admission): number[] {
  const all = [...prompt];
  for (let count = 0; count < maxTokens; count++) all.push(letterAfter(all));
  return all.slice(prompt.length);
}

function checkAlways({ scheduler, engine }: House): void {
  const { slots, queued, preparing, running } = scheduler.stats();
  const busy = engine.slots().filter(({ phase }) => phase !== 'idle').length;
  if (running + preparing > slots || queued > maxQueue || busy > running)
    throw new Error(`slots ${slots}, queued ${queued}, preparing ${preparing}, running ${running}, busy ${busy}`);
}

/** Plain comparisons: a hundred thousand calls of `expect` would take longer than the runs. */
function checkOutcome({ request, controller, abandons, output, outcomes }: Client, failures: number): void {
  const [outcome] = outcomes;
  const expected = expectedOutput(request);
  const wanted = outcome === 'done' ? expected : expected.slice(0, output.length);
  const allowed =
    outcome === 'done' ||
    outcome?.code === 'overloaded' ||
    (outcome?.code === 'client_closed' && (abandons || controller.signal.reason === outcome)) ||
    (outcome?.code === 'engine_failure' && failures > 0);
  const listeners = getEventListeners(controller.signal, 'abort').length;
  const says = output.length === wanted.length && begins(output, wanted, wanted.length);
  if (outcomes.length !== 1 || !allowed || listeners > 0 || !says)
    expect({ outcomes, output, listeners }).toEqual({ outcomes: ['one of the allowed'], output: wanted, listeners: 0 });
}

function checkEmpty({ scheduler, engine, time }: House): void {
  const { queued, preparing, running, snapshots, snapshotBytes } = scheduler.stats();
  const left = { queued, preparing, running, timers: time.pending, strayed: engine.snapshotsKept.size - snapshots };
  const nothing = { queued: 0, preparing: 0, running: 0, timers: 0, strayed: 0 };
  if (Object.values(left).some((count) => count !== 0)) expect(left).toEqual(nothing);
  if (snapshotBytes > 100_000) expect(snapshotBytes).toBeLessThanOrEqual(100_000);
}

/** One random day of the house, until everybody was served, refused or gone. */
async function oneRun(random: Random): Promise<Record<string, number>> {
  const place = house({
    slots: random.between(1, 4),
    stepTokens: random.between(16, 96),
    snapshots: random.pick([true, 'slow', false]),
    settings: { maxQueue, queueTimeoutMs: 30_000, prefixCacheBytes: random.pick([0, 20_000, 100_000]) },
  });
  const clients: Client[] = [];
  const inFlight: Promise<void>[] = [];
  let failures = 0;
  const events = {
    arrive: () => {
      const client: Client = {
        request: newRequest(random, clients),
        controller: new AbortController(),
        abandons: random.chance(0.05),
        output: [],
        outcomes: [],
      };
      clients.push(client);
      inFlight.push(beServed(place, client));
    },
    cancel: () => {
      if (clients.length === 0) return;
      random.pick(clients).controller.abort(left);
    },
    fail: () => {
      failures++;
      place.engine.failNextStep(failure);
    },
    wait: () => place.time.advance(random.between(1, 20_000)),
  };
  for (let count = random.between(4, 12); count > 0; count--) {
    events[random.pick(['arrive', 'arrive', 'arrive', 'arrive', 'cancel', 'fail', 'wait'] as const)]();
    checkAlways(place);
    for (let steps = random.between(0, 3); steps > 0; steps--) await place.engine.step();
  }
  // Every prompt token and every output token takes at most one step, moving state a few more.
  const bound = clients.reduce((sum, { request }) => sum + request.prompt.length + request.maxTokens + 20, 20);
  let steps = 0;
  while (clients.some(({ outcomes }) => outcomes.length === 0)) {
    if (steps++ > bound) throw new Error(`somebody is still waiting after ${bound} steps`);
    await place.engine.step();
  }
  await Promise.all(inFlight);
  for (const client of clients) checkOutcome(client, failures);
  checkEmpty(place);
  const { copied, restored, hit } = place.scheduler.stats().prefixTokens;
  const count = (code: string) =>
    clients.filter(({ outcomes: [outcome] }) => (outcome === 'done' ? 'done' : outcome?.code) === code).length;
  return {
    done: count('done'),
    client_closed: count('client_closed'),
    engine_failure: count('engine_failure'),
    overloaded: count('overloaded'),
    copied,
    restored,
    hit,
  };
}

describe('scheduler under random arrivals, cancels and failures', () => {
  it(`loses nobody, serves nobody twice, leaks no slot and starves nobody (seed ${seed}, ${runs} runs)`, {
    timeout: 60_000,
  }, async () => {
    const totals: Record<string, number> = {};
    for (let run = 0; run < runs; run++) {
      const counts = await oneRun(new Random(seed + run)).catch((error: unknown) => {
        throw new Error(`run with seed ${seed + run}`, { cause: error });
      });
      for (const [name, count] of Object.entries(counts)) totals[name] = (totals[name] ?? 0) + count;
    }
    // The runs really met every fate and every way to a prefix.
    for (const [name, count] of Object.entries(totals)) expect(count, name).toBeGreaterThan(runs / 50);
  });
});

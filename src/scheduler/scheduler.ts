import { createDeferred } from '../contract/deferred.ts';
import { ServeError } from '../contract/errors.ts';
import type { Clock, Timers } from '../contract/services.ts';
import type { Engine } from '../engine/engine.ts';
import type { Admission, Lease, SchedulerObserver } from './admission.ts';
import type { Situation, SlotView } from './choose.ts';
import { choose, inLine, prefillTokens } from './choose.ts';
import { createCostModel } from './cost-model.ts';
import type { Holding, Tenant } from './holding.ts';
import type { PrefixFiles } from './prefix-files.ts';
import { createPrefixStore } from './prefix-store.ts';
import type { PrepareContext } from './prepare.ts';
import { preparePrefix } from './prepare.ts';
import type { QueueEntry } from './queue.ts';
import { AdmissionQueue } from './queue.ts';
import { retryAfterSeconds, type Work } from './retry-after.ts';
import type { SchedulerStats } from './stats.ts';
import { StatsBook } from './stats.ts';
import { waitsMs } from './waits.ts';
import { writePrefixes } from './write-prefixes.ts';

export type { SchedulerObserver } from './admission.ts';

export interface Scheduler {
  /**
   * Resolves when a slot is held for this request and its state is prepared. Rejects with ServeError overloaded (with
   * retryAfterSeconds) or draining, or with the signal's reason; nothing is held then.
   */
  admit(ask: Admission, signal: AbortSignal): Promise<Lease>;
  /** What this request would find if it came now. Takes nothing. */
  foresee(ask: Admission): Foresight;
  /** No new admissions: ServeError draining. Those that wait already are still served. */
  drain(): void;
  stats(): SchedulerStats;
  /** Whose tokens the slot holds, and the conversation of the request that holds it just now. */
  on(slot: number): { readonly owner: string; readonly sessionId: string | undefined } | undefined;
  /** After the last release: writes to disk what a restart should find, if there are files to write to. */
  close(): Promise<void>;
}

interface Foresight {
  /** Prompt tokens that need not be evaluated. */
  readonly cachedTokens: number;
  /** Milliseconds until its prompt would be read, the wait for a slot included. Undefined until that was measured. */
  readonly readMs: number | undefined;
}

export interface SchedulerOptions {
  readonly engine: Engine;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly settings: {
    /** Requests that may wait, all together. */
    readonly maxQueue: number;
    readonly queueTimeoutMs: number;
    /** Bytes for snapshots in memory; 0 keeps none. */
    readonly prefixCacheBytes: number;
  };
  readonly observer?: Partial<SchedulerObserver>;
  /** Prefixes that outlive the process. */
  readonly files?: PrefixFiles;
}

/** Decides who runs when and on which slot. Its only state: the queue, the slots held, and who was on them last. */
export function createScheduler(options: SchedulerOptions): Scheduler {
  return new SlotScheduler(options);
}

class SlotScheduler implements Scheduler {
  readonly #options: SchedulerOptions;
  readonly #observer: Partial<SchedulerObserver>;
  readonly #queue: AdmissionQueue;
  readonly #holdings = new Map<number, Holding>();
  readonly #tenants = new Map<number, Tenant>();
  /** Owner -> the sequence number of its last holding. */
  readonly #served = new Map<string, number>();
  readonly #prepare: PrepareContext;
  readonly #book = new StatsBook();
  #sequence = 0;
  #draining = false;

  constructor(options: SchedulerOptions) {
    const { engine, clock, timers, settings, observer = {}, files } = options;
    this.#options = options;
    this.#observer = observer;
    this.#queue = new AdmissionQueue(timers);
    const costs = createCostModel(() => engine.stats(), clock);
    const access = settings.prefixCacheBytes > 0 ? engine.snapshots : undefined;
    const store = access && createPrefixStore({ access, costs, budget: settings.prefixCacheBytes, observer });
    const shelves = [store, files].filter((shelf) => shelf !== undefined);
    this.#prepare = {
      engine,
      costs,
      store,
      shelves,
      observer,
      holdings: this.#holdings,
      tenants: this.#tenants,
      adopt: (holding, scope) => this.#adopt(holding, scope),
    };
  }

  async admit(ask: Admission, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    if (this.#draining && ask.since === undefined) {
      this.#refuse('draining');
      throw new ServeError('draining', 'The server is shutting down and takes no new requests. Ask another instance.');
    }
    const arrivedAt = this.#options.clock();
    const holding = await this.#slotFor(ask, arrivedAt, signal);
    return this.#lease(holding, arrivedAt, signal);
  }

  foresee(ask: Admission): Foresight {
    const situation = this.#situation();
    // One is always evaluated.
    const cachedTokens = Math.max(
      0,
      Math.min(ask.prompt.length - prefillTokens(ask, situation), ask.prompt.length - 1),
    );
    const mine = { ask, arrivedAt: situation.now };
    const line = inLine([...this.#queue.list(), mine], situation);
    const isFree = line.length === 1 && situation.slots.some(({ free }) => free);
    const waitMs = isFree ? 0 : this.#waitsMs(line)?.[line.indexOf(mine)];
    const { prefillRate } = this.#options.engine.stats();
    const readMs =
      waitMs === undefined || !prefillRate
        ? undefined
        : waitMs + ((ask.prompt.length - cachedTokens) / prefillRate) * 1000;
    return { cachedTokens, readMs };
  }

  drain(): void {
    this.#draining = true;
  }

  stats(): SchedulerStats {
    const holdings = [...this.#holdings.values()];
    const store = this.#prepare.store;
    return this.#book.stats({
      slots: this.#options.engine.info.slots,
      queued: this.#queue.size,
      preparing: holdings.filter(({ preparing }) => preparing).length,
      running: holdings.filter(({ preparing }) => !preparing).length,
      snapshots: store?.list().length ?? 0,
      snapshotBytes: store?.bytes ?? 0,
    });
  }

  on(slot: number): ReturnType<Scheduler['on']> {
    const holding = this.#holdings.get(slot);
    const { ask } = holding ?? this.#tenants.get(slot) ?? {};
    return ask && { owner: ask.owner ?? '', sessionId: holding?.ask.sessionId };
  }

  async close(): Promise<void> {
    this.drain();
    const { files, engine } = this.#options;
    if (!files) return;
    const slots = this.#slotViews().flatMap((view) =>
      view.free && view.scope !== undefined && this.#tenants.get(view.id)?.ask.cachePrompt
        ? [{ ...view, owner: view.owner ?? '', scope: view.scope }]
        : [],
    );
    await writePrefixes({ files, engine, slots, store: this.#prepare.store });
  }

  /** A slot now, or a place in the queue, or a refusal. */
  #slotFor(ask: Admission, arrivedAt: number, signal: AbortSignal): Promise<Holding> {
    const { maxQueue, queueTimeoutMs } = this.#options.settings;
    const isLaterRound = ask.since !== undefined;
    return new Promise((resolve, reject) => {
      const entry: QueueEntry = { ask, arrivedAt: ask.since ?? arrivedAt, signal, take: resolve };
      this.#queue.add(entry, {
        // Ahead of it are only those who came before its answer began.
        timeoutMs: isLaterRound ? undefined : queueTimeoutMs,
        onTimeout: () => {
          reject(this.#outOfTime(entry));
          this.#tellPlaces();
        },
        onAbort: () => {
          reject(signal.reason);
          this.#tellPlaces();
        },
      });
      this.#fillSlots();
      const mayStay = isLaterRound || this.#isFirstOfItsOwner(entry);
      if (!mayStay && this.#queue.size > maxQueue && this.#queue.remove(entry)) reject(this.#full());
      this.#tellPlaces();
    });
  }

  /** A queue that is full of others' requests has one place more for each owner. */
  #isFirstOfItsOwner(entry: QueueEntry): boolean {
    const others = this.#queue.list().filter((other) => other !== entry);
    return others.length > 0 && !others.some((other) => ownerOf(other) === ownerOf(entry));
  }

  /** To those who asked for it and have another place than they were told. */
  #tellPlaces(): void {
    const entries = this.#queue.list();
    if (!entries.some(({ ask }) => ask.onPlace)) return;
    const line = inLine(entries, this.#situation());
    const waits = this.#waitsMs(line);
    for (const [index, entry] of line.entries()) {
      if (!entry.ask.onPlace || entry.position === index + 1) continue;
      entry.position = index + 1;
      entry.ask.onPlace({ position: index + 1, etaMs: waits?.[index] });
    }
  }

  #waitsMs(line: readonly Pick<QueueEntry, 'ask'>[]): readonly number[] | undefined {
    const { engine } = this.#options;
    const waiting = line.map((entry) => this.#workOf(entry));
    return waitsMs({ running: this.#workRunning(), waiting, slots: engine.info.slots }, engine.stats());
  }

  /** Hands free slots to those who wait, until one of both runs out. */
  #fillSlots(): void {
    for (;;) {
      const choice = choose(this.#queue.list(), this.#situation());
      if (!choice) return;
      const { request, slot } = choice;
      this.#queue.remove(request);
      const holding: Holding = {
        slot,
        ask: request.ask,
        sequence: this.#sequence++,
        preparing: true,
        begun: createDeferred(),
      };
      this.#holdings.set(slot, holding);
      this.#served.set(ownerOf(holding), holding.sequence);
      request.take(holding);
    }
  }

  async #lease(holding: Holding, arrivedAt: number, signal: AbortSignal): Promise<Lease> {
    const { slot, ask } = holding;
    try {
      signal.throwIfAborted();
      const { reuse, source } = await preparePrefix(holding, this.#tenants.get(slot), this.#prepare, signal);
      holding.preparing = false;
      const queueMs = this.#options.clock() - arrivedAt;
      const event = { queueMs, promptTokens: ask.prompt.length, reusedTokens: reuse, source };
      this.#book.admitted(event);
      this.#observer.admitted?.(event);
      return { slot, reuse, queueMs, begun: () => this.#begun(holding), release: (how) => this.#release(holding, how) };
    } catch (error) {
      this.#giveBack(holding);
      throw error;
    }
  }

  #release(holding: Holding, { comesBack } = { comesBack: false }): void {
    if (this.#holdings.get(holding.slot) !== holding) return;
    const held = this.#options.engine.slots()[holding.slot]?.tokens.length ?? 0;
    this.#book.released({ outputTokens: Math.max(0, held - holding.ask.prompt.length) });
    const tenant = this.#tenants.get(holding.slot);
    if (tenant && comesBack) tenant.comesBack = true;
    this.#giveBack(holding);
  }

  #adopt(holding: Holding, scope: string | undefined): void {
    this.#tenants.set(holding.slot, { ask: holding.ask, scope, usedAt: this.#options.clock() });
  }

  #begun(holding: Holding): void {
    if (this.#holdings.get(holding.slot) !== holding) return;
    this.#adopt(holding, holding.ask.scope);
    holding.begun.resolve();
  }

  #giveBack(holding: Holding): void {
    this.#holdings.delete(holding.slot);
    const tenant = this.#tenants.get(holding.slot);
    if (tenant) tenant.usedAt = this.#options.clock();
    // A reason of its own: making the default one captures a stack.
    holding.released?.abort('released');
    this.#fillSlots();
    this.#tellPlaces();
  }

  #situation(): Situation {
    return {
      now: this.#options.clock(),
      slots: this.#slotViews(),
      snapshots: this.#prepare.shelves.flatMap((shelf) => shelf.list()),
      canCopy: this.#options.engine.snapshots !== undefined,
      shares: { held: this.#heldByOwner(), served: this.#served },
      expectedOutput: (maxTokens) => this.#book.expectedOutput(maxTokens),
    };
  }

  #heldByOwner(): ReadonlyMap<string, number> {
    const held = new Map<string, number>();
    for (const holding of this.#holdings.values()) held.set(ownerOf(holding), (held.get(ownerOf(holding)) ?? 0) + 1);
    return held;
  }

  #slotViews(): SlotView[] {
    return this.#options.engine.slots().map(({ id, tokens }) => {
      const tenant = this.#tenants.get(id);
      return {
        id,
        tokens,
        scope: tenant?.scope,
        free: !this.#holdings.has(id),
        owner: tenant?.ask.owner,
        sessionId: tenant?.ask.sessionId,
        userHint: tenant?.ask.userHint,
        usedAt: tenant?.usedAt ?? 0,
        comesBack: tenant?.comesBack,
      };
    });
  }

  #full(): ServeError {
    this.#refuse('full');
    const seconds = this.#retryAfter(this.#queue.list());
    return new ServeError(
      'overloaded',
      `${this.#queue.size} requests wait already, the limit (--max-queue). Try again in ${seconds} s.`,
      { retryAfterSeconds: seconds },
    );
  }

  #outOfTime(entry: QueueEntry): ServeError {
    const waiting = this.#queue.list();
    const ahead = waiting.slice(0, waiting.indexOf(entry));
    this.#queue.remove(entry);
    this.#refuse('timeout');
    const seconds = this.#retryAfter(ahead);
    const waited = Math.round(this.#options.settings.queueTimeoutMs / 1000);
    return new ServeError(
      'overloaded',
      `No slot became free within ${waited} s, the limit (--queue-timeout). Try again in ${seconds} s.`,
      { retryAfterSeconds: seconds },
    );
  }

  #refuse(cause: 'full' | 'timeout' | 'draining'): void {
    this.#book.refused(cause);
    this.#observer.refused?.(cause);
  }

  /** Until those who run and those who wait ahead are done. */
  #retryAfter(ahead: readonly QueueEntry[]): number {
    const waiting = ahead.map((entry) => this.#workOf(entry));
    return retryAfterSeconds([...this.#workRunning(), ...waiting], this.#options.engine.stats());
  }

  /** What those who hold a slot have left to do. */
  #workRunning(): Work[] {
    const slots = this.#options.engine.slots();
    return [...this.#holdings.values()].map(({ slot, ask }) => {
      const held = slots[slot]?.phase === 'idle' ? 0 : (slots[slot]?.tokens.length ?? 0);
      const produced = Math.max(0, held - ask.prompt.length);
      return {
        prefillTokens: Math.max(0, ask.prompt.length - held),
        decodeTokens: Math.max(1, this.#book.expectedOutput(ask.maxTokens) - produced),
      };
    });
  }

  #workOf({ ask }: Pick<QueueEntry, 'ask'>): Work {
    return { prefillTokens: ask.prompt.length, decodeTokens: this.#book.expectedOutput(ask.maxTokens) };
  }
}

function ownerOf({ ask }: Pick<QueueEntry, 'ask'>): string {
  return ask.owner ?? '';
}

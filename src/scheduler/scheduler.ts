import { createDeferred } from '../contract/deferred.ts';
import { ServeError } from '../contract/errors.ts';
import type { Clock, Timers } from '../contract/services.ts';
import type { Engine } from '../engine/engine.ts';
import type { Admission, Lease, SchedulerObserver } from './admission.ts';
import type { PrefixContext } from './bring-prefix.ts';
import { bringPrefix } from './bring-prefix.ts';
import type { Situation, SlotView } from './choose.ts';
import { choose, inLine, prefillTokens } from './choose.ts';
import { createCostModel } from './cost-model.ts';
import type { PrefixFiles } from './prefix-files.ts';
import { createPrefixStore } from './prefix-store.ts';
import type { QueueEntry } from './queue.ts';
import { AdmissionQueue } from './queue.ts';
import type { SchedulerStats } from './stats.ts';
import { StatsBook } from './stats.ts';
import type { Stay } from './stay.ts';
import { retryAfterSeconds, type Work, waitsMs } from './waits.ts';
import { writePrefixes } from './write-prefixes.ts';

export type { SchedulerObserver } from './admission.ts';

export interface Scheduler {
  /**
   * Resolves when a slot is held for this request and its state is prepared. Rejects with ServeError overloaded (with
   * retryAfterSeconds) or draining, or with the signal's reason; nothing is held then.
   */
  admit(admission: Admission, signal: AbortSignal): Promise<Lease>;
  /** What this request would find if it came now. Takes nothing. */
  foresee(admission: Admission): Foresight;
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

/** Decides who runs when and on which slot. Its only state: the queue, and who stays, or stayed last, on each slot. */
export function createScheduler(options: SchedulerOptions): Scheduler {
  return new SlotScheduler(options);
}

class SlotScheduler implements Scheduler {
  readonly #options: SchedulerOptions;
  readonly #observer: Partial<SchedulerObserver>;
  readonly #queue: AdmissionQueue;
  /** By the slots that they hold now. */
  readonly #stays = new Map<number, Stay>();
  /** By the slots whose tokens are theirs. */
  readonly #tokensOf = new Map<number, Stay>();
  /** Owner -> the sequence number of its last stay. */
  readonly #served = new Map<string, number>();
  readonly #prefixes: PrefixContext;
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
    this.#prefixes = {
      engine,
      costs,
      store,
      shelves,
      observer,
      stays: this.#stays,
      tokensOf: this.#tokensOf,
      adopt: (stay, scope) => this.#adopt(stay, scope),
    };
  }

  async admit(admission: Admission, signal: AbortSignal): Promise<Lease> {
    signal.throwIfAborted();
    if (this.#draining && admission.since === undefined) {
      this.#refuse('draining');
      throw new ServeError('draining', 'The server is shutting down and takes no new requests. Ask another instance.');
    }
    const arrivedAt = this.#options.clock();
    const stay = await this.#slotFor(admission, arrivedAt, signal);
    return this.#lease(stay, arrivedAt, signal);
  }

  foresee(admission: Admission): Foresight {
    const situation = this.#situation();
    // One is always evaluated.
    const cachedTokens = Math.max(
      0,
      Math.min(admission.prompt.length - prefillTokens(admission, situation), admission.prompt.length - 1),
    );
    const mine = { admission, arrivedAt: situation.now };
    const line = inLine([...this.#queue.list(), mine], situation);
    const isFree = line.length === 1 && situation.slots.some(({ free }) => free);
    const waitMs = isFree ? 0 : this.#waitsMs(line)?.[line.indexOf(mine)];
    const { prefillRate } = this.#options.engine.stats();
    const readMs =
      waitMs === undefined || !prefillRate
        ? undefined
        : waitMs + ((admission.prompt.length - cachedTokens) / prefillRate) * 1000;
    return { cachedTokens, readMs };
  }

  drain(): void {
    this.#draining = true;
  }

  stats(): SchedulerStats {
    const stays = [...this.#stays.values()];
    const store = this.#prefixes.store;
    return this.#book.stats({
      slots: this.#options.engine.info.slots,
      queued: this.#queue.size,
      preparing: stays.filter(({ preparing }) => preparing).length,
      running: stays.filter(({ preparing }) => !preparing).length,
      snapshots: store?.list().length ?? 0,
      snapshotBytes: store?.bytes ?? 0,
    });
  }

  on(slot: number): ReturnType<Scheduler['on']> {
    const stay = this.#stays.get(slot);
    const { admission } = stay ?? this.#tokensOf.get(slot) ?? {};
    return admission && { owner: admission.owner ?? '', sessionId: stay?.admission.sessionId };
  }

  async close(): Promise<void> {
    this.drain();
    const { files, engine } = this.#options;
    if (!files) return;
    const slots = this.#slotViews().flatMap((view) =>
      view.free && view.scope !== undefined && this.#tokensOf.get(view.id)?.admission.cachePrompt
        ? [{ ...view, owner: view.owner ?? '', scope: view.scope }]
        : [],
    );
    await writePrefixes({ files, engine, slots, store: this.#prefixes.store });
  }

  /** A slot now, or a place in the queue, or a refusal. */
  #slotFor(admission: Admission, arrivedAt: number, signal: AbortSignal): Promise<Stay> {
    const { maxQueue, queueTimeoutMs } = this.#options.settings;
    const isLaterRound = admission.since !== undefined;
    return new Promise((resolve, reject) => {
      const entry: QueueEntry = { admission, arrivedAt: admission.since ?? arrivedAt, signal, take: resolve };
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
    if (!entries.some(({ admission }) => admission.onPlace)) return;
    const line = inLine(entries, this.#situation());
    const waits = this.#waitsMs(line);
    for (const [index, entry] of line.entries()) {
      if (!entry.admission.onPlace || entry.position === index + 1) continue;
      entry.position = index + 1;
      entry.admission.onPlace({ position: index + 1, etaMs: waits?.[index] });
    }
  }

  #waitsMs(line: readonly Pick<QueueEntry, 'admission'>[]): readonly number[] | undefined {
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
      const stay: Stay = {
        slot,
        admission: request.admission,
        sequence: this.#sequence++,
        preparing: true,
        begun: createDeferred(),
        scope: undefined,
        usedAt: 0,
      };
      this.#stays.set(slot, stay);
      this.#served.set(ownerOf(stay), stay.sequence);
      request.take(stay);
    }
  }

  async #lease(stay: Stay, arrivedAt: number, signal: AbortSignal): Promise<Lease> {
    const { slot, admission } = stay;
    try {
      signal.throwIfAborted();
      const { reuse, source } = await bringPrefix(stay, this.#tokensOf.get(slot), this.#prefixes, signal);
      stay.preparing = false;
      const queueMs = this.#options.clock() - arrivedAt;
      const event = { queueMs, promptTokens: admission.prompt.length, reusedTokens: reuse, source };
      this.#book.admitted(event);
      this.#observer.admitted?.(event);
      return { slot, reuse, queueMs, begun: () => this.#begun(stay), release: (how) => this.#release(stay, how) };
    } catch (error) {
      this.#giveBack(stay);
      throw error;
    }
  }

  #release(stay: Stay, { comesBack } = { comesBack: false }): void {
    if (this.#stays.get(stay.slot) !== stay) return;
    const held = this.#options.engine.slots()[stay.slot]?.tokens.length ?? 0;
    this.#book.released({ outputTokens: Math.max(0, held - stay.admission.prompt.length) });
    const last = this.#tokensOf.get(stay.slot);
    if (last && comesBack) last.comesBack = true;
    this.#giveBack(stay);
  }

  #adopt(stay: Stay, scope: string | undefined): void {
    stay.scope = scope;
    stay.usedAt = this.#options.clock();
    this.#tokensOf.set(stay.slot, stay);
  }

  #begun(stay: Stay): void {
    if (this.#stays.get(stay.slot) !== stay) return;
    this.#adopt(stay, stay.admission.scope);
    stay.begun.resolve();
  }

  #giveBack(stay: Stay): void {
    this.#stays.delete(stay.slot);
    const last = this.#tokensOf.get(stay.slot);
    if (last) last.usedAt = this.#options.clock();
    // A reason of its own: making the default one captures a stack.
    stay.released?.abort('released');
    this.#fillSlots();
    this.#tellPlaces();
  }

  #situation(): Situation {
    return {
      now: this.#options.clock(),
      slots: this.#slotViews(),
      snapshots: this.#prefixes.shelves.flatMap((shelf) => shelf.list()),
      canCopy: this.#options.engine.snapshots !== undefined,
      shares: { held: this.#heldByOwner(), served: this.#served },
      expectedOutput: (maxTokens) => this.#book.expectedOutput(maxTokens),
    };
  }

  #heldByOwner(): ReadonlyMap<string, number> {
    const held = new Map<string, number>();
    for (const stay of this.#stays.values()) held.set(ownerOf(stay), (held.get(ownerOf(stay)) ?? 0) + 1);
    return held;
  }

  #slotViews(): SlotView[] {
    return this.#options.engine.slots().map(({ id, tokens }) => {
      const last = this.#tokensOf.get(id);
      return {
        id,
        tokens,
        scope: last?.scope,
        free: !this.#stays.has(id),
        owner: last?.admission.owner,
        sessionId: last?.admission.sessionId,
        userHint: last?.admission.userHint,
        usedAt: last?.usedAt ?? 0,
        comesBack: last?.comesBack,
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
    return [...this.#stays.values()].map(({ slot, admission }) => {
      const held = slots[slot]?.phase === 'idle' ? 0 : (slots[slot]?.tokens.length ?? 0);
      const produced = Math.max(0, held - admission.prompt.length);
      return {
        prefillTokens: Math.max(0, admission.prompt.length - held),
        decodeTokens: Math.max(1, this.#book.expectedOutput(admission.maxTokens) - produced),
      };
    });
  }

  #workOf({ admission }: Pick<QueueEntry, 'admission'>): Work {
    return { prefillTokens: admission.prompt.length, decodeTokens: this.#book.expectedOutput(admission.maxTokens) };
  }
}

function ownerOf({ admission }: Pick<QueueEntry, 'admission'>): string {
  return admission.owner ?? '';
}

import { untilAborted } from '../contract/signals.ts';
import type { Engine } from '../engine/engine.ts';
import type { Admission, PrefixSource, SchedulerObserver } from './admission.ts';
import type { CostModel } from './cost-model.ts';
import type { PrefixShelf, PrefixStore, StoredPrefix } from './prefix-store.ts';
import type { PrefixWay, Source } from './prefix-ways.ts';
import { cheapestWay } from './prefix-ways.ts';
import { type Scoped, sharedWithin } from './scope.ts';
import type { Stay } from './stay.ts';

export interface PrefixContext {
  readonly engine: Engine;
  readonly costs: CostModel;
  /** Undefined where the engine cannot move state, or no memory is given for it. */
  readonly store: PrefixStore | undefined;
  /** All places that prefixes can be loaded from, the store included. */
  readonly shelves: readonly PrefixShelf[];
  readonly observer: Partial<SchedulerObserver>;
  /** By the slots that are held now, this one included. */
  readonly stays: ReadonlyMap<number, Stay>;
  /** Whose the tokens of each slot are. */
  readonly tokensOf: ReadonlyMap<number, Stay>;
  /** Whose the slot's tokens are from now on. */
  adopt(stay: Stay, scope: string | undefined): void;
}

export interface BroughtPrefix {
  readonly reuse: number;
  readonly source: PrefixSource;
}

/** Shorter states are not worth keeping when their slot is taken over. */
const minimumKept = 64;

/**
 * Brings as much of the prompt's state into the slot as is worth its price, waiting for a neighbour that is evaluating
 * it right now. Failing transfers mean less reuse, never a failed request. Throws only the signal's reason; when it
 * settles, no operation on the slot is in flight.
 */
export async function bringPrefix(
  stay: Stay,
  before: Stay | undefined,
  context: PrefixContext,
  signal: AbortSignal,
): Promise<BroughtPrefix> {
  if (stay.admission.cachePrompt) context.store?.want(stay.admission.prompt, stay.admission.scope);
  await keepForLater(stay, before, context);
  signal.throwIfAborted();
  if (!stay.admission.cachePrompt) return { reuse: 0, source: 'none' };
  const held = reusable(stay, context);
  const brought = await bring(stay, context, signal);
  signal.throwIfAborted();
  const reuse = reusable(stay, context);
  return { reuse, source: reuse === 0 ? 'none' : reuse > held ? brought : 'slot' };
}

/** Ways that did not work out, so that none is tried twice. */
interface Tried {
  /** Neighbours that ended before they held what they promised. */
  readonly broken: Set<number>;
  readonly refused: Set<number | StoredPrefix>;
}

async function bring(stay: Stay, context: PrefixContext, signal: AbortSignal): Promise<PrefixSource> {
  const tried: Tried = { broken: new Set(), refused: new Set() };
  for (;;) {
    const way = wayFor(stay, context, tried);
    switch (way.type) {
      case 'keep':
        return 'slot';
      case 'wait':
        if (!(await waitFor(way, context, signal))) tried.broken.add(way.slot);
        else if (await copy(way.slot, stay, way.tokens, context)) return 'copy';
        else tried.refused.add(way.slot);
        break;
      case 'copy':
        if (await copy(way.slot, stay, way.tokens, context)) return 'copy';
        tried.refused.add(way.slot);
        break;
      case 'load':
        if (await load(way.snapshot, stay, context)) return 'snapshot';
        tried.refused.add(way.snapshot);
        break;
      default:
        way satisfies never;
    }
    signal.throwIfAborted();
  }
}

function wayFor(stay: Stay, context: PrefixContext, tried: Tried): PrefixWay<StoredPrefix> {
  return cheapestWay<StoredPrefix>({
    promptLength: stay.admission.prompt.length,
    have: reusable(stay, context),
    sources: sourcesFor(stay, context, tried),
    tokenMs: context.costs.tokenMs(),
    transferMs: context.costs.transferMs,
    estimateBytes: (tokens) => context.engine.snapshots?.estimateBytes(tokens) ?? 0,
  });
}

/** Prompt tokens that the slot really holds for this request. */
function reusable({ slot, admission }: Stay, context: PrefixContext): number {
  return reusableFrom(contentOf(slot, context), admission);
}

/** Prompt tokens that are found there for this request; one is always left to evaluate. */
function reusableFrom(there: Scoped, { scope, prompt }: Admission): number {
  return Math.min(sharedWithin(scope, prompt, there), prompt.length - 1);
}

function contentOf(slot: number, { engine, tokensOf }: PrefixContext): Scoped {
  return { tokens: engine.slots()[slot]?.tokens ?? [], scope: tokensOf.get(slot)?.scope };
}

function sourcesFor(stay: Stay, context: PrefixContext, { broken, refused }: Tried): Source<StoredPrefix>[] {
  const { engine, shelves, stays } = context;
  if (!engine.snapshots) return [];
  const shared = (there: Scoped) => reusableFrom(there, stay.admission);
  const promiseOf = (other: Stay | undefined) =>
    other && other.sequence < stay.sequence && other.admission.cachePrompt && !broken.has(other.slot)
      ? shared({ tokens: other.admission.prompt, scope: other.admission.scope })
      : 0;
  const neighbours = engine
    .slots()
    .filter(({ id }) => id !== stay.slot && !refused.has(id))
    .map(({ id }): Source<StoredPrefix> => {
      const held = shared(contentOf(id, context));
      return { type: 'slot', slot: id, held, promised: Math.max(held, promiseOf(stays.get(id))) };
    });
  const stored = shelves
    .flatMap((shelf) => shelf.list())
    .filter((prefix) => !refused.has(prefix))
    .map((prefix): Source<StoredPrefix> => {
      return { type: 'snapshot', snapshot: prefix, shared: shared(prefix), bytes: prefix.bytes };
    });
  return [...neighbours, ...stored];
}

async function waitFor(
  { slot, tokens }: Extract<PrefixWay<StoredPrefix>, { type: 'wait' }>,
  { engine, stays }: PrefixContext,
  signal: AbortSignal,
): Promise<boolean> {
  const neighbour = stays.get(slot);
  if (!neighbour) return false;
  neighbour.released ??= new AbortController();
  const gone = AbortSignal.any([signal, neighbour.released.signal]);
  try {
    // Until then the slot may hold what is another scope's, which may look like this.
    await untilAborted(neighbour.begun.promise, gone);
    return await engine.whenHeld(slot, tokens, gone);
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function load(prefix: StoredPrefix, stay: Stay, context: PrefixContext): Promise<boolean> {
  return replaced(stay, context, async () => {
    for (const shelf of context.shelves) if (await shelf.load(stay.slot, prefix)) return true;
    return false;
  });
}

/** Of a slot whose state could not be replaced nobody knows what it holds. */
async function replaced(stay: Stay, context: PrefixContext, move: () => Promise<boolean>): Promise<boolean> {
  context.adopt(stay, undefined);
  const done = await move();
  if (done) context.adopt(stay, stay.admission.scope);
  return done;
}

async function copy(from: number, stay: Stay, tokens: number, context: PrefixContext): Promise<boolean> {
  const { engine, costs, observer, tokensOf } = context;
  const { snapshots } = engine;
  if (!snapshots) return false;
  const source = tokensOf.get(from);
  return replaced(stay, context, async () => {
    try {
      const done = await costs.measured(snapshots.estimateBytes(tokens), () => snapshots.copy(from, stay.slot, tokens));
      // Where the other slot changed hands meanwhile, nobody knows whose tokens came.
      return done && tokensOf.get(from) === source;
    } catch (error) {
      observer.transferFailed?.('copy', error);
      return false;
    }
  });
}

/** The slot changes hands: what the request before would miss goes into the store, unless another slot has it too. */
async function keepForLater(stay: Stay, before: Stay | undefined, context: PrefixContext): Promise<void> {
  const { engine, store } = context;
  const tokens = engine.slots()[stay.slot]?.tokens ?? [];
  const scope = before?.scope;
  if (!store || scope === undefined || !before?.admission.cachePrompt || tokens.length < minimumKept) return;
  const remains = stay.admission.cachePrompt
    ? sharedWithin(stay.admission.scope, stay.admission.prompt, { tokens, scope })
    : 0;
  const goesOn = remains >= (before.admission.checkpoints?.at(-1) ?? before.admission.prompt.length);
  // Or it lost but its last turn: evaluating that again is cheaper than a copy of everything.
  if (goesOn || tokens.length - remains < Math.max(minimumKept, tokens.length / 4)) return;
  const heldElsewhere = engine
    .slots()
    .some(({ id }) => id !== stay.slot && sharedWithin(scope, tokens, contentOf(id, context)) === tokens.length);
  if (!heldElsewhere) await store.keep(stay.slot, tokens.slice(), { owner: before.admission.owner ?? '', scope });
}

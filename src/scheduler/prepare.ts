import { untilAborted } from '../contract/signals.ts';
import type { Engine } from '../engine/engine.ts';
import type { Admission, PrefixSource, SchedulerObserver } from './admission.ts';
import type { CostModel } from './cost-model.ts';
import type { Holding, Tenant } from './holding.ts';
import type { PrefixPlan, Source } from './plan-prefix.ts';
import { planPrefix } from './plan-prefix.ts';
import type { PrefixShelf, PrefixStore, StoredPrefix } from './prefix-store.ts';
import { type Scoped, sharedWithin } from './scope.ts';

export interface PrepareContext {
  readonly engine: Engine;
  readonly costs: CostModel;
  /** Undefined where the engine cannot move state, or no memory is given for it. */
  readonly store: PrefixStore | undefined;
  /** All places that prefixes can be loaded from, the store included. */
  readonly shelves: readonly PrefixShelf[];
  readonly observer: Partial<SchedulerObserver>;
  /** All slots that are held now, this one included. */
  readonly holdings: ReadonlyMap<number, Holding>;
  readonly tenants: ReadonlyMap<number, Tenant>;
  /** Whose the slot's tokens are from now on. */
  adopt(holding: Holding, scope: string | undefined): void;
}

export interface Prepared {
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
export async function preparePrefix(
  holding: Holding,
  lastTenant: Tenant | undefined,
  context: PrepareContext,
  signal: AbortSignal,
): Promise<Prepared> {
  if (holding.ask.cachePrompt) context.store?.want(holding.ask.prompt, holding.ask.scope);
  await keepForLater(holding, lastTenant, context);
  signal.throwIfAborted();
  if (!holding.ask.cachePrompt) return { reuse: 0, source: 'none' };
  const before = reusable(holding, context);
  const brought = await bringPrefix(holding, context, signal);
  signal.throwIfAborted();
  const reuse = reusable(holding, context);
  return { reuse, source: reuse === 0 ? 'none' : reuse > before ? brought : 'slot' };
}

/** Ways that did not work out, so that none is tried twice. */
interface Tried {
  /** Neighbours that ended before they held what they promised. */
  readonly broken: Set<number>;
  readonly refused: Set<number | StoredPrefix>;
}

async function bringPrefix(holding: Holding, context: PrepareContext, signal: AbortSignal): Promise<PrefixSource> {
  const tried: Tried = { broken: new Set(), refused: new Set() };
  for (;;) {
    const plan = planFor(holding, context, tried);
    switch (plan.type) {
      case 'keep':
        return 'slot';
      case 'wait':
        if (!(await waitFor(plan, context, signal))) tried.broken.add(plan.slot);
        else if (await copy(plan.slot, holding, plan.tokens, context)) return 'copy';
        else tried.refused.add(plan.slot);
        break;
      case 'copy':
        if (await copy(plan.slot, holding, plan.tokens, context)) return 'copy';
        tried.refused.add(plan.slot);
        break;
      case 'load':
        if (await load(plan.snapshot, holding, context)) return 'snapshot';
        tried.refused.add(plan.snapshot);
        break;
      default:
        plan satisfies never;
    }
    signal.throwIfAborted();
  }
}

function planFor(holding: Holding, context: PrepareContext, tried: Tried): PrefixPlan<StoredPrefix> {
  return planPrefix<StoredPrefix>({
    promptLength: holding.ask.prompt.length,
    have: reusable(holding, context),
    sources: sourcesFor(holding, context, tried),
    tokenMs: context.costs.tokenMs(),
    transferMs: context.costs.transferMs,
    estimateBytes: (tokens) => context.engine.snapshots?.estimateBytes(tokens) ?? 0,
  });
}

/** Prompt tokens that the slot really holds for this request. */
function reusable({ slot, ask }: Holding, context: PrepareContext): number {
  return reusableFrom(contentOf(slot, context), ask);
}

/** Prompt tokens that are found there for this request; one is always left to evaluate. */
function reusableFrom(there: Scoped, { scope, prompt }: Admission): number {
  return Math.min(sharedWithin(scope, prompt, there), prompt.length - 1);
}

function contentOf(slot: number, { engine, tenants }: PrepareContext): Scoped {
  return { tokens: engine.slots()[slot]?.tokens ?? [], scope: tenants.get(slot)?.scope };
}

function sourcesFor(holding: Holding, context: PrepareContext, { broken, refused }: Tried): Source<StoredPrefix>[] {
  const { engine, shelves, holdings } = context;
  if (!engine.snapshots) return [];
  const shared = (there: Scoped) => reusableFrom(there, holding.ask);
  const promiseOf = (other: Holding | undefined) =>
    other && other.sequence < holding.sequence && other.ask.cachePrompt && !broken.has(other.slot)
      ? shared({ tokens: other.ask.prompt, scope: other.ask.scope })
      : 0;
  const neighbours = engine
    .slots()
    .filter(({ id }) => id !== holding.slot && !refused.has(id))
    .map(({ id }): Source<StoredPrefix> => {
      const held = shared(contentOf(id, context));
      return { type: 'slot', slot: id, held, promised: Math.max(held, promiseOf(holdings.get(id))) };
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
  { slot, tokens }: Extract<PrefixPlan<StoredPrefix>, { type: 'wait' }>,
  { engine, holdings }: PrepareContext,
  signal: AbortSignal,
): Promise<boolean> {
  const neighbour = holdings.get(slot);
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

async function load(prefix: StoredPrefix, holding: Holding, context: PrepareContext): Promise<boolean> {
  return replaced(holding, context, async () => {
    for (const shelf of context.shelves) if (await shelf.load(holding.slot, prefix)) return true;
    return false;
  });
}

/** Of a slot whose state could not be replaced nobody knows what it holds. */
async function replaced(holding: Holding, context: PrepareContext, move: () => Promise<boolean>): Promise<boolean> {
  context.adopt(holding, undefined);
  const done = await move();
  if (done) context.adopt(holding, holding.ask.scope);
  return done;
}

async function copy(from: number, holding: Holding, tokens: number, context: PrepareContext): Promise<boolean> {
  const { engine, costs, observer, tenants } = context;
  const { snapshots } = engine;
  if (!snapshots) return false;
  const source = tenants.get(from)?.ask;
  return replaced(holding, context, async () => {
    try {
      const done = await costs.measured(snapshots.estimateBytes(tokens), () =>
        snapshots.copy(from, holding.slot, tokens),
      );
      // Where the other slot changed hands meanwhile, nobody knows whose tokens came.
      return done && tenants.get(from)?.ask === source;
    } catch (error) {
      observer.transferFailed?.('copy', error);
      return false;
    }
  });
}

/** The slot changes hands: what its last tenant would miss goes into the store, unless another slot has it too. */
async function keepForLater(holding: Holding, lastTenant: Tenant | undefined, context: PrepareContext): Promise<void> {
  const { engine, store } = context;
  const tokens = engine.slots()[holding.slot]?.tokens ?? [];
  const scope = lastTenant?.scope;
  if (!store || scope === undefined || !lastTenant?.ask.cachePrompt || tokens.length < minimumKept) return;
  const remains = holding.ask.cachePrompt ? sharedWithin(holding.ask.scope, holding.ask.prompt, { tokens, scope }) : 0;
  const goesOn = remains >= (lastTenant.ask.checkpoints?.at(-1) ?? lastTenant.ask.prompt.length);
  // Or it lost but its last turn: evaluating that again is cheaper than a copy of everything.
  if (goesOn || tokens.length - remains < Math.max(minimumKept, tokens.length / 4)) return;
  const heldElsewhere = engine
    .slots()
    .some(({ id }) => id !== holding.slot && sharedWithin(scope, tokens, contentOf(id, context)) === tokens.length);
  if (!heldElsewhere) await store.keep(holding.slot, tokens.slice(), { owner: lastTenant.ask.owner ?? '', scope });
}

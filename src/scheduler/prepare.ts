import { commonPrefix } from '../engine/common-prefix.ts';
import type { Engine } from '../engine/engine.ts';
import type { PrefixSource, SchedulerObserver } from './admission.ts';
import type { CostModel } from './cost-model.ts';
import type { Holding, Tenant } from './holding.ts';
import type { PrefixPlan, Source } from './plan-prefix.ts';
import { planPrefix } from './plan-prefix.ts';
import type { PrefixShelf, PrefixStore, StoredPrefix } from './prefix-store.ts';

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
  if (holding.ask.cachePrompt) context.store?.want(holding.ask.prompt);
  await keepForLater(holding, lastTenant, context);
  signal.throwIfAborted();
  if (!holding.ask.cachePrompt) return { reuse: 0, source: 'none' };
  const before = reusable(holding, context.engine);
  const brought = await bringPrefix(holding, context, signal);
  signal.throwIfAborted();
  const reuse = reusable(holding, context.engine);
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
        if (!(await waitFor(plan.slot, plan.tokens, context, signal))) tried.broken.add(plan.slot);
        else if (await copy(plan.slot, holding.slot, plan.tokens, context)) return 'copy';
        else tried.refused.add(plan.slot);
        break;
      case 'copy':
        if (await copy(plan.slot, holding.slot, plan.tokens, context)) return 'copy';
        tried.refused.add(plan.slot);
        break;
      case 'load':
        if (await load(plan.snapshot, holding.slot, context)) return 'snapshot';
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
    have: reusable(holding, context.engine),
    sources: sourcesFor(holding, context, tried),
    tokenMs: context.costs.tokenMs(),
    transferMs: context.costs.transferMs,
    estimateBytes: (tokens) => context.engine.snapshots?.estimateBytes(tokens) ?? 0,
  });
}

/** Prompt tokens that the slot really holds; one is always left to evaluate. */
function reusable({ slot, ask }: Holding, engine: Engine): number {
  return Math.min(commonPrefix(engine.slots()[slot]?.tokens ?? [], ask.prompt), ask.prompt.length - 1);
}

function sourcesFor(
  holding: Holding,
  { engine, shelves, holdings }: PrepareContext,
  { broken, refused }: Tried,
): Source<StoredPrefix>[] {
  if (!engine.snapshots) return [];
  const { prompt } = holding.ask;
  const shared = (tokens: readonly number[]) => Math.min(prompt.length - 1, commonPrefix(tokens, prompt));
  const promiseOf = (other: Holding | undefined) =>
    other && other.sequence < holding.sequence && other.ask.cachePrompt && !broken.has(other.slot)
      ? shared(other.ask.prompt)
      : 0;
  const neighbours = engine
    .slots()
    .filter(({ id }) => id !== holding.slot && !refused.has(id))
    .map(({ id, tokens }): Source<StoredPrefix> => {
      const held = shared(tokens);
      return { type: 'slot', slot: id, held, promised: Math.max(held, promiseOf(holdings.get(id))) };
    });
  const stored = shelves
    .flatMap((shelf) => shelf.list())
    .filter((prefix) => !refused.has(prefix))
    .map((prefix): Source<StoredPrefix> => {
      return { type: 'snapshot', snapshot: prefix, shared: shared(prefix.tokens), bytes: prefix.bytes };
    });
  return [...neighbours, ...stored];
}

async function waitFor(
  neighbour: number,
  tokens: number,
  { engine, holdings }: PrepareContext,
  signal: AbortSignal,
): Promise<boolean> {
  const holding = holdings.get(neighbour);
  if (!holding) return false;
  holding.released ??= new AbortController();
  try {
    return await engine.whenHeld(neighbour, tokens, AbortSignal.any([signal, holding.released.signal]));
  } catch {
    signal.throwIfAborted();
    return false;
  }
}

async function load(prefix: StoredPrefix, slot: number, { shelves }: PrepareContext): Promise<boolean> {
  for (const shelf of shelves) if (await shelf.load(slot, prefix)) return true;
  return false;
}

async function copy(
  from: number,
  to: number,
  tokens: number,
  { engine, costs, observer }: PrepareContext,
): Promise<boolean> {
  const { snapshots } = engine;
  if (!snapshots) return false;
  try {
    return await costs.measured(snapshots.estimateBytes(tokens), () => snapshots.copy(from, to, tokens));
  } catch (error) {
    observer.transferFailed?.('copy', error);
    return false;
  }
}

/** The slot changes hands: what its last tenant would miss goes into the store, unless another slot has it too. */
async function keepForLater(holding: Holding, lastTenant: Tenant | undefined, context: PrepareContext): Promise<void> {
  const { engine, store } = context;
  const tokens = engine.slots()[holding.slot]?.tokens ?? [];
  if (!store || !lastTenant?.ask.cachePrompt || tokens.length < minimumKept) return;
  const remains = holding.ask.cachePrompt ? commonPrefix(tokens, holding.ask.prompt) : 0;
  const goesOn = remains >= (lastTenant.ask.checkpoints?.at(-1) ?? lastTenant.ask.prompt.length);
  // Or it lost but its last turn: evaluating that again is cheaper than a copy of everything.
  if (goesOn || tokens.length - remains < Math.max(minimumKept, tokens.length / 4)) return;
  const heldElsewhere = engine
    .slots()
    .some(({ id, tokens: other }) => id !== holding.slot && commonPrefix(other, tokens) === tokens.length);
  if (!heldElsewhere) await store.keep(holding.slot, tokens.slice());
}

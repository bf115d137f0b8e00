/** Where a prompt's prefix may come from. Lengths in tokens, all at most the prompt without its last token. */
export type Source<Snapshot> =
  | {
      /** Another slot. It holds `held` of this prompt now and will hold `promised` once its own prompt is evaluated. */
      readonly type: 'slot';
      readonly slot: number;
      readonly held: number;
      readonly promised: number;
    }
  | { readonly type: 'snapshot'; readonly snapshot: Snapshot; readonly shared: number; readonly bytes: number };

export type PrefixPlan<Snapshot> =
  | { readonly type: 'keep' }
  | { readonly type: 'copy'; readonly slot: number; readonly tokens: number }
  | { readonly type: 'load'; readonly snapshot: Snapshot }
  /** Until the neighbour holds so many tokens; then copy. */
  | { readonly type: 'wait'; readonly slot: number; readonly tokens: number };

export interface PlanInput<Snapshot> {
  readonly promptLength: number;
  /** Tokens of the prompt that the own slot holds. */
  readonly have: number;
  readonly sources: readonly Source<Snapshot>[];
  /** Milliseconds to evaluate one token. */
  readonly tokenMs: number;
  transferMs(bytes: number): number;
  estimateBytes(tokens: number): number;
}

/** Shorter gains are not worth disturbing the loop, whatever the rates say. */
const minimumGain = 16;

/**
 * The cheapest way to the prompt's state. Whoever evaluates what a neighbour is evaluating too shares the machine with
 * it, so both take longer: that is charged to every way but waiting.
 */
export function planPrefix<Snapshot>(input: PlanInput<Snapshot>): PrefixPlan<Snapshot> {
  const { promptLength, have, tokenMs } = input;
  const neighbour = busiestNeighbour(input.sources);
  const rest = (reuse: number) => {
    const doubled = Math.max(0, neighbour.promised - Math.max(neighbour.held, reuse));
    return (promptLength - reuse + doubled) * tokenMs;
  };
  let best: { plan: PrefixPlan<Snapshot>; cost: number } = { plan: { type: 'keep' }, cost: rest(have) };
  for (const { plan, reuse, cost } of input.sources.flatMap((source) => offers(source, input, rest)))
    if (reuse >= have + minimumGain && cost < best.cost) best = { plan, cost };
  return best.plan;
}

interface Offer<Snapshot> {
  readonly plan: PrefixPlan<Snapshot>;
  readonly reuse: number;
  readonly cost: number;
}

function offers<Snapshot>(
  source: Source<Snapshot>,
  { promptLength, tokenMs, transferMs, estimateBytes }: PlanInput<Snapshot>,
  rest: (reuse: number) => number,
): Offer<Snapshot>[] {
  if (source.type === 'snapshot') {
    const { snapshot, shared, bytes } = source;
    return [{ plan: { type: 'load', snapshot }, reuse: shared, cost: transferMs(bytes) + rest(shared) }];
  }
  const { slot, held, promised } = source;
  const move = (tokens: number) => transferMs(estimateBytes(tokens));
  const copy: Offer<Snapshot> = {
    plan: { type: 'copy', slot, tokens: held },
    reuse: held,
    cost: move(held) + rest(held),
  };
  if (promised <= held) return [copy];
  const cost = (promptLength - held) * tokenMs + move(promised);
  return [copy, { plan: { type: 'wait', slot, tokens: promised }, reuse: promised, cost }];
}

function busiestNeighbour<Snapshot>(sources: readonly Source<Snapshot>[]): { held: number; promised: number } {
  let best = { held: 0, promised: 0 };
  for (const source of sources) if (source.type === 'slot' && source.promised > best.promised) best = source;
  return best;
}

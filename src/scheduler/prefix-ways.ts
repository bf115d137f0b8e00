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

export type PrefixWay<Snapshot> =
  | { readonly type: 'keep' }
  | { readonly type: 'copy'; readonly slot: number; readonly tokens: number }
  | { readonly type: 'load'; readonly snapshot: Snapshot }
  /** Until the neighbour holds so many tokens; then copy. */
  | { readonly type: 'wait'; readonly slot: number; readonly tokens: number };

export interface WayInput<Snapshot> {
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
 * it, so both take longer: that is charged to every way that does not wait for it.
 */
export function cheapestWay<Snapshot>(input: WayInput<Snapshot>): PrefixWay<Snapshot> {
  const { have } = input;
  const keep: Offer<Snapshot> = { way: { type: 'keep' }, reuse: have, evaluated: input.promptLength - have, bytes: 0 };
  const neighbour = busiestNeighbour(input.sources);
  const cost = ({ way, reuse, evaluated, bytes }: Offer<Snapshot>) => {
    const twice = Math.max(0, neighbour.promised - Math.max(neighbour.held, reuse));
    return (evaluated + twice) * input.tokenMs + (way.type === 'keep' ? 0 : input.transferMs(bytes));
  };
  let best = keep;
  for (const offer of input.sources.flatMap((source) => offers(source, input)))
    if (offer.reuse >= have + minimumGain && cost(offer) < cost(best)) best = offer;
  return best.way;
}

interface Offer<Snapshot> {
  readonly way: PrefixWay<Snapshot>;
  /** Tokens of the prompt that need no evaluation of its own. */
  readonly reuse: number;
  /** Tokens that are evaluated until the prompt is done, by a neighbour that is waited for or by itself. */
  readonly evaluated: number;
  /** To be moved. */
  readonly bytes: number;
}

function offers<Snapshot>(
  source: Source<Snapshot>,
  { promptLength, estimateBytes }: WayInput<Snapshot>,
): Offer<Snapshot>[] {
  if (source.type === 'snapshot') {
    const { snapshot, shared, bytes } = source;
    return [{ way: { type: 'load', snapshot }, reuse: shared, evaluated: promptLength - shared, bytes }];
  }
  const { slot, held, promised } = source;
  const evaluated = promptLength - held;
  const copy: Offer<Snapshot> = {
    way: { type: 'copy', slot, tokens: held },
    reuse: held,
    evaluated,
    bytes: estimateBytes(held),
  };
  if (promised <= held) return [copy];
  const way = { type: 'wait', slot, tokens: promised } as const;
  return [copy, { way, reuse: promised, evaluated, bytes: estimateBytes(promised) }];
}

function busiestNeighbour<Snapshot>(sources: readonly Source<Snapshot>[]): { held: number; promised: number } {
  let best = { held: 0, promised: 0 };
  for (const source of sources) if (source.type === 'slot' && source.promised > best.promised) best = source;
  return best;
}

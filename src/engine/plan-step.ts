/** What a running sequence wants from the next step. */
export interface SequenceDemand {
  readonly slot: number;
  /** Tokens that wait to be evaluated: 1 while decoding, the rest of the prompt while prefilling. */
  readonly waiting: number;
  readonly phase: 'prefill' | 'decode';
  /** Steps in a row in which it got nothing. */
  readonly starved: number;
}

export interface StepLimits {
  /** Tokens of one native batch. */
  readonly batchSize: number;
  /** Prompt tokens that the step may evaluate, see StepPacer. */
  readonly prefillBudget: number;
}

export interface StepShare {
  readonly slot: number;
  readonly tokens: number;
}

/**
 * Of the budget: what is left of a prompt is taken whole up to here when nobody decodes, because two steps take longer
 * than one and small pieces are read slowly (see StepPacer). So nobody waits more than half a step longer.
 */
const wholePromptShare = 1.5;

/** After so many steps with nothing a prefilling sequence is served first: nobody starves behind short prompts. */
const starvationLimit = 8;

/**
 * What goes into the next batch. Every decoding sequence advances by what it waits for (one token, or a few forced
 * ones); the rest of the batch, up to the prefill budget, goes to prompts, the shortest remaining first. Pure.
 *
 * The shares come in the order of the slots: llama.cpp goes through a batch once and computes together what follows one
 * another by number (split_equal in llama-batch.cpp); in the opposite order every sequence would be a pass of its own.
 */
export function planStep(demands: readonly SequenceDemand[], limits: StepLimits): StepShare[] {
  const shares: StepShare[] = [];
  let room = limits.batchSize;
  const give = (demand: SequenceDemand, most: number) => {
    const tokens = Math.min(demand.waiting, most, room);
    if (tokens <= 0) return 0;
    room -= tokens;
    shares.push({ slot: demand.slot, tokens });
    return tokens;
  };

  const decoding = demands.filter(({ phase }) => phase === 'decode');
  // Where guesses do not all fit, each has a place at least.
  for (const [at, demand] of decoding.entries()) give(demand, Math.max(1, room - (decoding.length - 1 - at)));
  if (shares.length === demands.length) return shares.sort(bySlot);

  const stretch = shares.length === 0 ? wholePromptShare : 1;
  let budget = limits.prefillBudget;
  for (const demand of prefillOrder(demands)) {
    if (budget <= 0 || room <= 0) break;
    budget -= give(demand, demand.waiting <= budget * stretch ? demand.waiting : budget);
  }
  return shares.sort(bySlot);
}

function bySlot(a: StepShare, b: StepShare): number {
  return a.slot - b.slot;
}

function prefillOrder(demands: readonly SequenceDemand[]): SequenceDemand[] {
  const starving = (demand: SequenceDemand) => (demand.starved >= starvationLimit ? demand.starved : 0);
  return demands
    .filter((demand) => demand.phase === 'prefill')
    .sort((a, b) => starving(b) - starving(a) || a.waiting - b.waiting || a.slot - b.slot);
}

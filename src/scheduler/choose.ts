import type { Admission } from './admission.ts';
import { type Scoped, sharedWithin } from './scope.ts';
import { afterTurn, nextOwner, type Shares } from './turns.ts';

/** A request in the queue. Times are milliseconds of the scheduler's clock. */
export interface Waiting {
  readonly admission: Admission;
  readonly arrivedAt: number;
}

/** A slot and what is known about the last request on it. */
export interface SlotView extends Scoped {
  readonly id: number;
  readonly free: boolean;
  readonly owner?: string | undefined;
  readonly sessionId?: string | undefined;
  readonly userHint?: string | undefined;
  /** When that left; 0 if there was none. */
  readonly usedAt: number;
  /** It said that it goes on in a while. */
  readonly comesBack?: boolean | undefined;
}

export interface Situation {
  readonly now: number;
  readonly slots: readonly SlotView[];
  /** Beyond the slots, what can be brought into any slot. */
  readonly snapshots: readonly Scoped[];
  /** Whether a prefix can move from slot to slot. */
  readonly canCopy: boolean;
  /** Of the slots, between those who wait. */
  readonly shares: Shares;
  /** Tokens that a request with this limit will probably generate. */
  readonly expectedOutput: (maxTokens: number) => number;
}

/** Requests that arrive within one window count as simultaneous: the shortest prefill goes first. */
const windowMs = 250;
/** So long a wait is worth one step of priority, so that nobody starves behind the more important. */
const agingMs = 10_000;
/** Moving a prefix costs about as much as evaluating so many tokens. Only compares slots; the real decision is measured. */
const moveCost = (tokens: number) => 16 + tokens * 0.02;
/** The tail that a conversation replaces itself (an edited turn, reasoning that is not sent back) is hardly missed. */
const ownTailShare = 0.25;
/**
 * llama.cpp computes sequences in one pass over the weights only where their numbers follow one another: each further
 * group of neighbours is a further pass in every step (4 streams on slots 0 to 3 of 2 cores decode 118 tokens a second,
 * on 0, 2, 4 and 6 only 68). In prompt tokens evaluated, for each token of the answer: on 2 cores a pass takes as long as
 * 2 to 5 of them with 24 layers, 17 with 2 layers, on GPUs longer.
 */
const passCost = 2.5;
/** A conversation that has been away for so long is half as likely to come back. */
const halfLifeMs = 600_000;
/** What one loses that is away for as long as its tools run: it is sure to come back. */
const comesBackWeight = 4;

/** Which request runs next, and where; undefined when nobody waits or no slot is free. */
export function choose<Request extends Waiting>(
  waiting: readonly Request[],
  situation: Situation,
): { request: Request; slot: number } | undefined {
  if (!situation.slots.some(({ free }) => free)) return undefined;
  const lines = byOwner(waiting);
  const owner = nextOwner(lines, situation.shares);
  const line = lines.find((each) => each.owner === owner);
  if (!line) return undefined;
  const [request] = shortestFirst(
    line.waiting.filter((other) => rank(other) === line.rank),
    situation,
  );
  return request && { request, slot: homeFor(request.admission, situation) };
}

/** Those who wait in the order in which they will run, as far as can be told: as if nobody gave a slot back meanwhile. */
export function inLine<Request extends Waiting>(waiting: readonly Request[], situation: Situation): Request[] {
  const left = byOwner(waiting).map(({ owner, waiting: own }) => ({ owner, own: ownLine(own, situation) }));
  const line: Request[] = [];
  let { shares } = situation;
  while (line.length < waiting.length) {
    const heads = left.flatMap(({ owner, own: [first] }) => (first ? [{ owner, rank: rank(first) }] : []));
    const owner = nextOwner(heads, shares);
    const next = left.find((each) => each.owner === owner)?.own.shift();
    if (owner === undefined || !next) break;
    line.push(next);
    shares = afterTurn(owner, shares);
  }
  return line;
}

interface OwnersLine<Request> {
  readonly owner: string;
  readonly waiting: readonly Request[];
  /** Of whoever is first. */
  readonly rank: number;
}

function byOwner<Request extends Waiting>(waiting: readonly Request[]): OwnersLine<Request>[] {
  const lines = new Map<string, Request[]>();
  for (const request of waiting) {
    const { owner = '' } = request.admission;
    const line = lines.get(owner);
    if (line) line.push(request);
    else lines.set(owner, [request]);
  }
  return [...lines].map(([owner, own]) => ({ owner, waiting: own, rank: Math.min(...own.map(rank)) }));
}

/**
 * Of one owner: first come first served by windows of arrival, shifted by priority. The rank of a request never changes,
 * so each later arrival can overtake it only for a limited time: that is the aging.
 */
function ownLine<Request extends Waiting>(waiting: readonly Request[], situation: Situation): Request[] {
  const groups = new Map<number, Request[]>();
  for (const request of waiting) {
    const equals = groups.get(rank(request));
    if (equals) equals.push(request);
    else groups.set(rank(request), [request]);
  }
  return [...groups].sort(([one], [other]) => one - other).flatMap(([, equals]) => shortestFirst(equals, situation));
}

/** Of those who count as simultaneous. */
function shortestFirst<Request extends Waiting>(equals: readonly Request[], situation: Situation): Request[] {
  if (equals.length < 2) return [...equals];
  const prefill = new Map(equals.map((request) => [request, prefillTokens(request.admission, situation)]));
  return [...equals].sort((one, other) => (prefill.get(one) ?? 0) - (prefill.get(other) ?? 0));
}

function rank({ arrivedAt, admission }: Waiting): number {
  return Math.floor((arrivedAt - admission.priority * agingMs) / windowMs);
}

/** Prompt tokens left to evaluate in the best case. */
export function prefillTokens(
  { prompt, scope, cachePrompt }: Admission,
  { slots, snapshots, canCopy }: Situation,
): number {
  if (!cachePrompt) return prompt.length;
  const reachable = [...slots.filter(({ free }) => free || canCopy), ...snapshots];
  return prompt.length - longestShared({ tokens: prompt, scope }, reachable);
}

/**
 * The free slot where running this prompt costs least: evaluation, moving state, what the last request on it
 * loses, and what the steps of all who run take longer.
 */
function homeFor(admission: Admission, situation: Situation): number {
  const free = situation.slots.filter((slot) => slot.free);
  const costs = free.map((slot) => ({ slot, cost: costOn(slot, admission, situation) }));
  const best = costs.reduce((first, other) => (isBetter(other, first, admission) ? other : first));
  return best.slot.id;
}

interface Costed {
  readonly slot: SlotView;
  readonly cost: number;
}

function isBetter(one: Costed, other: Costed, admission: Admission): boolean {
  if (one.cost !== other.cost) return one.cost < other.cost;
  const session = Number(isSameSession(one.slot, admission)) - Number(isSameSession(other.slot, admission));
  if (session !== 0) return session > 0;
  const user = Number(isKnown(one.slot, admission)) - Number(isKnown(other.slot, admission));
  if (user !== 0) return user > 0;
  if (one.slot.usedAt !== other.slot.usedAt) return one.slot.usedAt < other.slot.usedAt;
  return one.slot.id < other.slot.id;
}

function isSameSession(slot: SlotView, admission: Admission): boolean {
  return admission.sessionId !== undefined && slot.sessionId === admission.sessionId && slot.owner === admission.owner;
}

function isKnown(slot: SlotView, admission: Admission): boolean {
  return admission.userHint !== undefined && slot.userHint === admission.userHint && slot.owner === admission.owner;
}

/** In tokens. */
function costOn(slot: SlotView, admission: Admission, situation: Situation): number {
  const { now, slots, snapshots, canCopy, expectedOutput } = situation;
  const wanted = { tokens: admission.prompt, scope: admission.cachePrompt ? admission.scope : undefined };
  const inPlace = longestShared(wanted, [slot]);
  const others = slots.filter(({ id }) => id !== slot.id);
  const movable = [...(canCopy ? others : []), ...snapshots];
  const elsewhere = longestShared(wanted, movable);
  const work = admission.prompt.length - Math.max(inPlace, elsewhere - moveCost(elsewhere));
  // What the last request loses: only what is found nowhere else.
  const lost = slot.scope === undefined ? 0 : slot.tokens.length - Math.max(inPlace, longestShared(slot, movable));
  const goesOn = continues(slot, admission, inPlace);
  const away = (slot.comesBack ? comesBackWeight : 1) / (1 + (now - slot.usedAt) / halfLifeMs);
  const weight = goesOn ? ownTailShare : away;
  // A session stays on its slot: no place counts as better than its own.
  const passes = goesOn ? -1 : groupsAdded(slot.id, slots);
  return work + lost * weight + passes * passCost * expectedOutput(admission.maxTokens);
}

/** 1 for a slot apart from all that run, 0 beside one, -1 where two groups grow together; 0 when nobody runs. */
function groupsAdded(id: number, slots: readonly SlotView[]): number {
  const running = slots.filter(({ free }) => !free);
  if (running.length === 0) return 0;
  return 1 - running.filter((slot) => Math.abs(slot.id - id) === 1).length;
}

/** The conversation itself is back with more of the same; a side request under the same session key shares little. */
function continues(slot: SlotView, admission: Admission, inPlace: number): boolean {
  return isSameSession(slot, admission) && inPlace * 2 >= Math.min(slot.tokens.length, admission.prompt.length);
}

function longestShared({ tokens, scope }: Scoped, places: readonly Scoped[]): number {
  return places.reduce((longest, place) => Math.max(longest, sharedWithin(scope, tokens, place)), 0);
}

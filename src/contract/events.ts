import type { ErrorCode } from './errors.ts';
import { ServeError } from './errors.ts';
import type { ServerTool } from './server-tools.ts';

/** Why a generation ended. A cancelled one says `stop` and sets `cancelled` on the finish event. */
export type FinishReason = 'stop' | 'length' | 'tool-calls';

export interface Usage {
  /** Prompt tokens, cached ones included. */
  readonly inputTokens: number;
  /** Prompt tokens whose evaluation was reused: `inputTokens - cachedTokens` were evaluated for this request. */
  readonly cachedTokens: number;
  /** Generated tokens, reasoning included, the end-of-turn token not. */
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  /**
   * Of answers for which the server ran tools: each round for itself. The prompt's figures above are then the last
   * round's, the answer's those of all.
   */
  readonly rounds?: readonly Omit<Usage, 'rounds'>[];
}

/** Milliseconds, measured by the clock that was handed in. */
export interface Timings {
  readonly queueMs: number;
  /** From the slot to the first token. */
  readonly promptMs: number;
  /** From the first token to the last. */
  readonly predictedMs: number;
}

export interface TokenCandidate {
  readonly token: number;
  readonly text: string;
  readonly bytes: readonly number[];
  /** Natural logarithm of the raw probability, before temperature and other samplers. */
  readonly logprob: number;
}

export interface TokenLogprob extends TokenCandidate {
  /** Most likely first; as many as were asked for. */
  readonly top: readonly TokenCandidate[];
}

export type BlockKind = 'text' | 'reasoning' | 'tool-call';

export type BlockStart =
  | { readonly type: 'block-start'; readonly index: number; readonly kind: 'text' | 'reasoning' }
  | {
      readonly type: 'block-start';
      readonly index: number;
      readonly kind: 'tool-call';
      readonly id: string;
      /** With `server`, as that server calls it. */
      readonly name: string;
      /** The call is run by this server for the model: its client must not run it, and gets its result. */
      readonly server?: string;
      /** It is not run in this answer: the client decides about it in its next request. */
      readonly asks?: boolean;
      /** The model called it in an answer before; the client has allowed it by answering this question. */
      readonly allowedBy?: string;
    };

export interface BlockDelta {
  readonly type: 'block-delta';
  readonly index: number;
  /** Text; for a tool call a piece of its arguments as JSON text. May be empty when it only carries logprobs. */
  readonly delta: string;
  readonly logprobs?: readonly TokenLogprob[];
}

interface BlockEnd {
  readonly type: 'block-end';
  readonly index: number;
}

export type BlockEvent = BlockStart | BlockDelta | BlockEnd;

/** The tools of a server that the request names, as the model is offered them. */
export interface ToolListEvent {
  readonly type: 'tool-list';
  readonly server: string;
  readonly tools: readonly ServerTool[];
  /** Why there are none, one sentence. */
  readonly problem?: string;
}

/** What a call that the server runs is doing: it runs, or waits for a person to allow it. */
export interface ToolStateEvent {
  readonly type: 'tool-state';
  readonly callId: string;
  readonly state: 'running' | 'asks';
}

/** The end of a call that the server ran. */
export interface ToolResultEvent {
  readonly type: 'tool-result';
  readonly callId: string;
  /** As the model reads it. */
  readonly content: string;
  readonly isError: boolean;
  /** A person did not allow it: it was not run. */
  readonly denied?: boolean;
  /** From its start to its end, the wait for a person not counted. */
  readonly ms: number;
}

/** The model goes on with the results in its prompt. */
interface RoundEvent {
  readonly type: 'round';
  readonly inputTokens: number;
  readonly cachedTokens: number;
}

export interface StartEvent {
  readonly type: 'start';
  /** The id of the model that answers; absent where the run ended before it had one. */
  readonly model?: string;
  readonly inputTokens: number;
  readonly cachedTokens: number;
}

/** It waits for a slot. Only where progress was asked for; when the place changes. */
export interface QueuedEvent {
  readonly type: 'queued';
  /** 1: the next one. */
  readonly position: number;
  /** Milliseconds until it has a slot, estimated; absent before anything was measured. */
  readonly etaMs?: number;
}

/** The prompt is being read. Only where progress was asked for: at its beginning, after each step, at its end. */
export interface PromptProgressEvent {
  readonly type: 'prompt-progress';
  readonly totalTokens: number;
  readonly cachedTokens: number;
  /** The cached ones included. */
  readonly processedTokens: number;
  readonly elapsedMs: number;
}

/** Log probabilities of the prompt's own tokens (`echo` with `logprobs`), before any block. The first has no logprob: -0 stands for none. */
export interface PromptLogprobsEvent {
  readonly type: 'prompt-logprobs';
  readonly tokens: readonly (
    | TokenLogprob
    | { readonly token: number; readonly text: string; readonly bytes: readonly number[] }
  )[];
}

export interface FinishEvent {
  readonly type: 'finish';
  readonly reason: FinishReason;
  /** Ended by a cancel call: nothing failed, the answer is what there was. */
  readonly cancelled?: boolean;
  /** `length` by the limit for calls that the server runs, not by one for tokens: the model was not done. */
  readonly callLimit?: boolean;
  /** The stop string that ended it, when one did. */
  readonly stopString?: string;
  readonly usage: Usage;
  readonly timings: Timings;
  /** The seed that was used, so that the run can be repeated. */
  readonly seed: number;
  /** What the client should know although the answer is given: becomes the warning header of plain answers. */
  readonly warnings?: readonly string[];
}

/**
 * Grammar: `queued* start tool-list* prompt-progress* prompt-logprobs? turn (step* round prompt-progress* turn)* step*
 * finish`, where a turn is `(block-start block-delta* block-end)*` and a step `tool-state` or `tool-result` of a call with
 * `server`. One block is open at a time; blocks are counted over all turns. Each such call has at most one `tool-result`,
 * after its block; none where the answer ended before. Where an answer begins with calls of an earlier one (`allowedBy`),
 * they are its first turn, and `start` counts no tokens.
 */
export type GenerationEvent =
  | QueuedEvent
  | StartEvent
  | ToolListEvent
  | PromptProgressEvent
  | PromptLogprobsEvent
  | BlockEvent
  | ToolStateEvent
  | ToolResultEvent
  | RoundEvent
  | FinishEvent;

export type Block =
  | { readonly kind: 'text' | 'reasoning'; readonly text: string; readonly logprobs: readonly TokenLogprob[] }
  | CallBlock;

export interface CallBlock {
  readonly kind: 'tool-call';
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  /** See BlockStart. */
  readonly server?: string;
  readonly asks?: boolean;
  readonly allowedBy?: string;
  /** Of a call with `server` that came to its end. */
  readonly result?: ToolResultEvent;
}

export interface GenerationResult {
  readonly start: StartEvent;
  readonly promptLogprobs?: PromptLogprobsEvent;
  readonly toolLists?: readonly ToolListEvent[];
  readonly blocks: readonly Block[];
  /** Where each turn after the first begins, as an index into `blocks`; absent where there was one turn. */
  readonly turns?: readonly number[];
  readonly finish: FinishEvent;
}

/** The whole answer out of its events. Throws on events out of order: a stream that ends without `finish` is an error, never a short answer. */
export class Collector {
  #start: StartEvent | undefined;
  #promptLogprobs: PromptLogprobsEvent | undefined;
  #finish: FinishEvent | undefined;
  #blocks: Block[] = [];
  readonly #toolLists: ToolListEvent[] = [];
  readonly #turns: number[] = [];
  #open: { start: BlockStart; pieces: string[]; logprobs: TokenLogprob[] } | undefined;

  add(event: GenerationEvent): void {
    if (this.#finish) throw outOfOrder(`${event.type} after finish`);
    switch (event.type) {
      case 'queued':
      case 'prompt-progress':
      case 'tool-state':
        return;
      case 'tool-list':
        this.#toolLists.push(event);
        return;
      case 'round':
        this.#turns.push(this.#blocks.length);
        return;
      case 'tool-result':
        this.#addResult(event);
        return;
      case 'start':
        if (this.#start) throw outOfOrder('second start');
        this.#start = event;
        return;
      case 'prompt-logprobs':
        this.#promptLogprobs = event;
        return;
      case 'block-start':
        if (!this.#start || this.#open || event.index !== this.#blocks.length)
          throw outOfOrder(`block-start ${event.index}`);
        this.#open = { start: event, pieces: [], logprobs: [] };
        return;
      case 'block-delta':
        if (this.#open?.start.index !== event.index) throw outOfOrder(`block-delta ${event.index}`);
        this.#open.pieces.push(event.delta);
        if (event.logprobs) this.#open.logprobs.push(...event.logprobs);
        return;
      case 'block-end':
        if (this.#open?.start.index !== event.index) throw outOfOrder(`block-end ${event.index}`);
        this.#blocks.push(closeBlock(this.#open));
        this.#open = undefined;
        return;
      case 'finish':
        if (this.#open) throw outOfOrder('finish inside a block');
        this.#finish = event;
        return;
      default:
        event satisfies never;
    }
  }

  /** What there is of an answer that may have failed; a block that was open ends where it was. */
  soFar(): { readonly start?: StartEvent; readonly blocks: readonly Block[]; readonly finish?: FinishEvent } {
    return {
      ...(this.#start && { start: this.#start }),
      blocks: this.#open ? [...this.#blocks, closeBlock(this.#open)] : this.#blocks,
      ...(this.#finish && { finish: this.#finish }),
    };
  }

  /** Ids that a model writes itself may come again in a later round: a result belongs to the last call that has none. */
  #addResult(result: ToolResultEvent): void {
    const at = this.#blocks.findLastIndex(
      (block) =>
        block.kind === 'tool-call' && block.id === result.callId && block.server !== undefined && !block.result,
    );
    const block = this.#blocks[at];
    if (block?.kind !== 'tool-call') throw outOfOrder(`tool-result ${result.callId}`);
    this.#blocks[at] = { ...block, result };
  }

  result(): GenerationResult {
    if (!this.#start || !this.#finish)
      throw new ServeError('internal' satisfies ErrorCode, 'The generation ended without its finish event.');
    return {
      start: this.#start,
      blocks: this.#blocks,
      finish: this.#finish,
      ...(this.#promptLogprobs && { promptLogprobs: this.#promptLogprobs }),
      ...(this.#toolLists.length > 0 && { toolLists: this.#toolLists }),
      ...(this.#turns.length > 0 && { turns: this.#turns }),
    };
  }
}

function closeBlock(open: { start: BlockStart; pieces: string[]; logprobs: TokenLogprob[] }): Block {
  const text = open.pieces.join('');
  if (open.start.kind === 'tool-call') {
    const { kind, id, name, server, asks, allowedBy } = open.start;
    return {
      kind,
      id,
      name,
      arguments: text,
      ...(server !== undefined && { server }),
      ...(asks && { asks }),
      ...(allowedBy !== undefined && { allowedBy }),
    };
  }
  return { kind: open.start.kind, text, logprobs: open.logprobs };
}

/** The blocks of each turn of an answer. */
export function turnsOf({
  blocks,
  turns = [],
}: Pick<GenerationResult, 'blocks' | 'turns'>): readonly (readonly Block[])[] {
  return [0, ...turns].map((from, turn) => blocks.slice(from, turns[turn]));
}

/** The events that a result was collected from, one delta a block; results of calls come in the order of the calls. */
export function eventsOf(result: GenerationResult): GenerationEvent[] {
  let index = 0;
  const turns = turnsOf(result).flatMap((blocks, turn): GenerationEvent[] => [
    ...(turn > 0 ? [{ type: 'round', inputTokens: 0, cachedTokens: 0 } as const] : []),
    ...blocks.flatMap((block) => blockEvents(block, index++)),
    ...blocks.flatMap((block) => (block.kind === 'tool-call' && block.result ? [block.result] : [])),
  ]);
  return [result.start, ...(result.toolLists ?? []), ...turns, result.finish];
}

function blockEvents(block: Block, index: number): BlockEvent[] {
  const end = { type: 'block-end', index } as const;
  if (block.kind !== 'tool-call') {
    const { kind, text, logprobs } = block;
    return [{ type: 'block-start', index, kind }, { type: 'block-delta', index, delta: text, logprobs }, end];
  }
  const { arguments: written, result: _, ...call } = block;
  return [{ type: 'block-start', index, ...call }, { type: 'block-delta', index, delta: written }, end];
}

/** How an answer ended that was ended early and properly. */
export type EarlyEnding = Pick<FinishEvent, 'reason' | 'cancelled'>;

export const cancelledEnding: EarlyEnding = { reason: 'stop', cancelled: true };

/** The end of a run that was ended before it had said anything. */
export function emptyFinish(ending: EarlyEnding, inputTokens = 0): FinishEvent {
  return {
    type: 'finish',
    ...ending,
    usage: { inputTokens, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 },
    timings: { queueMs: 0, promptMs: 0, predictedMs: 0 },
    seed: 0,
  };
}

function outOfOrder(what: string): ServeError {
  return new ServeError('internal', `Event out of order: ${what}.`);
}

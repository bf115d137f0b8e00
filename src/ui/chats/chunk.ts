import { member } from '../api/failure.ts';
import { type LensToken, lensTokensIn } from './lens.ts';
import type { AnswerFigures } from './message.ts';
import { type ServerToolStep, serverToolStep } from './server-tool.ts';

/** What a chunk of `/v1/chat/completions` says, for one choice, as far as the page shows it. */
export interface Chunk {
  readonly id?: string;
  readonly model?: string;
  readonly text?: string;
  readonly thought?: string;
  /** Of the text; where they were asked for. */
  readonly tokens?: readonly LensToken[];
  readonly calls: readonly { index: number; id?: string; name?: string; arguments?: string }[];
  readonly serverTool?: ServerToolStep;
  readonly finish?: string;
  readonly cancelled?: boolean;
  readonly seed?: number;
  readonly queue?: { readonly position: number; readonly etaMs: number | undefined };
  readonly reading?: {
    readonly total: number;
    readonly cached: number;
    readonly processed: number;
    readonly ms: number;
  };
  readonly figures?: AnswerFigures;
}

/** Whatever a server sends: what is not understood is left out, nothing throws. */
export function readChunk(value: unknown): Chunk {
  const choice = first(member(value, 'choices'));
  const delta = member(choice, 'delta');
  const figures = figuresIn(value);
  const queue = member(value, 'queue');
  const reading = member(value, 'prompt_progress');
  return dropUndefined({
    id: text(value, 'id'),
    model: text(value, 'model'),
    text: text(delta, 'content'),
    thought: text(delta, 'reasoning_content') ?? text(delta, 'reasoning'),
    tokens: lensTokensIn(choice),
    calls: callsIn(delta),
    serverTool: serverToolStep(value),
    finish: text(choice, 'finish_reason'),
    cancelled: member(choice, 'cancelled') === true || member(value, 'cancelled') === true ? true : undefined,
    seed: number(choice, 'seed'),
    queue: queue ? { position: number(queue, 'position') ?? 1, etaMs: number(queue, 'eta_ms') } : undefined,
    reading: reading
      ? {
          total: number(reading, 'total') ?? 0,
          cached: number(reading, 'cache') ?? 0,
          processed: number(reading, 'processed') ?? 0,
          ms: number(reading, 'time_ms') ?? 0,
        }
      : undefined,
    figures,
  });
}

function callsIn(delta: unknown): Chunk['calls'] {
  const calls = member(delta, 'tool_calls');
  if (!Array.isArray(calls)) return [];
  return calls.map((call: unknown) => {
    const called = member(call, 'function');
    return dropUndefined({
      index: number(call, 'index') ?? 0,
      id: text(call, 'id'),
      name: text(called, 'name'),
      arguments: text(called, 'arguments'),
    });
  });
}

function figuresIn(value: unknown): AnswerFigures | undefined {
  const usage = member(value, 'usage');
  const timings = member(value, 'timings');
  if (!usage || !timings) return undefined;
  return {
    queueMs: number(timings, 'queue_ms') ?? 0,
    promptMs: number(timings, 'prompt_ms') ?? 0,
    promptPerSecond: number(timings, 'prompt_per_second') ?? 0,
    predictedMs: number(timings, 'predicted_ms') ?? 0,
    predictedPerSecond: number(timings, 'predicted_per_second') ?? 0,
    promptTokens: number(usage, 'prompt_tokens') ?? 0,
    cachedTokens: number(member(usage, 'prompt_tokens_details'), 'cached_tokens') ?? 0,
    answerTokens: number(usage, 'completion_tokens') ?? 0,
    thoughtTokens: number(member(usage, 'completion_tokens_details'), 'reasoning_tokens') ?? 0,
  };
}

function first(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

function text(value: unknown, name: string): string | undefined {
  const found = member(value, name);
  return typeof found === 'string' ? found : undefined;
}

function number(value: unknown, name: string): number | undefined {
  const found = member(value, name);
  return typeof found === 'number' ? found : undefined;
}

type Defined<Shape> = { [Name in keyof Shape]: Exclude<Shape[Name], undefined> };

/** Members that are undefined are not there. */
function dropUndefined<Shape extends object>(
  shape: Shape,
): Partial<Defined<Shape>> & Pick<Defined<Shape>, Required<Shape>> {
  return Object.fromEntries(Object.entries(shape).filter(([, value]) => value !== undefined)) as never;
}

/** Names of members that are never undefined. */
type Required<Shape> = { [Name in keyof Shape]: undefined extends Shape[Name] ? never : Name }[keyof Shape];

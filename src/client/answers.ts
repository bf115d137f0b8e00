import { z } from 'zod';
import type { Connection } from './connection.ts';

/** What happens while an answer is made, in the order it happens. */
export type AnswerEvent =
  /** It waits for a slot; 1 is the next one. */
  | { readonly type: 'queued'; readonly position: number }
  /** Tokens of the prompt. */
  | { readonly type: 'reading'; readonly processed: number; readonly total: number }
  | { readonly type: 'thought'; readonly text: string }
  | { readonly type: 'text'; readonly text: string }
  /** A piece of a call that the client would have to run; the first one has the name. */
  | { readonly type: 'call'; readonly index: number; readonly name?: string; readonly text: string }
  /** A call that the server runs. */
  | ({ readonly type: 'tool' } & ToolStep)
  | { readonly type: 'end'; readonly why: string; readonly cancelled: boolean; readonly figures?: AnswerFigures };

export interface ToolStep {
  readonly id: string;
  readonly name: string;
  readonly state: string;
  /** The id of the answer that it is part of, as the server calls it. */
  readonly answer?: string;
  readonly arguments?: string;
  readonly result?: string;
}

interface AnswerFigures {
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly tokensPerSecond: number;
}

const chunk = z.object({
  id: z.string().optional(),
  choices: z.array(
    z.object({
      delta: z.object({
        content: z.string().nullish(),
        reasoning_content: z.string().nullish(),
        tool_calls: z
          .array(
            z.object({
              index: z.number(),
              function: z.object({ name: z.string().optional(), arguments: z.string().optional() }),
            }),
          )
          .nullish(),
      }),
      finish_reason: z.string().nullish(),
    }),
  ),
  cancelled: z.boolean().optional(),
  queue: z.object({ position: z.number() }).nullish(),
  prompt_progress: z.object({ total: z.number(), processed: z.number() }).nullish(),
  server_tool: z
    .object({
      id: z.string(),
      name: z.string(),
      state: z.string(),
      arguments: z.string().optional(),
      result: z.string().optional(),
    })
    .nullish(),
  usage: z.object({ prompt_tokens: z.number(), completion_tokens: z.number() }).nullish(),
  timings: z.object({ predicted_per_second: z.number() }).nullish(),
});
type Chunk = z.output<typeof chunk>;

/**
 * The answer to a body of `/v1/chat/completions`, whose `stream` and options are set here. The last event is its `end`.
 * Ending the loop early, or the signal, stops the server's work.
 */
export async function* answerTo(
  connection: Connection,
  body: object,
  signal: AbortSignal,
): AsyncGenerator<AnswerEvent> {
  const asked = { ...body, stream: true, stream_options: { include_usage: true }, return_progress: true };
  let end: AnswerEvent & { readonly type: 'end' } = { type: 'end', why: 'stop', cancelled: false };
  for await (const frame of connection.stream('/v1/chat/completions', chunk, { body: asked, signal })) {
    yield* progressOf(frame);
    const [choice] = frame.choices;
    if (choice) yield* growthOf(choice.delta);
    if (frame.server_tool) yield { type: 'tool', ...stepOf(frame.server_tool, frame.id) };
    const why = choice?.finish_reason;
    if (why) end = { ...end, why, cancelled: frame.cancelled === true };
    const figures = figuresOf(frame);
    if (figures) end = { ...end, figures };
  }
  yield end;
}

function* progressOf({ queue, prompt_progress }: Chunk): Generator<AnswerEvent> {
  if (queue) yield { type: 'queued', position: queue.position };
  if (!prompt_progress) return;
  const { processed, total } = prompt_progress;
  yield { type: 'reading', processed, total };
}

function* growthOf({ content, reasoning_content, tool_calls }: Chunk['choices'][number]['delta']) {
  if (reasoning_content) yield { type: 'thought', text: reasoning_content } as const;
  if (content) yield { type: 'text', text: content } as const;
  for (const { index, function: called } of tool_calls ?? []) {
    const { name, arguments: text = '' } = called;
    yield { type: 'call', index, ...(name !== undefined && { name }), text } as const;
  }
}

function stepOf(
  { id, name, state, arguments: written, result }: NonNullable<Chunk['server_tool']>,
  answer: string | undefined,
): ToolStep {
  return {
    id,
    name,
    state,
    ...(answer !== undefined && { answer }),
    ...(written !== undefined && { arguments: written }),
    ...(result !== undefined && { result }),
  };
}

function figuresOf({ usage, timings }: Chunk): AnswerFigures | undefined {
  if (!usage) return undefined;
  return {
    promptTokens: usage.prompt_tokens,
    answerTokens: usage.completion_tokens,
    tokensPerSecond: timings?.predicted_per_second ?? 0,
  };
}

import type { ServeError } from '../../contract/errors.ts';
import type { FinishEvent, GenerationEvent, GenerationResult, PromptLogprobsEvent } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { AnswerContext, Frame, StreamEncoder } from '../dialect.ts';
import { openaiErrorObject } from '../shared/openai-error.ts';
import { progressOf } from '../shared/progress.ts';
import { joinText, LogprobLists } from './logprobs.ts';
import { bestOf } from './ranking.ts';
import type { CompletionsCall } from './request.ts';

/** One choice on its way: what its client has seen of it. Whole answers and chunks are both made of its pieces. */
class Choice {
  readonly #call: CompletionsCall;
  readonly #prompt: string | undefined;
  readonly #lists: LogprobLists | undefined;
  readonly index: number;

  constructor(call: CompletionsCall, index: number, generation: number) {
    this.#call = call;
    this.index = index;
    const prompt = call.generations[generation]?.prompt;
    this.#prompt = prompt?.type === 'text' ? prompt.text : undefined;
    this.#lists = call.logprobs === undefined ? undefined : new LogprobLists(call.logprobs);
  }

  piece(event: GenerationEvent): { text: string; logprobs?: JsonObject | undefined } | undefined {
    switch (event.type) {
      case 'start':
        return this.#call.echo && !this.#call.promptLogprobs ? { text: this.#prompt ?? '' } : undefined;
      case 'prompt-logprobs':
        return this.#call.echo ? this.#echo(event) : undefined;
      case 'block-delta':
        return { text: event.delta, logprobs: event.logprobs && this.#lists?.take(event.logprobs) };
      default:
        return undefined;
    }
  }

  /** `choices[i]` of an answer or a chunk. */
  write(text: string, logprobs: JsonObject | undefined, finish: FinishEvent | undefined): JsonObject {
    return {
      text,
      index: this.index,
      logprobs: logprobs ?? null,
      finish_reason: finish ? (finish.reason === 'length' ? 'length' : 'stop') : null,
      ...(finish && { seed: finish.seed }),
    };
  }

  #echo(event: PromptLogprobsEvent): { text: string; logprobs?: JsonObject | undefined } {
    const text = this.#prompt ?? joinText(event.tokens);
    return { text, logprobs: this.#lists?.takePrompt(event.tokens, text) };
  }
}

/** OpenAI counts a prompt once, however many choices come out of it, and every token of every choice. */
function toUsage(call: CompletionsCall, finishes: readonly FinishEvent[]): JsonObject {
  const prompts = finishes.filter((_, generation) => generation % call.perPrompt === 0);
  const input = sum(prompts.map((finish) => finish.usage.inputTokens));
  const output = sum(finishes.map((finish) => finish.usage.outputTokens));
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: { cached_tokens: sum(prompts.map((finish) => finish.usage.cachedTokens)) },
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

function envelope(answer: AnswerContext, choices: readonly JsonObject[]): JsonObject {
  return {
    id: `cmpl-${answer.id}`,
    object: 'text_completion',
    created: answer.created,
    model: answer.model,
    choices,
  };
}

export function whole(call: CompletionsCall, answer: AnswerContext, results: readonly GenerationResult[]): JsonObject {
  const choices = bestOf(call, results).map((generation, index) => {
    const result = results[generation];
    return result ? wholeChoice(new Choice(call, index, generation), result) : {};
  });
  const finishes = results.map((result) => result.finish);
  return {
    ...envelope(answer, choices),
    usage: toUsage(call, finishes),
    ...(finishes.some(({ cancelled }) => cancelled) && { cancelled: true }),
  };
}

/** The pieces that a stream would have sent, joined. */
function wholeChoice(choice: Choice, result: GenerationResult): JsonObject {
  const events: GenerationEvent[] = [
    result.start,
    ...(result.promptLogprobs ? [result.promptLogprobs] : []),
    ...result.blocks.map(
      (block, index): GenerationEvent =>
        block.kind === 'tool-call'
          ? { type: 'block-delta', index, delta: block.arguments }
          : { type: 'block-delta', index, delta: block.text, logprobs: block.logprobs },
    ),
  ];
  const pieces = events.flatMap((event) => choice.piece(event) ?? []);
  const logprobs = pieces.map((piece) => piece.logprobs).filter((lists) => lists !== undefined);
  return choice.write(
    pieces.map((piece) => piece.text).join(''),
    logprobs.length === 0 ? undefined : logprobs.reduce(joinLists),
    result.finish,
  );
}

function joinLists(left: JsonObject, right: JsonObject): JsonObject {
  return Object.fromEntries(
    Object.entries(left).map(([name, list]) => {
      const more = right[name];
      return [name, Array.isArray(list) && Array.isArray(more) ? [...list, ...more] : list];
    }),
  );
}

export function encoder(call: CompletionsCall, answer: AnswerContext): StreamEncoder {
  const choices = call.generations.map((_, index) => new Choice(call, index, index));
  const finishes = new Map<number, FinishEvent>();
  const usage = call.includeUsage ? { usage: null } : {};
  const chunk = (choice: JsonObject, more: JsonObject = {}): Frame => {
    return { type: 'data', data: { ...envelope(answer, [choice]), ...usage, ...more } };
  };
  const done: Frame = { type: 'raw', text: '[DONE]' };
  return {
    encode(event, generation) {
      const choice = choices[generation];
      if (!choice) return [];
      if (event.type === 'finish') {
        finishes.set(generation, event);
        return [chunk(choice.write('', undefined, event), event.cancelled ? { cancelled: true } : {})];
      }
      const progress = progressOf(event);
      if (progress) return [chunk(choice.write('', undefined, undefined), progress)];
      const piece = choice.piece(event);
      if (!piece || (piece.text === '' && !piece.logprobs)) return [];
      return [chunk(choice.write(piece.text, piece.logprobs, undefined))];
    },
    end() {
      if (!call.includeUsage) return [done];
      const inOrder = call.generations.flatMap((_, generation) => finishes.get(generation) ?? []);
      return [{ type: 'data', data: { ...envelope(answer, []), usage: toUsage(call, inOrder) } }, done];
    },
    fail: (error: ServeError) => [{ type: 'data', data: { error: openaiErrorObject(error) } }, done],
    heartbeat: () => ({ type: 'comment', text: 'keep-alive' }),
  };
}

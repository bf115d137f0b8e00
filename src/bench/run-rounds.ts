import type { Clock } from '../contract/services.ts';
import { untilAborted } from '../contract/signals.ts';
import { figureOf, type Measurement } from './measurements.ts';
import { ChatFailure, type ChatOptions, type ChatResult, type ChatTarget, startChat } from './timed-chat.ts';
import { someWords } from './words.ts';

/** A server, and what has to be known of it before it is measured. */
export interface WarmTarget {
  readonly name: string;
  readonly target: ChatTarget;
  readonly tokensPerWord: number;
  /** It takes `ignore_eos`: answers are as long as they shall be. */
  readonly ignoreEnd: boolean;
}

/** One figure in one round; a text where there is none. */
export interface Sample {
  readonly measurement: string;
  readonly target: string;
  readonly value: number | string;
}

export interface Caller {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/** Where a server does not tell how long prompts are. */
const usualTokensPerWord = 1.3;

/** Reads some words, so that nothing is loaded any more, and learns how many tokens a word is there. */
export async function warmUp(name: string, target: ChatTarget, caller: Caller): Promise<WarmTarget> {
  const ask = (words: number, ignoreEnd: boolean) =>
    askOne(target, { messages: userSays(someWords(words, words)), maxTokens: 8, ignoreEnd }, caller);
  let ignoreEnd = true;
  const few = await ask(8, true).catch((error: unknown) => {
    if (!(error instanceof ChatFailure) || (error.status !== 400 && error.status !== 422)) throw error;
    ignoreEnd = false;
    return ask(8, false);
  });
  const many = await ask(72, ignoreEnd);
  const perWord = (many.promptTokens - few.promptTokens) / 64;
  return { name, target, ignoreEnd, tokensPerWord: perWord > 0 ? perWord : usualTokensPerWord };
}

export interface RoundsOptions extends Caller {
  readonly rounds: number;
  /** Of the prompts: a server that runs on remembers those of another run, and would have nothing to read of the same ones. */
  readonly seed: number;
  /** Told before each. */
  readonly onTurn: (measurement: Measurement, target: WarmTarget, round: number) => void;
}

/** Every measurement on every server by turns, round after round, the order changing from round to round. */
export async function runRounds(
  measurements: readonly Measurement[],
  targets: readonly WarmTarget[],
  { rounds, seed: first, onTurn, ...caller }: RoundsOptions,
): Promise<Sample[]> {
  const samples: Sample[] = [];
  for (let round = 0; round < rounds; round++) {
    for (const [index, measurement] of measurements.entries()) {
      for (const place of targets.keys()) {
        const target = targets[(place + round) % targets.length];
        if (!target) continue;
        onTurn(measurement, target, round);
        const seed = first + (measurement.samePrompt ? index : (round + 1) * 1000 + index * 20);
        const value = await figureAt(target, measurement, { seed, ...caller });
        samples.push({ measurement: measurement.name, target: target.name, value });
      }
    }
  }
  return samples;
}

/** A measurement that fails on one server must not cost the figures of all the others. */
async function figureAt(
  { target, tokensPerWord, ignoreEnd }: WarmTarget,
  measurement: Measurement,
  { seed, ...caller }: Caller & { readonly seed: number },
): Promise<number | string> {
  const words = Math.max(1, Math.round(measurement.promptTokens / tokensPerWord));
  // Where one fails, the others must not run on beside the next measurement.
  const over = new AbortController();
  const together = { ...caller, signal: AbortSignal.any([caller.signal, over.signal]) };
  const chats = Array.from({ length: measurement.streams }, (_, stream) => {
    const messages = userSays(someWords(words, seed + stream));
    return askOne(target, { messages, maxTokens: measurement.answerTokens, ignoreEnd }, together);
  });
  try {
    return figureOf(measurement, await Promise.all(chats));
  } catch (error) {
    caller.signal.throwIfAborted();
    return `failed: ${error instanceof Error ? error.message : String(error)}`;
  } finally {
    over.abort(new Error('the measurement is over'));
  }
}

async function askOne(target: ChatTarget, options: ChatOptions, { clock, signal }: Caller): Promise<ChatResult> {
  signal.throwIfAborted();
  const chat = startChat(target, options, clock);
  try {
    return await untilAborted(chat.done, signal);
  } finally {
    if (signal.aborted) chat.abort();
  }
}

function userSays(content: string) {
  return [{ role: 'user', content }] as const;
}

import type { MeasurementKind } from '../contract/measurements.ts';
import { firstTokenMs, promptTokensPerSecond, tokensPerSecond } from './rates.ts';
import type { ChatResult } from './timed-chat.ts';

/** One situation, as a user is in it. */
export interface Measurement {
  /** `decode-4`. */
  readonly name: string;
  readonly kind: MeasurementKind;
  readonly title: string;
  readonly unit: 'tokens/s' | 'ms';
  /** Requests at the same time. */
  readonly streams: number;
  /** About so many. */
  readonly promptTokens: number;
  readonly answerTokens: number;
  /** Every round has the same prompt, so that only the answer after it is computed. */
  readonly samePrompt: boolean;
}

export interface MeasurementWish {
  readonly kinds: readonly MeasurementKind[];
  /** Of an answer. */
  readonly tokens: number;
  /** Of a slot. */
  readonly contextSize: number;
  readonly slots: number;
}

/** What is asked at once; those that the server has slots for are measured. */
const streamCounts = [1, 4, 8];
export const mostStreams = Math.max(...streamCounts);
/** Tokens of prompts, where the context has room for them. */
const lengths = { long: 512, short: 24, first: 40, deep: 2000 };
/** Of the template, and for words that are more tokens than was guessed. */
const margin = 160;

export function measurementsFor({ kinds, tokens, contextSize, slots }: MeasurementWish): Measurement[] {
  const room = Math.max(16, contextSize - tokens - margin);
  const long = Math.min(lengths.long, room);
  const deep = Math.min(lengths.deep, room);
  const counts = streamCounts.filter((count) => count <= slots);
  const base = { answerTokens: tokens, samePrompt: false };
  const all: Measurement[] = [
    ...counts.map((streams) => ({
      ...base,
      ...({
        name: `prompt-${streams}`,
        kind: 'prompt',
        unit: 'tokens/s',
        streams,
        promptTokens: long,
        answerTokens: 4,
      } as const),
      title: `reading prompts of ${long} tokens, ${together(streams)}`,
    })),
    ...counts.map((streams) => ({
      ...base,
      ...({
        name: `decode-${streams}`,
        kind: 'decode',
        unit: 'tokens/s',
        streams,
        promptTokens: lengths.short,
      } as const),
      title: `writing, ${together(streams)}`,
    })),
    {
      ...base,
      ...{
        name: 'first-token',
        kind: 'first-token',
        unit: 'ms',
        streams: 1,
        promptTokens: lengths.first,
        answerTokens: 4,
      },
      title: `first token behind ${lengths.first} tokens`,
    },
    {
      ...base,
      ...{ name: 'deep', kind: 'deep', unit: 'tokens/s', streams: 1, promptTokens: deep, samePrompt: true },
      title: `writing behind ${deep} tokens`,
    },
  ];
  return all.filter(({ kind }) => kinds.includes(kind));
}

function together(streams: number): string {
  return streams === 1 ? '1 stream' : `${streams} streams together`;
}

/** Of a server's answers. Throws an Error that says why there is none. */
export function figureOf({ kind }: Measurement, results: readonly ChatResult[]): number {
  switch (kind) {
    case 'prompt':
      return promptTokensPerSecond(results);
    case 'decode':
    case 'deep':
      return tokensPerSecond(results);
    case 'first-token': {
      const [result] = results;
      if (!result) throw new Error('there was no answer');
      return firstTokenMs(result);
    }
    default:
      return kind satisfies never;
  }
}

/** Of the library alone: times in milliseconds, of the prompts and of `answerTokens` of each stream. */
export function bareFigureOf(
  { kind, streams, promptTokens, answerTokens }: Measurement,
  { promptMs, decodeMs }: { readonly promptMs: number; readonly decodeMs: number },
): number {
  switch (kind) {
    case 'prompt':
      return (1000 * streams * promptTokens) / promptMs;
    case 'decode':
    case 'deep':
      return (1000 * streams * answerTokens) / decodeMs;
    case 'first-token':
      return promptMs;
    default:
      return kind satisfies never;
  }
}

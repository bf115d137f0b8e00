import type { AnswerFigures } from './message.ts';

/** Where the time of an answer went, in milliseconds. */
export interface TimeSpent {
  readonly queue: number;
  readonly reading: number;
  readonly thinking: number;
  readonly writing: number;
}

/** The one thing that would have made the most difference. */
export type Advice = 'queue' | 'reread' | 'long-prompt' | 'thinking' | 'writing' | undefined;

/** An answer that was there sooner was quick. */
const quickMs = 3000;

/** Thoughts and text are written at the same pace, so their tokens share the time. */
export function timeSpent({ queueMs, promptMs, predictedMs, thoughtTokens, answerTokens }: AnswerFigures): TimeSpent {
  const share = answerTokens > 0 ? Math.min(1, thoughtTokens / answerTokens) : 0;
  return { queue: queueMs, reading: promptMs, thinking: predictedMs * share, writing: predictedMs * (1 - share) };
}

export function adviceFor(figures: AnswerFigures): Advice {
  const spent = timeSpent(figures);
  const { queue, reading, thinking, writing } = spent;
  if (queue + reading + thinking + writing < quickMs) return undefined;
  const most = Math.max(queue, reading, thinking, writing);
  if (most === queue) return 'queue';
  // Less than half was kept of what is mostly the same from turn to turn.
  if (most === reading) return figures.cachedTokens * 2 < figures.promptTokens ? 'reread' : 'long-prompt';
  return most === thinking ? 'thinking' : 'writing';
}

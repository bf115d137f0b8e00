import { Collector, type FinishEvent, type GenerationEvent } from '../contract/events.ts';
import { checkAnswer } from '../grammar/check-answer.ts';
import type { Constraint } from '../grammar/constraint.ts';

/** Watches an answer whose grammar had to be looser than its schema. */
export interface AnswerCheck {
  see(events: readonly GenerationEvent[]): void;
  /** Sentences about what does not fit; a cut answer is not judged. */
  warnings(finish: FinishEvent): readonly string[];
}

const nothingToCheck: AnswerCheck = { see: () => undefined, warnings: () => [] };

export function createAnswerCheck(constraint: Constraint, start: GenerationEvent): AnswerCheck {
  const { checks } = constraint;
  if (checks.answer === undefined && checks.tools.size === 0) return nothingToCheck;
  const collector = new Collector();
  collector.add(start);
  return {
    see(events) {
      for (const event of events) collector.add(event);
    },
    warnings(finish) {
      if (finish.reason === 'length' || finish.cancelled) return [];
      collector.add(finish);
      return checkAnswer(constraint, collector.result().blocks);
    },
  };
}

import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Requests to the demo model with their exact greedy outputs, see models/README.md. */
interface DemoExample {
  readonly skill: string;
  readonly request: { readonly messages: readonly unknown[]; readonly [field: string]: unknown };
  readonly prompt: string;
  readonly raw: string;
  readonly reasoning: string;
  readonly content: string;
  readonly tool_calls: readonly unknown[];
  readonly finish_reason: string;
  readonly prompt_tokens: number;
  readonly completion_tokens: number;
  /** Lowest probability of any chosen token: a near tie may fall the other way on another machine. */
  readonly certainty: number;
}

const all = JSON.parse(
  readFileSync(resolve(import.meta.dirname, '../fixtures/demo-examples.json'), 'utf8'),
) as DemoExample[];

export const examples = all.filter(({ certainty }) => certainty > 0.5);

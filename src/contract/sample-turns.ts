/** The same small conversation as one template writes it, in variants that differ in one thing. Texts without generation prompt. */
export interface SampleTurns {
  /** The assistant answers `words.answer`. */
  readonly answer: string;
  /** The assistant thinks `words.thought` before it answers; undefined when the template shows no thoughts. */
  readonly thought: string | undefined;
  /** The assistant calls `words.tool` once, or twice, with the arguments `{[words.key]: words.value}`. */
  readonly call: string | undefined;
  readonly calls: string | undefined;
}

/** What to look for in the samples. */
export const sampleWords = {
  answer: 'answer-needle',
  thought: 'thought-needle',
  tool: 'tool_needle',
  key: 'key_needle',
  value: 'value_needle',
} as const;

/** The same small conversation as one template writes it, in variants that differ in one thing. */
export interface SampleTurns {
  /** The assistant answers `words.answer`. */
  readonly answer: string;
  /** The assistant thinks `words.thought` before it answers; undefined when the template shows no thoughts. */
  readonly thought: string | undefined;
  /** The assistant calls `words.tool` once, or twice, with the arguments `{[words.key]: words.value}`. */
  readonly call: string | undefined;
  readonly calls: string | undefined;
  /** The assistant thinks `words.thought` before it calls; undefined when the template shows no thoughts. */
  readonly thoughtfulCall: string | undefined;
  /** What add_generation_prompt appends, with thinking on and off; "" when nothing. The other texts have none. */
  readonly generationPrompt: string;
  readonly generationPromptWithoutThought: string;
}

/** What to look for in the samples. */
export const sampleWords = {
  answer: 'answer-needle',
  thought: 'thought-needle',
  tool: 'tool_needle',
  key: 'key_needle',
  value: 'value_needle',
} as const;

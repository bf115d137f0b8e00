import type { GenerationResult, TokenLogprob } from '../../contract/events.ts';

/** Everything the model wrote, in order: answers to raw prompts have no parts. */
export function rawText(result: GenerationResult): string {
  return result.blocks.map((block) => (block.kind === 'tool-call' ? block.arguments : block.text)).join('');
}

/** The text of one kind of block. */
export function textOf(result: GenerationResult, kind: 'text' | 'reasoning'): string {
  return result.blocks.map((block) => (block.kind === kind ? block.text : '')).join('');
}

/** The answer's tokens with their log probabilities, reasoning included, as far as they were asked for. */
export function tokensOf(result: GenerationResult): readonly TokenLogprob[] {
  return result.blocks.flatMap((block) => (block.kind === 'tool-call' ? [] : block.logprobs));
}

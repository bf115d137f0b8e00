import { ServeError } from '../contract/errors.ts';
import type { Directive, EngineInfo, EngineJob } from './engine.ts';
import { isMediaRow } from './media-ids.ts';

/**
 * Throws where no engine could do the job: whoever takes requests has refused such prompts before, in better words. One
 * that came through would fail the step that it shares with all others.
 */
export function checkPrompt(prompt: EngineJob['prompt'], { contextSize }: Pick<EngineInfo, 'contextSize'>): void {
  if (prompt.length === 0) throw refusal('A prompt has one token at least.');
  if (prompt.length > contextSize) {
    throw refusal(`A prompt of ${prompt.length} tokens does not fit the context (${contextSize}).`);
  }
}

/** Ids above the vocabulary stand for media that come with the job, and for nothing else. */
export function checkPromptTokens({ prompt, media = [] }: Pick<EngineJob, 'prompt' | 'media'>, info: EngineInfo): void {
  let from = 0;
  for (const { start, rows } of media) {
    if (!info.media || start < from || rows < 1 || start + rows > prompt.length)
      throw refusal('An image or a sound is misplaced.');
    checkTokens(prompt.slice(from, start), info);
    from = start + rows;
    if (!prompt.slice(start, from).every(isMediaRow)) throw refusal('An image or a sound stands where tokens are.');
  }
  checkTokens(from === 0 ? prompt : prompt.slice(from), info);
}

export function checkTokens(tokens: readonly number[], { vocabularySize }: Pick<EngineInfo, 'vocabularySize'>): void {
  for (const token of tokens) {
    if (Number.isInteger(token) && token >= 0 && token < vocabularySize) continue;
    throw refusal(`${token} is no token of this model (0 to ${vocabularySize - 1}).`);
  }
}

/** Throws when a run that is not steered is told what comes next: it may have been sampled already. */
export function checkDirective({ steered }: Pick<EngineJob, 'steered'>, { type }: Directive): void {
  if (steered || type === 'continue' || type === 'stop') return;
  throw refusal(`The directive ${type} came to a run that is not steered.`);
}

function refusal(words: string): ServeError {
  return new ServeError('internal', words);
}

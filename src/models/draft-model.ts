import { ServeError } from '../contract/errors.ts';
import type { FileProfile } from './profile.ts';

/** Vocabularies of one family are padded to different lengths; the tokens themselves are the same (llama.cpp, speculative.cpp). */
const paddingTokens = 128;

/** Whether guesses of the one can be tokens of the other, as far as the files tell. */
export function speaksSameTokens(draft: FileProfile, model: FileProfile): boolean {
  const tokenizer = ({ metadata }: FileProfile) => metadata['tokenizer.ggml.model'];
  const { vocabularySize: guessed = 0 } = draft;
  const { vocabularySize: known = 0 } = model;
  return tokenizer(draft) === tokenizer(model) && Math.abs(guessed - known) <= paddingTokens;
}

export function otherTokens(draft: FileProfile, model: FileProfile): ServeError {
  return new ServeError(
    'invalid_request',
    `${draft.id} (${draft.vocabularySize ?? 0} tokens) cannot guess for ${model.id} (${model.vocabularySize ?? 0} tokens): a draft model needs the same vocabulary.`,
    { param: 'draft_model' },
  );
}

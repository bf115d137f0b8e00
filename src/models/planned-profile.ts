import type { ModelProfile } from '../contract/model.ts';
import { mostByDefault } from './default-context.ts';
import type { MemoryShape } from './memory.ts';
import { completeProfile, type FileProfile, unknownVocabulary } from './profile.ts';

/** As far as the file tells: for a model that will be loaded by the request that asks. */
export function plannedProfile(
  file: FileProfile,
  { contextSize, slots }: Pick<MemoryShape, 'contextSize' | 'slots'>,
): ModelProfile {
  const { trainedContextSize, vocabularySize = 0, metadata, architecture } = file;
  const width = metadata[`${architecture}.embedding_length`];
  return completeProfile(file, {
    vocabulary: { ...unknownVocabulary, size: vocabularySize },
    embeddingSize: typeof width === 'number' ? width : 0,
    slots,
    // On a GPU it may be more.
    contextSize: contextSize || Math.min(trainedContextSize, mostByDefault),
  });
}

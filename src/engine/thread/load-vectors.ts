import type { VocabularyFacts } from '../../contract/model.ts';
import { buildEngine } from '../build-engine.ts';
import type { Embedder, Ranker } from '../embedder.ts';
import type { TokenText } from '../engine.ts';
import type { LoadOptions } from '../load-options.ts';
import { describeModel } from '../remote/model-description.ts';
import { createTokenText } from '../token-text.ts';
import { loadWeights, type ThreadLoadOptions, yieldToEventLoop } from './load.ts';

export interface VectorLoadOptions
  extends Pick<
      ThreadLoadOptions,
      'path' | 'library' | 'parameters' | 'verbose' | 'entry' | 'waitAtExit' | 'signal' | 'onProgress'
    >,
    Pick<LoadOptions, 'threads' | 'pool'> {
  /** Longest input in tokens; undefined: what suits the model. */
  readonly maxTokens?: number | undefined;
}

/** A model that is there for its vectors or scores only: no slots, no step loop. */
export interface LoadedVectorModel {
  readonly embedder: Embedder;
  /** undefined: the model has no ranking head. */
  readonly ranker: Ranker | undefined;
  readonly text: TokenText;
  readonly vocabulary: VocabularyFacts;
  dispose(): Promise<void>;
}

export async function loadVectorModel(options: VectorLoadOptions): Promise<LoadedVectorModel> {
  const loading = await loadWeights(options);
  try {
    const { thread, weights, held } = loading;
    thread.channel.send({ type: 'vectors', options: { threads: options.threads, pool: options.pool ?? {} } });
    const description = describeModel(held.vocabulary, weights, { mostVectorTokens: options.maxTokens });
    const { loaded, remote } = buildEngine({
      facts: await thread.wait(thread.loaded, options.signal),
      description,
      text: createTokenText({ vocabulary: held.vocabulary, yieldToEventLoop }),
      fingerprint: '',
      weights,
      send: (message) => thread.channel.send(message),
      interrupt: () => undefined,
      end: () => loading.end(),
      onStep: undefined,
      placement: undefined,
    });
    thread.serve(remote, () => undefined);
    return {
      ...loaded.openVectors(),
      text: loaded.engine.text,
      vocabulary: description.vocabulary,
      dispose: () => loaded.engine.dispose(),
    };
  } catch (error) {
    await loading.end();
    throw error;
  }
}

import type { VocabularyFacts } from '../../contract/model.ts';
import { type Vocabulary, vocabularyType } from '../../native/vocabulary.ts';
import { controlTexts } from '../token-text.ts';
import type { LoadedWeights } from './protocol.ts';
import type { RankingMarks, TextMarks, VectorFacts } from './remote-vectors.ts';

/** What the server knows of a model besides its engine; plain data, which goes to another process as it is. */
export interface ModelDescription {
  readonly vocabulary: VocabularyFacts;
  readonly endTokens: readonly number[];
  readonly vectors: VectorFacts;
}

export interface DescriptionOptions {
  /** Longest input for vectors; undefined: what the model was trained for, up to what fits ordinary memory. */
  readonly mostVectorTokens: number | undefined;
}

const usualVectorTokens = 4096;
/** The memory of one batch grows with its square where flash attention is not at hand. */
const usualWholeBatch = 2048;

export function describeModel(
  vocabulary: Vocabulary,
  { architecture, facts, pooling, ranks }: LoadedWeights,
  { mostVectorTokens }: DescriptionOptions,
): ModelDescription {
  const most = mostVectorTokens ?? (pooling === 'last' ? usualVectorTokens : usualWholeBatch);
  return {
    vocabulary: vocabularyFacts(vocabulary),
    endTokens: allTokens(vocabulary).filter((token) => vocabulary.isEndOfGeneration(token)),
    vectors: {
      dimensions: facts.vectorSize,
      pooling,
      maxTokens: Math.min(most, facts.trainedContextSize),
      vocabularySize: vocabulary.size,
      marks: marksOf(vocabulary),
      ranking: ranks ? rankingMarks(vocabulary, architecture) : undefined,
    },
  };
}

function allTokens({ size }: Vocabulary): number[] {
  return Array.from({ length: size }, (_, token) => token);
}

export function vocabularyFacts(vocabulary: Vocabulary): VocabularyFacts {
  const { size, bos, eos } = vocabulary;
  return {
    size,
    bosText: vocabulary.spelling(bos),
    eosText: vocabulary.spelling(eos),
    ...(bos >= 0 && { bosToken: bos }),
    addsBos: vocabulary.addsBos,
    addsEos: vocabulary.addsEos,
    controlTexts: controlTexts(vocabulary),
    infill: vocabulary.infill(),
  };
}

/** As llama.cpp's own tokenizer sets them: those of XLM-RoBERTa's kind begin with what `cls` pooling looks at. */
function marksOf(vocabulary: Vocabulary): TextMarks {
  const { type, bos, eos, sep, addsBos, addsEos } = vocabulary;
  const { wordPiece, unigram } = vocabularyType;
  const known = (token: number) => (vocabulary.has(token) ? token : undefined);
  const last = type === wordPiece ? sep : eos;
  return {
    first: type === wordPiece || addsBos ? known(bos) : undefined,
    last: type === wordPiece || type === unigram || addsEos ? known(last) : undefined,
  };
}

/** Whose classification head ends in a softmax (llama-graph.cpp, build_pooling). */
const normalizedArchitectures = ['qwen3', 'qwen3vl'];

function rankingMarks(vocabulary: Vocabulary, architecture: string): RankingMarks | undefined {
  const { bos, eos, sep } = vocabulary;
  const known = (...tokens: number[]) => tokens.filter((token) => vocabulary.has(token));
  if (known(eos, sep).length === 0) return undefined;
  return {
    before: known(bos),
    between: known(eos, sep),
    after: known(eos),
    normalized: normalizedArchitectures.includes(architecture),
  };
}

import { stat } from 'node:fs/promises';
import { ServeError } from '../contract/errors.ts';
import { isJsonObject, type JsonValue } from '../contract/json.ts';
import type { ModelProfile, VocabularyFacts } from '../contract/model.ts';
import type { ProjectorFile } from '../contract/projector.ts';
import { type FileKind, kindOf, kindWords } from './file-kind.ts';
import { findModel, type kindsIn, modelName } from './find-model.ts';
import { findProjectors } from './find-projector.ts';
import { type GgufHeader, type GgufTensor, readGguf } from './gguf.ts';
import { fileTypes } from './gguf-tables.ts';
import { readProjector } from './projector.ts';

/** What only the loaded model and the settings can tell. */
export interface LoadedFacts {
  readonly vocabulary: VocabularyFacts;
  /** Context per slot. */
  readonly contextSize: number;
  readonly slots: number;
  readonly embeddingSize: number;
}

/** What the file alone tells. */
export type FileProfile = Omit<ModelProfile, keyof LoadedFacts> & {
  /** Tokens, where the file lists them. */
  readonly vocabularySize?: number;
  readonly tensors?: readonly Pick<GgufTensor, 'name' | 'bytes' | 'type'>[];
  /** Others beside `projector`, of worse precision: for where that one takes too much memory. */
  readonly otherProjectors?: readonly ProjectorFile[];
};

export interface ProfileOptions {
  /** The first one is the model's id, the others are further names. */
  readonly aliases?: readonly string[];
  /** Instead of the templates in the file. */
  readonly chatTemplate?: string | undefined;
  readonly chatFormat?: string | undefined;
  /** Path of its projector; false: it shall have none. Absent: what lies beside it. */
  readonly projector?: string | false | undefined;
  /** It is to give embeddings and ranks only. */
  readonly forVectors?: boolean;
  /** Tells what lies in a folder; absent: it is looked into. */
  readonly lookInto?: typeof kindsIn;
}

/**
 * Profile of a model on disk (target as in findModel), without loading it. All parts of a split model are checked.
 * Throws ServeError invalid_request for anything that is no sound GGUF model.
 */
export async function readModelProfile(target: string | undefined, options: ProfileOptions = {}): Promise<FileProfile> {
  const { path, parts } = await findModel(target);
  const headers = await Promise.all(parts.map((part) => readGguf(part)));
  const first = headers[0];
  if (!first) throw new ServeError('internal', `The model ${path} has no parts.`);
  refuseOthers(path, kindOf(first.metadata));
  const { mtimeMs } = await stat(path);
  const projectors = options.forVectors ? [] : await projectorsFor(path, first, options);
  const described = describe(path, first, { headers, created: Math.floor(mtimeMs / 1000), options });
  return withProjectors(described, projectors);
}

async function projectorsFor(path: string, model: GgufHeader, { projector: wish, lookInto }: ProfileOptions) {
  if (wish === false) return [];
  return wish === undefined ? findProjectors(path, model, lookInto) : [await readProjector(wish)];
}

/** All that could be its projector, the best first. */
export function projectorsOf({ projector, otherProjectors = [] }: FileProfile): readonly ProjectorFile[] {
  return projector ? [projector, ...otherProjectors] : [];
}

export function withProjectors(
  { projector: _, otherProjectors: __, ...file }: FileProfile,
  [projector, ...otherProjectors]: readonly ProjectorFile[],
): FileProfile {
  if (!projector) return file;
  return otherProjectors.length === 0 ? { ...file, projector } : { ...file, projector, otherProjectors };
}

function refuseOthers(path: string, kind: FileKind): void {
  if (kind === 'model') return;
  const { is, next } = kindWords[kind];
  throw new ServeError('invalid_request', `${path} is ${is}. ${next}`, { param: path });
}

/** Of a model that is not loaded. */
export const unknownVocabulary: VocabularyFacts = {
  size: 0,
  bosText: '',
  eosText: '',
  addsBos: false,
  addsEos: false,
  controlTexts: [],
  infill: undefined,
};

export function completeProfile(
  { vocabularySize: _, tensors: __, otherProjectors: ___, ...profile }: FileProfile,
  facts: LoadedFacts,
): ModelProfile {
  return { ...profile, ...facts };
}

interface Rest {
  readonly headers: readonly GgufHeader[];
  readonly created: number;
  readonly options: ProfileOptions;
}

function describe(path: string, first: GgufHeader, { headers, created, options }: Rest): FileProfile {
  const { metadata } = first;
  const architecture = architectureOf(metadata, path);
  const [id = modelName(path), ...aliases] = options.aliases ?? [];
  const vocabularySize = lengthOf(metadata.get('tokenizer.ggml.tokens'));
  const tensors = headers.flatMap((header) => header.tensors);
  return {
    id,
    aliases,
    path,
    created,
    architecture,
    sizeBytes: headers.reduce((sum, header) => sum + header.fileSize, 0),
    parameters: tensors.reduce((sum, tensor) => sum + tensor.values, 0) || undefined,
    tensors: tensors.map(({ name, bytes, type }) => ({ name, bytes, type })),
    quantization: fileTypes[numberOf(metadata.get('general.file_type')) ?? -1],
    trainedContextSize: numberOf(metadata.get(`${architecture}.context_length`)) ?? 0,
    chatTemplate: options.chatTemplate?.replace(/^\ufeff/, '') ?? textOf(metadata.get('tokenizer.chat_template')),
    toolTemplate:
      options.chatTemplate === undefined ? textOf(metadata.get('tokenizer.chat_template.tool_use')) : undefined,
    chatFormat: options.chatFormat,
    // One whose attention sees the whole input has no next token to tell.
    generates: !options.forVectors && metadata.get(`${architecture}.attention.causal`) !== false,
    recommendedSampling: recommendedSampling(metadata),
    metadata: Object.fromEntries([...metadata].filter(([, value]) => !isLongArray(value))),
    ...(vocabularySize !== undefined && { vocabularySize }),
  };
}

/** Throws ServeError invalid_request when the file names none. */
export function architectureOf(metadata: GgufHeader['metadata'], path: string): string {
  const architecture = textOf(metadata.get('general.architecture'));
  if (architecture !== undefined) return architecture;
  throw new ServeError('invalid_request', `${path}: this GGUF file names no architecture, so it holds no model.`);
}

function recommendedSampling(metadata: ReadonlyMap<string, JsonValue>): ModelProfile['recommendedSampling'] {
  const entries = {
    temperature: numberOf(metadata.get('general.sampling.temp')),
    topP: numberOf(metadata.get('general.sampling.top_p')),
    topK: numberOf(metadata.get('general.sampling.top_k')),
    minP: numberOf(metadata.get('general.sampling.min_p')),
  };
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined));
}

function textOf(value: JsonValue | undefined): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) ? value : undefined;
}

function lengthOf(value: JsonValue | undefined): number | undefined {
  if (Array.isArray(value)) return value.length;
  return isJsonObject(value) ? numberOf(value.length) : undefined;
}

function isLongArray(value: JsonValue): boolean {
  return isJsonObject(value);
}

import { createHash } from 'node:crypto';
import type { JsonObject } from '../../contract/json.ts';
import type { ModelProfile } from '../../contract/model.ts';
import { callsTools, isForVectors, parameterText, thinks } from '../shared/model-facts.ts';

/**
 * The version of Ollama's API that is spoken here. Clients compare it to know what they may ask for, so it is not this
 * server's own version.
 */
export const ollamaVersion = '0.12.0';

/** Of a time that never comes: when an idle model goes is not part of what is told about it. */
const never = '9999-12-31T23:59:59Z';

/** An entry of /api/tags. */
export function listedModel(profile: ModelProfile): JsonObject {
  return {
    name: ollamaName(profile),
    model: ollamaName(profile),
    modified_at: modifiedAt(profile),
    size: profile.sizeBytes,
    digest: digest(profile),
    details: details(profile),
  };
}

/** An entry of /api/ps. */
export function runningModel(profile: ModelProfile): JsonObject {
  const { modified_at: _, ...listed } = listedModel(profile);
  return { ...listed, expires_at: never, size_vram: 0, context_length: profile.contextSize };
}

/** The answer of /api/show. */
export function shownModel(profile: ModelProfile): JsonObject {
  return {
    modelfile: `FROM ${profile.id}\n`,
    parameters: parameters(profile),
    template: profile.chatTemplate ?? '',
    details: details(profile),
    model_info: modelInfo(profile),
    capabilities: capabilities(profile),
    modified_at: modifiedAt(profile),
  };
}

/** Names without a tag mean `:latest`, and clients that list models expect one. */
function ollamaName({ id }: ModelProfile): string {
  return id.includes(':') ? id : `${id}:latest`;
}

function modifiedAt({ created }: ModelProfile): string {
  return new Date(created * 1000).toISOString();
}

/** Tells models apart as Ollama's does, but is made of file name, size and date: the file itself may be huge. */
function digest({ path, sizeBytes, created }: ModelProfile): string {
  return createHash('sha256').update(`${path}\n${sizeBytes}\n${created}`).digest('hex');
}

function details(profile: ModelProfile): JsonObject {
  return {
    parent_model: '',
    format: 'gguf',
    family: profile.architecture,
    families: [profile.architecture],
    parameter_size: profile.parameters === undefined ? '' : parameterText(profile.parameters),
    quantization_level: profile.quantization ?? '',
  };
}

function parameters({ recommendedSampling }: ModelProfile): string {
  const names = { temperature: 'temperature', topP: 'top_p', topK: 'top_k', minP: 'min_p' } as const;
  return Object.entries(recommendedSampling)
    .map(([name, value]) => `${names[name as keyof typeof names].padEnd(30)} ${value}`)
    .join('\n');
}

function modelInfo({ metadata, architecture, parameters: count, trainedContextSize, embeddingSize }: ModelProfile) {
  return {
    ...metadata,
    'general.architecture': architecture,
    ...(count !== undefined && { 'general.parameter_count': count }),
    [`${architecture}.context_length`]: trainedContextSize,
    [`${architecture}.embedding_length`]: embeddingSize,
  };
}

function capabilities(profile: ModelProfile): string[] {
  if (isForVectors(profile)) return ['embedding'];
  return [
    'completion',
    ...(callsTools(profile) ? ['tools'] : []),
    ...(thinks(profile) ? ['thinking'] : []),
    ...(profile.vocabulary.infill ? ['insert'] : []),
    'embedding',
  ];
}

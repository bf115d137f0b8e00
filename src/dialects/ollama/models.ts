import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { JsonObject } from '../../contract/json.ts';
import type { ModelProfile } from '../../contract/model.ts';
import { sensesOf } from '../../contract/projector.ts';
import { callsTools, isForVectors, parameterText, thinks } from '../shared/model-facts.ts';
import { optional, validate } from '../shared/validate.ts';

/**
 * What clients ask of /api/version before they talk to a server. A client that wants more gets a row here, once what it
 * wants the version for is there.
 */
const versionsAsked = {
  /** `codex --oss`: codex-rs/ollama/src/lib.rs, for /v1/responses. */
  codex: '0.13.4',
  /** 1Code (21st.dev): its settings page, for /v1/messages. */
  '1code': '0.14.2',
  /** VS Code's Copilot: ollamaProvider.ts. */
  copilot: '0.6.4',
  /** Raycast's extension raycast-ollama. */
  raycast: '0.6.4',
  /** Granite.Code: its setup wizard. */
  granite: '0.6.5',
} as const;

/**
 * The version of Ollama's API that is spoken here, the highest that a client asks for. Clients compare it to know what
 * they may ask for, so it is not this server's own version.
 */
export const ollamaVersion = Object.values(versionsAsked).reduce((highest, asked) =>
  highest.localeCompare(asked, 'en', { numeric: true }) < 0 ? asked : highest,
);

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

function parameters({ recommendedSampling: { temperature, topP, topK, minP }, contextSize }: ModelProfile): string {
  const lines = { num_ctx: contextSize, temperature, top_p: topP, top_k: topK, min_p: minP };
  return Object.entries(lines)
    .flatMap(([name, value]) => (value === undefined ? [] : [`${name.padEnd(30)} ${value}`]))
    .join('\n');
}

/** The context is that of a slot, not the trained one: clients fill what they are told and would be refused. */
function modelInfo({ metadata, architecture, parameters: count, contextSize, embeddingSize }: ModelProfile) {
  return {
    ...metadata,
    'general.architecture': architecture,
    ...(count !== undefined && { 'general.parameter_count': count }),
    [`${architecture}.context_length`]: contextSize,
    [`${architecture}.embedding_length`]: embeddingSize,
  };
}

/** Chat models give vectors too, but clients that see `embedding` put a model among their embedding models. */
function capabilities(profile: ModelProfile): string[] {
  if (isForVectors(profile)) return ['embedding'];
  const senses = sensesOf(profile.projector);
  return [
    'completion',
    ...(callsTools(profile) ? ['tools'] : []),
    ...(thinks(profile) ? ['thinking'] : []),
    ...(profile.vocabulary.infill ? ['insert'] : []),
    ...(senses.images ? ['vision'] : []),
    ...(senses.audio ? ['audio'] : []),
  ];
}

const schema = z.object({ model: optional(z.string()), name: optional(z.string()) });

/** The name of the model that /api/show is about; `name` is what the field was called before. */
export function parseShow(body: unknown): string | undefined {
  const { model, name } = validate(schema, body);
  return model ?? name;
}

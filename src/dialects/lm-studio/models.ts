import type { JsonObject } from '../../contract/json.ts';
import type { ModelProfile } from '../../contract/model.ts';
import { sensesOf } from '../../contract/projector.ts';
import { callsTools, displayName, isForVectors, parameterText } from '../shared/model-facts.ts';

/** A model that a request may name; `loaded`: how it is loaded just now. */
export interface StatedModel {
  readonly profile: ModelProfile;
  readonly loaded: ModelProfile | undefined;
}

/** An entry of `GET /api/v0/models`. LM Studio's docs, developer/rest/endpoints. */
export function oldEntry({ profile, loaded }: StatedModel): JsonObject {
  const vectors = isForVectors(profile);
  return {
    id: profile.id,
    object: 'model',
    type: vectors ? 'embeddings' : sensesOf(profile.projector).images ? 'vlm' : 'llm',
    publisher: publisher(profile),
    arch: profile.architecture,
    compatibility_type: 'gguf',
    quantization: profile.quantization ?? '',
    state: loaded ? 'loaded' : 'not-loaded',
    max_context_length: longestContext(profile),
    ...(loaded && { loaded_context_length: loaded.contextSize }),
    ...(!vectors && { capabilities: callsTools(profile) ? ['tool_use'] : [] }),
  };
}

/** An entry of `GET /api/v1/models`. LM Studio's docs, developer/rest/list. */
export function entry({ profile, loaded }: StatedModel): JsonObject {
  const vectors = isForVectors(profile);
  return {
    type: vectors ? 'embedding' : 'llm',
    publisher: publisher(profile),
    key: profile.id,
    display_name: displayName(profile.id),
    ...(!vectors && { architecture: profile.architecture }),
    quantization: { name: profile.quantization ?? null, bits_per_weight: bitsOf(profile.quantization) },
    size_bytes: profile.sizeBytes,
    params_string: profile.parameters === undefined ? null : parameterText(profile.parameters),
    loaded_instances: loaded ? [instance(loaded, vectors)] : [],
    max_context_length: longestContext(profile),
    format: 'gguf',
    ...(!vectors && {
      capabilities: { vision: sensesOf(profile.projector).images, trained_for_tool_use: callsTools(profile) },
      description: null,
    }),
  };
}

function instance({ id, contextSize, slots }: ModelProfile, vectors: boolean): JsonObject {
  return { id, config: { context_length: contextSize, ...(!vectors && { parallel: slots }) } };
}

/** Of `owner/repo/file`; of other names what the file says of its maker. */
function publisher({ id, metadata }: ModelProfile): string {
  const [owner, ...rest] = id.split('/');
  if (rest.length > 0 && owner !== undefined) return owner;
  const maker = metadata['general.organization'] ?? metadata['general.author'];
  return typeof maker === 'string' ? maker : '';
}

function longestContext({ trainedContextSize, contextSize }: ModelProfile): number {
  return trainedContextSize || contextSize;
}

/** As its name says: Q4_K_M is 4, BF16 16. */
function bitsOf(quantization: string | undefined): number | null {
  const digits = /\d+/.exec(quantization ?? '')?.[0];
  return digits === undefined ? null : Number(digits);
}

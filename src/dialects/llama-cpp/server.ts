import { basename } from 'node:path';
import type { ModelFeatures, SlotReport } from '../../contract/control.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { ModelProfile } from '../../contract/model.ts';
import { sensesOf } from '../../contract/projector.ts';
import { mediaMarker } from './prompts.ts';

export interface ServerFacts {
  readonly profile: ModelProfile;
  /** False: the next request that names it loads it. */
  readonly loaded: boolean;
  /** Undefined where nothing is known of them. */
  readonly features: ModelFeatures | undefined;
  /** Of this package. */
  readonly version: string;
}

/** llama.cpp's `GET /props`. The path is the file's name only: where it lies is no business of clients. */
export function writeProps({ profile, loaded, features, version }: ServerFacts): JsonObject {
  const { temperature, topP, topK, minP } = profile.recommendedSampling;
  const senses = sensesOf(profile.projector);
  const recommended = { temperature, top_p: topP, top_k: topK, min_p: minP };
  return {
    default_generation_settings: {
      n_ctx: profile.contextSize,
      params: { n_predict: -1, max_tokens: -1, seed: -1, ...recommended },
    },
    total_slots: profile.slots,
    model_alias: profile.id,
    model_ftype: profile.quantization ?? '',
    model_path: basename(profile.path),
    modalities: { vision: senses.images, audio: senses.audio, video: false },
    ...(profile.projector && { media_marker: mediaMarker }),
    endpoint_slots: true,
    endpoint_props: false,
    endpoint_metrics: true,
    chat_template: profile.chatTemplate ?? '',
    ...(profile.toolTemplate !== undefined && { chat_template_tool_use: profile.toolTemplate }),
    ...(features && {
      chat_template_caps: {
        supports_tools: features.supportsTools,
        supports_tool_calls: features.supportsTools,
        supports_preserve_reasoning: features.supportsPreserveThinking,
      },
    }),
    bos_token: profile.vocabulary.bosText,
    eos_token: profile.vocabulary.eosText,
    build_info: `serve-model ${version}`,
    is_sleeping: !loaded,
  };
}

/** llama.cpp's `GET /slots`, without prompts: how full a slot is stands there for whose tokens it holds. */
export function writeSlots(slots: readonly SlotReport[], { contextSize }: ModelProfile): JsonObject[] {
  return slots.map(({ id, state, tokens, sessionId }) => ({
    id,
    n_ctx: contextSize,
    is_processing: state !== 'idle',
    ...(tokens !== undefined && { n_prompt_tokens: tokens }),
    // Not llama.cpp's: whose turn it is, for whoever sees it.
    ...(sessionId !== undefined && { session_id: sessionId }),
  }));
}

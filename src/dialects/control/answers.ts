import { z } from 'zod';
import type {
  ControlEvent,
  ControlStatus,
  LoadedModelStatus,
  LoadProgress,
  LocalModelInfo,
  SlotReport,
  Verdict,
} from '../../contract/control.ts';
import type { ModelSettings } from '../../contract/model-settings.ts';
import { sensesOf } from '../../contract/projector.ts';
import type { Frame } from '../dialect.ts';
import { displayName } from '../shared/model-facts.ts';

/** The flags of a loaded model, in the answer to a load and in the status. */
const modelFlags = z.object({
  model: z.string(),
  display_name: z.string(),
  is_gguf: z.literal(true),
  is_vision: z.boolean(),
  has_audio_input: z.boolean(),
  /** It was loaded with adapters, see /lora-adapters. */
  is_lora: z.boolean(),
  /** Tokens per slot. */
  context_length: z.int(),
  /** What this machine could take. */
  max_context_length: z.int(),
  /** What the model was trained for. */
  native_context_length: z.int(),
  supports_reasoning: z.boolean(),
  reasoning_style: z.enum(['enable_thinking', 'reasoning_effort']).nullable(),
  reasoning_always_on: z.boolean(),
  supports_preserve_thinking: z.boolean(),
  supports_tools: z.boolean(),
  cache_type_kv: z.string().nullable(),
  chat_template: z.string().nullable(),
  speculative_type: z.enum(['lookup', 'draft']).nullable(),
  inference: z.object({
    temperature: z.number().optional(),
    top_p: z.number().optional(),
    top_k: z.number().optional(),
    min_p: z.number().optional(),
  }),
});
type ModelFlags = z.output<typeof modelFlags>;

export const loadAnswer = modelFlags.extend({ status: z.enum(['loaded', 'already_loaded']) });
export type LoadAnswer = z.output<typeof loadAnswer>;

const unloadAnswer = z.object({ status: z.literal('unloaded'), model: z.string() });
export type UnloadAnswer = z.output<typeof unloadAnswer>;

export const validateAnswer = z.object({
  valid: z.boolean(),
  message: z.string(),
  identifier: z.string(),
  display_name: z.string(),
  is_gguf: z.boolean(),
  is_vision: z.boolean(),
  has_audio_input: z.boolean(),
  size_bytes: z.number().nullable(),
  required_bytes: z.number().nullable(),
  available_bytes: z.number(),
  fits: z.boolean(),
});
export type ValidateAnswer = z.output<typeof validateAnswer>;

const statusModel = modelFlags.extend({ slots: z.int(), memory_bytes: z.number(), device: z.string() });
type StatusModel = z.output<typeof statusModel>;

/** The active model's flags stand at the top level too. */
export const statusAnswer = statusModel.partial().extend({
  active_model: z.string().nullable(),
  loading: z.array(z.string()),
  loaded: z.array(z.string()),
  models: z.array(statusModel),
});
export type StatusAnswer = z.output<typeof statusAnswer>;

export const progressAnswer = z.object({
  phase: z.enum(['download', 'mmap', 'load', 'calibrate', 'ready']).nullable(),
  bytes_loaded: z.number(),
  bytes_total: z.number(),
  fraction: z.number(),
  eta_seconds: z.number().nullable(),
});
export type ProgressAnswer = z.output<typeof progressAnswer>;

export const modelsAnswer = z.object({
  models: z.array(
    z.object({
      id: z.string(),
      path: z.string(),
      size_bytes: z.number(),
      quantization: z.string().nullable(),
      family: z.string().nullable(),
      context_length: z.int().nullable(),
      loaded: z.boolean(),
      /** `folder`: the models folder, from where it can be deleted; `given`: by a flag, a name or a path. */
      source: z.enum(['folder', 'given', 'bundled']),
    }),
  ),
});
export type ModelsAnswer = z.output<typeof modelsAnswer>;

export function writeLoad({
  already,
  model,
}: {
  readonly already: boolean;
  readonly model: LoadedModelStatus;
}): LoadAnswer {
  return { status: already ? 'already_loaded' : 'loaded', ...writeFlags(model) };
}

export function writeUnload(model: string): UnloadAnswer {
  return { status: 'unloaded', model };
}

export function writeVerdict(verdict: Verdict): ValidateAnswer {
  return {
    valid: verdict.valid,
    message: verdict.message,
    identifier: verdict.identifier,
    display_name: displayName(verdict.identifier),
    is_gguf: verdict.valid,
    is_vision: verdict.isVision ?? false,
    has_audio_input: verdict.hasAudioInput ?? false,
    size_bytes: verdict.sizeBytes ?? null,
    required_bytes: verdict.requiredBytes ?? null,
    available_bytes: verdict.availableBytes,
    fits: verdict.fits,
  };
}

export function writeStatus({ active, loading, models }: ControlStatus): StatusAnswer {
  const all = models.map(writeStatusModel);
  const { model: _name, ...flags } = all.find(({ model }) => model === active) ?? { model: '' };
  return {
    ...flags,
    active_model: active ?? null,
    loading: [...loading],
    loaded: all.map(({ model }) => model),
    models: all,
  };
}

export function writeProgress(progress: LoadProgress | undefined): ProgressAnswer {
  if (!progress) return { phase: null, bytes_loaded: 0, bytes_total: 0, fraction: 0, eta_seconds: null };
  const { phase, bytesLoaded, bytesTotal, fraction, etaSeconds } = progress;
  return {
    phase,
    bytes_loaded: bytesLoaded,
    bytes_total: bytesTotal,
    fraction,
    eta_seconds: etaSeconds ?? null,
  };
}

export function writeModels(models: readonly LocalModelInfo[]): ModelsAnswer {
  return {
    models: models.map(({ id, path, sizeBytes, quantization, architecture, trainedContextSize, loaded, source }) => ({
      id,
      path,
      size_bytes: sizeBytes,
      quantization: quantization ?? null,
      family: architecture ?? null,
      context_length: trainedContextSize ?? null,
      loaded,
      source,
    })),
  };
}

/** One named SSE event. */
export function writeEvent(event: ControlEvent): Frame {
  switch (event.type) {
    case 'progress':
      return { type: 'data', event: 'progress', data: { model: event.model, ...writeProgress(event) } };
    case 'model':
      return {
        type: 'data',
        event: 'model',
        data: { model: event.model, state: event.state, error: event.error ?? null },
      };
    case 'slots':
      return {
        type: 'data',
        event: 'slots',
        data: { model: event.model, slots: event.slots.map(writeSlot) },
      };
    default:
      return event satisfies never;
  }
}

function writeSlot({ id, state, tokens, sessionId }: SlotReport) {
  return { id, state, tokens: tokens ?? null, session_id: sessionId ?? null };
}

function writeStatusModel(status: LoadedModelStatus): StatusModel {
  const { profile, memoryBytes, device } = status;
  return { ...writeFlags(status), slots: profile.slots, memory_bytes: memoryBytes, device };
}

function writeFlags({ profile, features, settings, maxContextSize }: LoadedModelStatus): ModelFlags {
  const { temperature, topP, topK, minP } = profile.recommendedSampling;
  return {
    model: profile.id,
    display_name: displayName(profile.id),
    is_gguf: true,
    is_vision: sensesOf(profile.projector).images,
    has_audio_input: sensesOf(profile.projector).audio,
    is_lora: features.hasAdapters ?? false,
    context_length: profile.contextSize,
    max_context_length: maxContextSize,
    native_context_length: profile.trainedContextSize,
    supports_reasoning: features.supportsReasoning,
    reasoning_style: reasoningStyle(features.reasoningStyle),
    reasoning_always_on: features.reasoningAlwaysOn,
    supports_preserve_thinking: features.supportsPreserveThinking,
    supports_tools: features.supportsTools,
    cache_type_kv: settings.cacheType ?? null,
    chat_template: profile.chatTemplate ?? null,
    speculative_type: speculativeType(settings.speculation),
    inference: { temperature, top_p: topP, top_k: topK, min_p: minP },
  };
}

/** Templates call the switch `thinking` too; the server takes enable_thinking for both. */
function reasoningStyle(style: string | undefined): ModelFlags['reasoning_style'] {
  if (style === undefined) return null;
  return style === 'reasoning_effort' ? style : 'enable_thinking';
}

function speculativeType(speculation: ModelSettings['speculation']): ModelFlags['speculative_type'] {
  if (speculation === undefined || speculation === 'off') return null;
  return speculation === 'lookup' ? 'lookup' : 'draft';
}

import { z } from 'zod';
import type { LoadRequest } from '../../contract/control.ts';
import { ServeError } from '../../contract/errors.ts';
import { cacheTypes, type ModelSettings } from '../../contract/model-settings.ts';
import { defined } from '../shared/defined.ts';
import { optional, validate } from '../shared/validate.ts';

/** POST /api/inference/load. Sizes in tokens; 0 and null mean the server's default. */
export const loadBody = z.object({
  model_path: z.string().min(1).max(4096),
  hf_token: optional(z.string()),
  gguf_variant: optional(z.string().min(1).max(100)),
  max_seq_length: optional(z.int().min(0)),
  chat_template_override: optional(z.string()),
  cache_type_kv: optional(z.enum(cacheTypes)),
  gpu_ids: optional(z.array(z.int().min(0))),
  gpu_layers: optional(z.int().min(-1)),
  parallel: optional(z.int().min(0).max(256)),
  speculative_type: optional(z.string()),
  draft_model: optional(z.string()),
  is_lora: optional(z.boolean()),
  lora_path: optional(z.string()),
  adapter_path: optional(z.string()),
});
type LoadBody = z.output<typeof loadBody>;

/** POST /api/inference/unload. */
export const unloadBody = z.object({ model_path: z.string().min(1).max(4096) });
export type UnloadBody = z.output<typeof unloadBody>;

/** POST /api/inference/validate. */
const validateBody = loadBody.pick({ model_path: true, hf_token: true, gguf_variant: true });
type ValidateBody = z.output<typeof validateBody>;

export function parseLoad(body: unknown): Omit<LoadRequest, 'anyPath'> {
  const wire = validate(loadBody, body);
  refuseAdapters(wire);
  const settings: ModelSettings = defined({
    contextSize: wire.max_seq_length || undefined,
    slots: wire.parallel || undefined,
    gpuLayers: wire.gpu_layers === -1 ? undefined : wire.gpu_layers,
    gpuIds: wire.gpu_ids?.length ? [...new Set(wire.gpu_ids)].sort((a, b) => a - b) : undefined,
    cacheType: wire.cache_type_kv,
    chatTemplate: wire.chat_template_override || undefined,
    speculation: speculationOf(wire),
  });
  return { ...sourceOf(wire), settings };
}

export function parseUnload(body: unknown): UnloadBody {
  return validate(unloadBody, body);
}

export function parseValidate(body: unknown): Omit<LoadRequest, 'anyPath'> {
  return { ...sourceOf(validate(validateBody, body)), settings: {} };
}

function sourceOf({ model_path, hf_token, gguf_variant }: ValidateBody) {
  return { target: model_path, ...defined({ hubToken: hf_token || undefined, quantization: gguf_variant }) };
}

/** A UI that asks for one would get the plain model without knowing. */
function refuseAdapters({ is_lora, lora_path, adapter_path }: LoadBody): void {
  const path = lora_path || adapter_path;
  if (is_lora !== true && !path) return;
  throw new ServeError(
    'unsupported_parameter',
    'LoRA adapters are given when the server is started: --lora FILE. Or merge the adapter into the model and convert it to GGUF.',
    { param: is_lora === true ? 'is_lora' : lora_path ? 'lora_path' : 'adapter_path' },
  );
}

function speculationOf({ speculative_type, draft_model }: LoadBody): ModelSettings['speculation'] {
  const type = speculative_type?.toLowerCase() || (draft_model ? 'draft' : undefined);
  switch (type) {
    case undefined:
      return undefined;
    case 'none':
    case 'off':
      return 'off';
    case 'lookup':
    case 'ngram':
      return 'lookup';
    case 'draft':
      if (draft_model) return { draftModel: draft_model };
      throw new ServeError(
        'invalid_request',
        'speculative_type draft needs the path of a small model in `draft_model`.',
        {
          param: 'draft_model',
        },
      );
    default:
      throw new ServeError(
        'unsupported_parameter',
        `\`speculative_type\` is ${JSON.stringify(speculative_type)}, but must be one of none, lookup, draft.`,
        { param: 'speculative_type' },
      );
  }
}

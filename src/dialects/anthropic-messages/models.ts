import type { JsonObject } from '../../contract/json.ts';
import type { ModelProfile } from '../../contract/model.ts';

/**
 * Loaded models in the form of Anthropic's `GET /v1/models`, for clients that send `anthropic-version`. All of them on one
 * page: a server has few.
 */
export function toModelList(models: readonly ModelProfile[]): JsonObject {
  const data = models.map(toModelInfo);
  return { data, has_more: false, first_id: models[0]?.id ?? null, last_id: models.at(-1)?.id ?? null };
}

/** One model, as `GET /v1/models/{id}` answers. Prompt and answer share the context, so both limits are its size. */
export function toModelInfo(model: ModelProfile): JsonObject {
  return {
    type: 'model',
    id: model.id,
    display_name: model.id,
    created_at: rfc3339(model.created),
    max_input_tokens: model.contextSize,
    max_tokens: model.contextSize,
    capabilities: null,
    lifecycle: 'active',
    deprecated_at: null,
    retires_at: null,
    line: null,
  };
}

function rfc3339(unixSeconds: number): string {
  return new Date(unixSeconds * 1000).toISOString().replace('.000Z', 'Z');
}

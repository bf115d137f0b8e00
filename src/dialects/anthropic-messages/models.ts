import type { JsonObject } from '../../contract/json.ts';
import type { ModelProfile } from '../../contract/model.ts';

/** A name that is served, and the model behind it. */
export interface NamedModel {
  readonly id: string;
  readonly profile: ModelProfile;
}

/**
 * Anthropic's form of `GET /v1/models`, for clients that send `anthropic-version`. All names on one page: a server has
 * few.
 */
export function toModelList(models: readonly NamedModel[]): JsonObject {
  const data = models.map(toModelInfo);
  return { data, has_more: false, first_id: models[0]?.id ?? null, last_id: models.at(-1)?.id ?? null };
}

/** One model, as `GET /v1/models/{id}` answers. Prompt and answer share the context, so both limits are its size. */
export function toModelInfo({ id, profile }: NamedModel): JsonObject {
  return {
    type: 'model',
    id,
    display_name: id,
    created_at: rfc3339(profile.created),
    max_input_tokens: profile.contextSize,
    max_tokens: profile.contextSize,
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

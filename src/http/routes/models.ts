import { ServeError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { ModelDirectory } from '../../contract/services.ts';
import { type NamedModel, toModelInfo, toModelList } from '../../dialects/anthropic-messages/models.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';

/** GET /v1/models and one model of it, in OpenAI's form or, for whoever sends anthropic-version, in Anthropic's. */
export function modelRoutes({ models }: AppDependencies): Route[] {
  const common = { method: 'GET', shape: openaiShape, access: 'key', owns: 'none', work: false } as const;
  return [
    { ...common, paths: ['/v1/models', '/models'], handle: (exchange) => Response.json(list(models, exchange)) },
    {
      ...common,
      paths: ['/v1/models/:id{.+}', '/models/:id{.+}'],
      handle: (exchange) => Response.json(one(models, exchange)),
    },
  ];
}

/** One entry per name: gateways that route by a served name look for each of them. */
function named(models: ModelDirectory): NamedModel[] {
  if (models.state() === 'loading')
    throw new ServeError('model_loading', 'The model is still being loaded. Try again in a moment.');
  return models
    .list()
    .flatMap((profile) => [...new Set([profile.id, ...profile.aliases])].map((id) => ({ id, profile })));
}

function list(models: ModelDirectory, exchange: Exchange): JsonObject {
  const all = named(models);
  return isAnthropic(exchange) ? toModelList(all) : { object: 'list', data: all.map(openaiModel) };
}

function one(models: ModelDirectory, exchange: Exchange): JsonObject {
  const id = exchange.parameters.id ?? '';
  const found = named(models).find((entry) => entry.id === id);
  if (found) return isAnthropic(exchange) ? toModelInfo(found) : openaiModel(found);
  const known = named(models).map((entry) => JSON.stringify(entry.id));
  throw new ServeError(
    'model_not_found',
    `There is no model ${JSON.stringify(id)} here. ${known.length === 0 ? 'None is loaded.' : `Loaded: ${known.join(', ')}.`}`,
    { param: 'model' },
  );
}

/** The context size under every name that some client looks for. */
function openaiModel({ id, profile }: NamedModel): JsonObject {
  return {
    id,
    object: 'model',
    created: profile.created,
    owned_by: 'serve-model',
    root: profile.id,
    parent: null,
    context_length: profile.contextSize,
    max_context_length: profile.trainedContextSize,
    max_model_len: profile.contextSize,
    meta: {
      n_ctx: profile.contextSize,
      n_ctx_train: profile.trainedContextSize,
      n_vocab: profile.vocabulary.size,
      n_embd: profile.embeddingSize,
      n_params: profile.parameters ?? null,
      size: profile.sizeBytes,
    },
  };
}

function isAnthropic(exchange: Exchange): boolean {
  return exchange.header('anthropic-version') !== undefined;
}

import { ServeError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import { findByName } from '../../contract/model-names.ts';
import { sensesOf } from '../../contract/projector.ts';
import type { KnownModel, ModelDirectory } from '../../contract/services.ts';
import { type NamedModel, toModelInfo, toModelList } from '../../dialects/anthropic-messages/models.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';

/** GET /v1/models and one model of it, in OpenAI's form or, for whoever sends anthropic-version, in Anthropic's. */
export function modelRoutes({ models }: AppDependencies): Route[] {
  const common = { method: 'GET', shape: openaiShape, access: 'key', owns: 'none', work: false } as const;
  return [
    {
      ...common,
      paths: ['/v1/models', '/models'],
      handle: async (exchange) => Response.json(list(await named(models), exchange)),
    },
    {
      ...common,
      paths: ['/v1/models/:id{.+}', '/models/:id{.+}'],
      handle: async (exchange) => Response.json(one(await named(models), exchange)),
    },
  ];
}

interface Entry extends NamedModel {
  readonly state: KnownModel['state'];
}

/** One entry per name: gateways that route by a served name look for each of them. */
async function named(models: ModelDirectory): Promise<Entry[]> {
  if (models.state() === 'loading')
    throw new ServeError('model_loading', 'The model is still being loaded. Try again in a moment.');
  return (await models.known()).flatMap(({ profile, state }) =>
    [...new Set([profile.id, ...profile.aliases])].map((id) => ({ id, profile, state })),
  );
}

function list(entries: readonly Entry[], exchange: Exchange): JsonObject {
  return isAnthropic(exchange) ? toModelList(entries) : { object: 'list', data: entries.map(openaiModel) };
}

/** Names are read as in requests. */
function one(entries: readonly Entry[], exchange: Exchange): JsonObject {
  const id = exchange.parameters.id ?? '';
  const found = findByName(id, entries, (entry) => ({ id: entry.id, aliases: [], path: entry.profile.path }));
  if (found) return isAnthropic(exchange) ? toModelInfo(found) : openaiModel(found);
  const known = entries.map((entry) => JSON.stringify(entry.id));
  throw new ServeError(
    'model_not_found',
    `There is no model ${JSON.stringify(id)} here. ${known.length === 0 ? 'None is loaded.' : `Known: ${known.join(', ')}.`}`,
    { param: 'model' },
  );
}

/** As the clients look for it that offer images and sounds only where they are taken. */
function beyondText({ images, audio }: ReturnType<typeof sensesOf>): JsonObject {
  if (!images && !audio) return {};
  const input = ['text', ...(images ? ['image'] : []), ...(audio ? ['audio'] : [])];
  const capabilities = ['completion', ...(images ? ['vision'] : []), ...(audio ? ['audio'] : [])];
  return { modalities: { input, output: ['text'] }, capabilities };
}

/** The context size under every name that some client looks for. */
function openaiModel({ id, profile, state }: Entry): JsonObject {
  return {
    id,
    object: 'model',
    created: profile.created,
    owned_by: 'serve-model',
    state,
    root: profile.id,
    parent: null,
    ...beyondText(sensesOf(profile.projector)),
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

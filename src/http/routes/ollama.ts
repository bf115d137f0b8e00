import { ServeError } from '../../contract/errors.ts';
import type { EmbeddingCall } from '../../contract/services.ts';
import { parseEmbed, parseOldEmbeddings, writeEmbed, writeOldEmbeddings } from '../../dialects/embeddings/ollama.ts';
import { ollamaChat, ollamaGenerate } from '../../dialects/ollama/index.ts';
import { listedModel, ollamaVersion, parseShow, runningModel, shownModel } from '../../dialects/ollama/models.ts';
import type { OllamaCall } from '../../dialects/ollama/request.ts';
import { type AnswerDependencies, generationHandler } from '../answers/generation-route.ts';
import type { Exchange } from '../exchange.ts';
import { warningHeader } from '../headers.ts';
import type { Route } from '../route.ts';
import { inputOnly, tokensOf, vectorCaller } from './embeddings.ts';

/** Ollama's API: answers, models, embeddings, and a clear no to the rest. */
export function ollamaRoutes(dependencies: AnswerDependencies): Route[] {
  const { models, embeddings, generation } = dependencies;
  const common = { shape: ollamaChat, access: 'key', owns: 'none', work: false } as const;
  const get = { ...common, method: 'GET' } as const;
  const post = { ...common, method: 'POST' } as const;

  const embed = async (call: EmbeddingCall, exchange: Exchange) => {
    exchange.note({ dialect: 'ollama-embed' });
    const answer = await embeddings.embed(call, vectorCaller(exchange));
    exchange.note({ model: answer.model });
    exchange.spend(inputOnly(tokensOf(answer)));
    const cuts = answer.embeddings.flatMap(({ cutFrom, tokens }, index) =>
      cutFrom === undefined ? [] : [`input[${index}] was cut from ${cutFrom} to ${tokens} tokens`],
    );
    return { answer, headers: warningHeader(cuts) };
  };

  /** Unloading changes the server for everybody, and whoever may generate need not be allowed that. */
  const grantWish = async ({ wish, model }: OllamaCall, { signal }: Exchange) => {
    if (wish === 'unload')
      throw new ServeError(
        'not_implemented',
        'A model cannot be unloaded from here. POST /api/inference/unload does it for whoever administers the server.',
      );
    if (wish === 'load') await generation.ready(model, signal);
  };

  const answers = [
    { dialect: ollamaChat, path: '/api/chat' },
    { dialect: ollamaGenerate, path: '/api/generate' },
  ].map(({ dialect, path }): Route => {
    const handle = generationHandler(dialect, dependencies, grantWish);
    return { ...post, paths: [path], shape: dialect, owns: 'caller', work: true, handle };
  });

  return [
    ...answers,
    {
      ...get,
      paths: ['/api/tags'],
      handle: async () => Response.json({ models: (await models.known()).map(({ profile }) => listedModel(profile)) }),
    },
    { ...get, paths: ['/api/ps'], handle: () => Response.json({ models: models.list().map(runningModel) }) },
    { ...get, paths: ['/api/version'], access: 'open', handle: () => Response.json({ version: ollamaVersion }) },
    {
      ...post,
      paths: ['/api/show'],
      handle: async (exchange) => Response.json(shownModel(models.resolve(parseShow(await exchange.json())))),
    },
    {
      ...post,
      paths: ['/api/embed'],
      work: true,
      handle: async (exchange) => {
        const call = parseEmbed(await exchange.json());
        const { answer, headers } = await embed(call, exchange);
        return Response.json(writeEmbed(call, answer, exchange.sinceStart()), { headers });
      },
    },
    {
      ...post,
      paths: ['/api/embeddings'],
      work: true,
      handle: async (exchange) => {
        const { answer, headers } = await embed(parseOldEmbeddings(await exchange.json()), exchange);
        return Response.json(writeOldEmbeddings(answer), { headers });
      },
    },
    { ...post, paths: ['/api/pull', '/api/push', '/api/create', '/api/copy', '/api/blobs/:digest'], handle: refuse },
    { ...common, method: 'DELETE', paths: ['/api/delete'], handle: refuse },
  ];
}

function refuse({ path }: Exchange): never {
  throw new ServeError(
    'not_implemented',
    `${path} is not possible here: this server has no model store of Ollama's kind. Give it a .gguf file at its start.`,
  );
}

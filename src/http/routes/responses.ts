import { ServeError } from '../../contract/errors.ts';
import { openaiResponses } from '../../dialects/openai-responses/index.ts';
import { writePromptCount } from '../../dialects/shared/prompt-count.ts';
import { type AnswerDependencies, generationHandler } from '../answers/generation-route.ts';
import { promptRequest, runsTools } from '../answers/prompt-request.ts';
import type { Exchange } from '../exchange.ts';
import { KeptResponses } from '../responses/kept-responses.ts';
import type { Route } from '../route.ts';

/** OpenAI's Responses API. What names a kept response answers 404 while nothing is kept. */
export function responsesRoutes(dependencies: AnswerDependencies): Route[] {
  const { responseStore: store, generation } = dependencies;
  const kept = store && new KeptResponses(store, dependencies);
  const parse = async (exchange: Exchange) =>
    kept ? kept.parse(exchange) : openaiResponses.parse(await exchange.json(), runsTools(dependencies));
  const countTokens = async (exchange: Exchange) => {
    const request = promptRequest(await parse(exchange), exchange, dependencies);
    return Response.json(writePromptCount(await generation.countTokens(request, exchange.signal)));
  };
  const create = kept ? kept.create.bind(kept) : generationHandler(openaiResponses, dependencies);
  return [
    route('POST', '/responses', true, create),
    route('POST', '/responses/input_tokens', true, countTokens),
    route('GET', '/responses/:id', false, kept ? kept.retrieve.bind(kept) : notKept),
    route('DELETE', '/responses/:id', false, kept ? kept.delete.bind(kept) : notKept),
    route('POST', '/responses/:id/cancel', false, kept ? kept.cancel.bind(kept) : notKept),
    route('GET', '/responses/:id/input_items', false, kept ? kept.inputItems.bind(kept) : notKept),
  ];
}

function route(method: Route['method'], path: string, work: boolean, handle: Route['handle']): Route {
  return { method, paths: [`/v1${path}`, path], shape: openaiResponses, access: 'key', owns: 'caller', work, handle };
}

function notKept(exchange: Exchange): never {
  throw new ServeError(
    'not_found',
    `There is no response ${JSON.stringify(exchange.parameters.id ?? '')}: this server keeps no responses. Start it with --response-store memory (or a folder) to keep them.`,
  );
}

import { openaiChat } from '../../dialects/openai-chat/index.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import { writePromptCount } from '../../dialects/shared/prompt-count.ts';
import {
  parseDetokenize,
  parseTokenize,
  type TokenizeCall,
  writeDetokenized,
  writeTokens,
} from '../../dialects/tokens/tokens.ts';
import { promptRequest } from '../answers/prompt-request.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';

/** Where no pieces were asked for; one for all, there may be a million. */
const noBytes = new Uint8Array();

/** Texts and chats as tokens, and back. No slot is needed. */
export function tokenRoutes(dependencies: AppDependencies): Route[] {
  const { tokens, generation } = dependencies;
  const common = { method: 'POST', shape: openaiShape, access: 'key', owns: 'none', work: true } as const;
  const promptOf = async (exchange: Exchange) =>
    promptRequest(openaiChat.parse(await exchange.json()), exchange, dependencies);
  const tokensOf = (call: TokenizeCall, exchange: Exchange) =>
    call.type === 'chat'
      ? tokens.promptTokens(promptRequest(call.call, exchange, dependencies), exchange.signal)
      : tokens.tokenize(call.model, call.text, { ...call, signal: exchange.signal });
  return [
    {
      ...common,
      paths: ['/tokenize', '/v1/tokenize'],
      handle: async (exchange) => {
        const call = parseTokenize(await exchange.json());
        const ids = await tokensOf(call, exchange);
        const model = call.type === 'chat' ? call.call.generations[0]?.model : call.model;
        const bytes = call.withPieces ? await tokens.pieces(model, ids, exchange.signal) : [];
        return Response.json(
          writeTokens(
            call,
            ids.map((id, index) => ({ id, bytes: bytes[index] ?? noBytes })),
          ),
        );
      },
    },
    {
      ...common,
      paths: ['/detokenize', '/v1/detokenize'],
      handle: async (exchange) => {
        const call = parseDetokenize(await exchange.json());
        return Response.json(writeDetokenized(await tokens.pieces(call.model, call.tokens, exchange.signal)));
      },
    },
    {
      ...common,
      paths: ['/apply-template', '/v1/apply-template'],
      handle: async (exchange) => {
        const request = await promptOf(exchange);
        return Response.json({ prompt: await generation.renderPrompt(request) });
      },
    },
    {
      ...common,
      paths: ['/v1/chat/completions/input_tokens', '/chat/completions/input_tokens'],
      handle: async (exchange) => {
        const count = await generation.countTokens(await promptOf(exchange), exchange.signal);
        return Response.json(writePromptCount(count));
      },
    },
  ];
}

import { openaiShape } from '../../dialects/shared/openai-error.ts';
import { writePromptCount } from '../../dialects/shared/prompt-count.ts';
import {
  parseChatPrompt,
  parseDetokenize,
  parseTokenize,
  type TokenizeCall,
  writeDetokenized,
  writeTokens,
} from '../../dialects/tokens/tokens.ts';
import type { AppDependencies } from '../dependencies.ts';
import { owned } from '../owned-request.ts';
import type { Route } from '../route.ts';

/** Where no pieces were asked for; one for all, there may be a million. */
const noBytes = new Uint8Array();

/** Texts and chats as tokens, and back. No slot is needed. */
export function tokenRoutes(dependencies: AppDependencies): Route[] {
  const { tokens, generation } = dependencies;
  const common = { method: 'POST', shape: openaiShape, access: 'key', owns: 'none', work: true } as const;
  const tokensOf = (call: TokenizeCall, signal: AbortSignal) =>
    call.type === 'chat'
      ? tokens.promptTokens(call.request, signal)
      : tokens.tokenize(call.model, call.text, { ...call, signal });
  return [
    {
      ...common,
      paths: ['/tokenize', '/v1/tokenize'],
      handle: async (exchange) => {
        const call = parseTokenize(await exchange.json());
        const ids = await tokensOf(call, exchange.signal);
        const model = call.type === 'chat' ? call.request.model : call.model;
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
        const request = parseChatPrompt(await exchange.json());
        return Response.json({ prompt: await generation.renderPrompt(request) });
      },
    },
    {
      ...common,
      paths: ['/v1/chat/completions/input_tokens', '/chat/completions/input_tokens'],
      handle: async (exchange) => {
        const request = parseChatPrompt(await exchange.json());
        const count = await generation.countTokens(owned(request, exchange, dependencies), exchange.signal);
        return Response.json(writePromptCount(count));
      },
    },
  ];
}

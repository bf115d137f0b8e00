import { countTokensAnswer, parseCountTokens } from '../../dialects/anthropic-messages/count-tokens.ts';
import { anthropicMessages } from '../../dialects/anthropic-messages/index.ts';
import type { AppDependencies } from '../dependencies.ts';
import { owned } from '../owned-request.ts';
import type { Route } from '../route.ts';

/** POST /v1/messages/count_tokens: exactly what the same body would take at /v1/messages. No slot is needed. */
export function countTokensRoutes(dependencies: AppDependencies): Route[] {
  const { generation } = dependencies;
  return [
    {
      method: 'POST',
      paths: ['/v1/messages/count_tokens', '/messages/count_tokens'],
      shape: anthropicMessages,
      access: 'key',
      owns: 'none',
      work: true,
      handle: async (exchange) => {
        const request = parseCountTokens(await exchange.json());
        const count = await generation.countTokens(owned(request, exchange, dependencies), exchange.signal);
        return Response.json(countTokensAnswer(count));
      },
    },
  ];
}

import { countTokensAnswer } from '../../dialects/anthropic-messages/answer.ts';
import { anthropicMessages } from '../../dialects/anthropic-messages/index.ts';
import { promptRequest, runsTools } from '../answers/prompt-request.ts';
import type { AppDependencies } from '../dependencies.ts';
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
        const call = anthropicMessages.parse(await exchange.json(), runsTools(dependencies));
        const count = await generation.countTokens(promptRequest(call, exchange, dependencies), exchange.signal);
        return Response.json(countTokensAnswer(count));
      },
    },
  ];
}

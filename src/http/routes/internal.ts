import type { Caller } from '../../contract/caller.ts';
import { ServeError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { UsageAccount } from '../../contract/services.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Gate } from '../limits/gate.ts';
import type { Route } from '../route.ts';

/** For whoever runs the server: what it does at this moment. */
export function internalRoutes({ models, stats, cancel, usage }: AppDependencies, gate: Gate): Route[] {
  const common = { shape: openaiShape, access: 'admin', owns: 'admin', work: false } as const;
  return [
    {
      ...common,
      method: 'GET',
      paths: ['/internal/stats'],
      handle: () =>
        Response.json({ state: models.state(), requests: gate.running().length, ...(stats ? stats() : {}) }),
    },
    {
      ...common,
      method: 'GET',
      paths: ['/internal/models/raw'],
      handle: () => Response.json({ models: models.list().map(({ id, path, metadata }) => ({ id, path, metadata })) }),
    },
    {
      ...common,
      method: 'GET',
      owns: 'caller',
      paths: ['/internal/usage'],
      handle: async ({ caller }) => {
        const seen = (await usage.list()).filter(({ owner }) => caller.sees(owner));
        return Response.json({ keys: seen.map(describeUsage) });
      },
    },
    {
      ...common,
      method: 'GET',
      owns: 'caller',
      paths: ['/internal/requests'],
      handle: ({ caller }) => Response.json({ requests: seenBy(caller).map(describe) }),
    },
    {
      ...common,
      method: 'DELETE',
      owns: 'caller',
      paths: ['/internal/requests/:id'],
      handle: ({ caller, parameters }) => {
        const found = seenBy(caller).find(({ requestId }) => requestId === parameters.id);
        if (!found)
          throw new ServeError(
            'not_found',
            `No request ${JSON.stringify(parameters.id)} is running. GET /internal/requests lists them.`,
          );
        end(found, cancel);
        return Response.json({ cancelled: found.requestId });
      },
    },
  ];

  function seenBy({ sees }: Caller): Exchange[] {
    return gate.running().filter(({ caller: { owner } }) => sees(owner));
  }

  function describe(exchange: Exchange): JsonObject {
    const { model, dialect, inputTokens, firstTokenMs } = exchange.notes;
    return {
      id: exchange.requestId,
      path: exchange.path,
      answer_id: exchange.answerId,
      key: exchange.caller.owner || undefined,
      dialect,
      model,
      prompt_tokens: inputTokens,
      phase: inputTokens === undefined ? 'queued' : firstTokenMs === undefined ? 'prefill' : 'decode',
      age_ms: Math.round(exchange.sinceStart()),
      streaming: exchange.streaming,
      background: exchange.inBackground || undefined,
    };
  }
}

/** Times in the form of ISO 8601. */
function describeUsage({ owner, since, lastUsed, ...account }: UsageAccount): JsonObject {
  return {
    key: owner || null,
    requests: account.requests,
    prompt_tokens: account.inputTokens,
    cached_tokens: account.cachedTokens,
    completion_tokens: account.outputTokens,
    tokens_today: account.todayTokens,
    since: new Date(since).toISOString(),
    last_used: new Date(lastUsed).toISOString(),
  };
}

/** An answer under way ends properly for its client; other work has no proper end but an error. */
function end(exchange: Exchange, cancel: AppDependencies['cancel']): void {
  const { answerId } = exchange;
  if (answerId !== undefined && cancel && cancel({ answerId }, exchange.caller) > 0) return;
  exchange.abort(new ServeError('cancelled', 'The request was ended by the server’s operator.'));
}

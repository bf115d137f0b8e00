import type { ServerState } from '../../contract/services.ts';
import { writeProgress } from '../../dialects/control/answers.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';

const words = {
  ready: 'ok',
  loading: 'loading model',
  draining: 'draining',
  empty: 'no model loaded',
} as const satisfies Record<ServerState, string>;

/**
 * Probes. Liveness only says that the process answers; the others say whether a request would be served, and while it
 * would not yet, how far that is.
 */
export function healthRoutes({ models, control }: AppDependencies): Route[] {
  const probe = {
    method: 'GET',
    shape: openaiShape,
    access: 'open',
    owns: 'none',
    work: false,
    pages: 'any',
  } as const;
  const ready = (exchange: Exchange) => {
    const state = models.state();
    const isReady = state === 'ready';
    exchange.note({ outcome: state });
    const progress = state === 'loading' ? control?.progress() : undefined;
    return Response.json(
      { status: words[state], ...(progress && { progress: writeProgress(progress) }) },
      {
        status: isReady ? 200 : 503,
        headers: { 'cache-control': 'no-store', ...(!isReady && { 'retry-after': '2' }) },
      },
    );
  };
  return [
    { ...probe, paths: ['/health', '/v1/health', '/readyz'], handle: ready },
    {
      ...probe,
      paths: ['/healthz', '/livez', '/ping'],
      handle: () => Response.json({ status: 'ok' }, { headers: { 'cache-control': 'no-store' } }),
    },
  ];
}

import { ServeError } from '../../contract/errors.ts';
import type { ModelProfile } from '../../contract/model.ts';
import { writeProps, writeSlots } from '../../dialects/llama-cpp/server.ts';
import { openaiError, openaiShape } from '../../dialects/shared/openai-error.ts';
import { visibleSlot } from '../access/visible-events.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';

/** What clients of llama.cpp's server look at before they ask it for anything. `?model=` names one of several models. */
export function llamaCppRoutes({ models, control, slots, version = '0.0.0' }: AppDependencies): Route[] {
  const common = { method: 'GET', shape: openaiShape, access: 'key', work: false } as const;
  const meant = (exchange: Exchange): ModelProfile =>
    models.resolve(new URL(exchange.request.url).searchParams.get('model') ?? undefined);
  return [
    {
      ...common,
      owns: 'none',
      paths: ['/props', '/v1/props'],
      handle: (exchange) => {
        const profile = meant(exchange);
        const loaded = models.list().some(({ path }) => path === profile.path);
        const status = control?.status().models.find((other) => other.profile.path === profile.path);
        return Response.json(writeProps({ profile, loaded, features: status?.features, version }));
      },
    },
    {
      ...common,
      owns: 'caller',
      paths: ['/slots', '/v1/slots'],
      handle: (exchange) => {
        const profile = meant(exchange);
        const reports = slots?.().find(({ model }) => model === profile.id)?.slots ?? [];
        const failing = new URL(exchange.request.url).searchParams.has('fail_on_no_slot');
        if (failing && !reports.some(({ state }) => state === 'idle')) return noneFree();
        return Response.json(
          writeSlots(
            reports.map((report) => visibleSlot(report, exchange.caller)),
            profile,
          ),
        );
      },
    },
  ];
}

/** Balancers look at the status, which is llama.cpp's. */
function noneFree(): Response {
  const { body } = openaiError(new ServeError('overloaded', 'No slot is free just now.'));
  return Response.json(body, { status: 503, headers: { 'retry-after': '1' } });
}

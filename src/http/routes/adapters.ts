import { basename } from 'node:path';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import { adapterScales } from '../../dialects/shared/sampling.ts';
import { validate } from '../../dialects/shared/validate.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';

/** llama.cpp's server README, "GET /lora-adapters" and "POST /lora-adapters". `?model=` names one of several models. */
export function adapterRoutes({ adapters }: AppDependencies): Route[] {
  if (!adapters) return [];
  const modelOf = ({ request }: Exchange) => new URL(request.url).searchParams.get('model') ?? undefined;
  const common = { paths: ['/lora-adapters', '/v1/lora-adapters'], shape: openaiShape, work: false } as const;
  return [
    {
      ...common,
      method: 'GET',
      access: 'key',
      owns: 'none',
      handle: (exchange) => {
        // Where files lie is no business of clients.
        const shown = (path: string) => (exchange.caller.manages ? path : basename(path));
        return Response.json(adapters.list(modelOf(exchange)).map((each) => ({ ...each, path: shown(each.path) })));
      },
    },
    {
      ...common,
      method: 'POST',
      access: 'admin',
      owns: 'admin',
      handle: async (exchange) => {
        adapters.set(modelOf(exchange), validate(adapterScales, await exchange.json()));
        return Response.json({ success: true });
      },
    },
  ];
}

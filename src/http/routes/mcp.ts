import { ServeError } from '../../contract/errors.ts';
import { mcpServer, mcpServers, parseDecision } from '../../dialects/mcp/mcp.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Route } from '../route.ts';

/** The server's own tools. There are no such routes where it has none. */
export function mcpRoutes({ host, approvals }: NonNullable<AppDependencies['serverTools']>): Route[] {
  const common = { shape: openaiShape, pages: 'own', work: false } as const;
  return [
    {
      ...common,
      method: 'GET',
      paths: ['/api/mcp'],
      access: 'tools',
      owns: 'none',
      handle: () => {
        // Whoever looks at them wants to know what they have.
        host.wake();
        return Response.json(mcpServers(host.report()));
      },
    },
    {
      ...common,
      method: 'POST',
      paths: ['/api/mcp/calls/:id'],
      access: 'tools',
      owns: 'caller',
      handle: async (exchange) => {
        const { id = '' } = exchange.parameters;
        const decision = parseDecision(await exchange.json());
        if (!approvals.decide(id, decision, exchange.caller))
          throw new ServeError(
            'not_found',
            `No call ${JSON.stringify(id)} waits to be allowed. It may have been decided, cancelled or given up.`,
          );
        return Response.json({ id, approved: decision.approve });
      },
    },
    {
      ...common,
      method: 'POST',
      paths: ['/api/mcp/:server/restart'],
      access: 'admin',
      owns: 'admin',
      handle: async ({ parameters, signal }) =>
        Response.json(mcpServer(await host.restart(parameters.server ?? '', signal))),
    },
  ];
}

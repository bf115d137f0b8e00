import type { AppDependencies } from './dependencies.ts';
import type { Gate } from './limits/gate.ts';
import type { Route } from './route.ts';
import { adapterRoutes } from './routes/adapters.ts';
import { cancelRoutes } from './routes/cancel.ts';
import { chatRoutes } from './routes/chats.ts';
import { controlRoutes } from './routes/control.ts';
import { countTokensRoutes } from './routes/count-tokens.ts';
import { docsRoutes } from './routes/docs.ts';
import { vectorRoutes } from './routes/embeddings.ts';
import { frontPageRoutes } from './routes/front-page.ts';
import { generationRoutes } from './routes/generation.ts';
import { healthRoutes } from './routes/health.ts';
import { hubRoutes } from './routes/hub.ts';
import { internalRoutes } from './routes/internal.ts';
import { llamaCppRoutes } from './routes/llama-cpp.ts';
import { lmStudioRoutes } from './routes/lm-studio.ts';
import { mcpRoutes } from './routes/mcp.ts';
import { metricsRoutes } from './routes/metrics.ts';
import { modelRoutes } from './routes/models.ts';
import { ollamaRoutes } from './routes/ollama.ts';
import { responsesRoutes } from './routes/responses.ts';
import { runRoutes } from './routes/runs.ts';
import { thoughtControlRoutes } from './routes/thought-control.ts';
import { tokenRoutes } from './routes/tokens.ts';
import { uiConfigRoutes } from './routes/ui-config.ts';
import { KeptRuns } from './runs/kept-runs.ts';

/** Every route of the server. A path that two rows know belongs to the first. */
export function routeTable(dependencies: AppDependencies, gate: Gate): Route[] {
  const answering = { ...dependencies, runs: new KeptRuns(dependencies.timers) };
  const routes = [
    ...generationRoutes(answering),
    ...cancelRoutes(dependencies),
    ...thoughtControlRoutes(dependencies),
    ...countTokensRoutes(dependencies),
    ...responsesRoutes(answering),
    ...runRoutes(answering),
    ...vectorRoutes(dependencies),
    ...tokenRoutes(dependencies),
    ...ollamaRoutes(answering),
    ...modelRoutes(dependencies),
    ...lmStudioRoutes(dependencies),
    ...llamaCppRoutes(dependencies),
    ...adapterRoutes(dependencies),
    ...(dependencies.control ? controlRoutes(dependencies, dependencies.control) : []),
    ...(dependencies.hub ? hubRoutes(dependencies.hub) : []),
    ...(dependencies.serverTools ? mcpRoutes(dependencies.serverTools) : []),
    ...healthRoutes(dependencies),
    ...metricsRoutes(dependencies),
    ...internalRoutes(dependencies, gate),
    ...chatRoutes(dependencies),
    ...frontPageRoutes(dependencies),
    ...uiConfigRoutes(dependencies),
  ];
  return [...routes, ...docsRoutes(routes, dependencies)];
}

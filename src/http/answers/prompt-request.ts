import type { GenerationRequest } from '../../contract/request.ts';
import type { ParsedCall } from '../../dialects/dialect.ts';
import { serverToolsFor, withGranted } from '../access/server-tools.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { owned } from './owned-request.ts';

/** What the call would generate, for routes that only look at its prompt: with the tools that the server would offer. */
export function promptRequest(call: ParsedCall, exchange: Exchange, dependencies: AppDependencies): GenerationRequest {
  const [request] = call.generations;
  if (request === undefined) throw new RangeError('a call without a generation');
  const granted = serverToolsFor(call, exchange, dependencies);
  return owned(withGranted(request, granted), exchange, dependencies);
}

export function runsTools({ serverTools }: Pick<AppDependencies, 'serverTools'>): boolean {
  return serverTools !== undefined;
}

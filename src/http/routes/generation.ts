import { anthropicMessages } from '../../dialects/anthropic-messages/index.ts';
import type { Dialect } from '../../dialects/dialect.ts';
import { openaiChat } from '../../dialects/openai-chat/index.ts';
import type { AppDependencies } from '../dependencies.ts';
import { generationHandler } from '../generation-route.ts';
import type { Route } from '../route.ts';

interface Endpoint {
  readonly dialect: Dialect;
  readonly paths: readonly string[];
}

/** Every endpoint that generates. A new one is a dialect and a line here. */
const endpoints: readonly Endpoint[] = [
  { dialect: openaiChat, paths: ['/v1/chat/completions', '/chat/completions'] },
  { dialect: anthropicMessages, paths: ['/v1/messages', '/messages'] },
];

export function generationRoutes(dependencies: AppDependencies): Route[] {
  return endpoints.map(({ dialect, paths }) => ({
    method: 'POST',
    paths,
    shape: dialect,
    access: 'key',
    work: true,
    handle: generationHandler(dialect, dependencies),
  }));
}

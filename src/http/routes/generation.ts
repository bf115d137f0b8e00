import { anthropicMessages } from '../../dialects/anthropic-messages/index.ts';
import type { Dialect, ParsedCall, WholeAnswer } from '../../dialects/dialect.ts';
import { infill } from '../../dialects/infill/index.ts';
import { llamaCompletion } from '../../dialects/llama-cpp/completion.ts';
import { openaiChat } from '../../dialects/openai-chat/index.ts';
import { openaiCompletions } from '../../dialects/openai-completions/index.ts';
import { studioGenerate } from '../../dialects/studio-generate/index.ts';
import { tgiGenerate, tgiGenerateStream } from '../../dialects/tgi/index.ts';
import { type AnswerDependencies, generationHandler } from '../answers/generation-route.ts';
import type { Route } from '../route.ts';

interface Endpoint {
  readonly dialect: Dialect<ParsedCall, WholeAnswer>;
  readonly paths: readonly string[];
}

/** Endpoints that do nothing but generate. A new one is a dialect and a line here. */
const endpoints: readonly Endpoint[] = [
  { dialect: openaiChat, paths: ['/v1/chat/completions', '/chat/completions'] },
  { dialect: anthropicMessages, paths: ['/v1/messages', '/messages'] },
  { dialect: openaiCompletions, paths: ['/v1/completions', '/completions'] },
  { dialect: llamaCompletion, paths: ['/completion', '/v1/completion'] },
  { dialect: infill, paths: ['/infill', '/v1/infill'] },
  { dialect: tgiGenerate, paths: ['/generate'] },
  { dialect: tgiGenerateStream, paths: ['/generate_stream'] },
  { dialect: studioGenerate, paths: ['/generate/stream'] },
];

export function generationRoutes(dependencies: AnswerDependencies): Route[] {
  return endpoints.map(({ dialect, paths }) => ({
    method: 'POST',
    paths,
    shape: dialect,
    access: 'key',
    owns: 'caller',
    work: true,
    handle: generationHandler(dialect, dependencies),
  }));
}

import { ServeError } from '../contract/errors.ts';
import type { GenerationRequest } from '../contract/request.ts';

/** --tool-allow: a request may offer these tools and no others. An empty list allows all. */
export function checkTools(requests: readonly GenerationRequest[], allowed: readonly string[]): void {
  const prompt = requests[0]?.prompt;
  if (allowed.length === 0 || prompt?.type !== 'chat') return;
  const refused = prompt.tools.find(({ name }) => !allowed.includes(name));
  if (refused === undefined) return;
  throw new ServeError(
    'forbidden',
    `The tool ${JSON.stringify(refused.name)} is not allowed here. Allowed: ${allowed.join(', ')} (--tool-allow).`,
    { param: 'tools' },
  );
}

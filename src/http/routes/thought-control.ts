import { ServeError } from '../../contract/errors.ts';
import { parseControl } from '../../dialects/llama-cpp/control.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Route } from '../route.ts';

/** "Answer now": what is said to an answer while it is written. */
export function thoughtControlRoutes({ endThought }: Pick<AppDependencies, 'endThought'>): Route[] {
  if (!endThought) return [];
  return [
    {
      method: 'POST',
      shape: openaiShape,
      access: 'key',
      owns: 'caller',
      work: false,
      paths: ['/v1/chat/completions/control'],
      handle: async (exchange) => {
        const ending = endThought(parseControl(await exchange.json()), exchange.caller);
        switch (ending) {
          case 'ended':
            return Response.json({ success: true });
          case 'not-thinking':
            throw new ServeError('invalid_request', 'The answer is not thinking just now.');
          case 'not-asked':
            throw new ServeError(
              'invalid_request',
              'The thought of this answer cannot be ended: its request did not say `reasoning_control: true`.',
            );
          case 'no-run':
            throw new ServeError('not_found', 'No such answer is being written: it has ended, or it never was.');
          default:
            return ending satisfies never;
        }
      },
    },
  ];
}

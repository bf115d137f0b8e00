import { z } from 'zod';
import { ServeError } from '../../contract/errors.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import { optional, validate } from '../../dialects/shared/validate.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Route } from '../route.ts';

const id = optional(z.string().min(1).max(512));

const cancelSchema = z.object({
  cancel_id: id,
  session_id: id,
  completion_id: id,
  response_id: id,
  message_id: id,
});

/** Stop buttons. Users stop their own runs, so an API key is enough. */
export function cancelRoutes({ cancel }: AppDependencies): Route[] {
  if (!cancel) return [];
  const common = { method: 'POST', shape: openaiShape, access: 'key', owns: 'caller', work: false } as const;
  return [
    {
      ...common,
      paths: ['/api/inference/cancel'],
      handle: async (exchange) => {
        const keys = toKeys(validate(cancelSchema, await exchange.json()));
        return Response.json({ cancelled: cancel(keys, exchange.caller) });
      },
    },
    {
      ...common,
      paths: ['/v1/chat/completions/:id/cancel', '/v1/completions/:id/cancel'],
      handle: ({ parameters: { id: answerId = '' }, caller }) => {
        if (cancel({ answerId }, caller) > 0) return Response.json({ id: answerId, cancelled: true });
        throw new ServeError(
          'not_found',
          `No completion ${JSON.stringify(answerId)} is running: it has ended, or it never was.`,
        );
      },
    },
  ];
}

/** A cancel id counts alone: a stop that comes late must not hit the next run of the same session. */
function toKeys(body: z.output<typeof cancelSchema>) {
  const answerId = body.completion_id ?? body.response_id ?? body.message_id;
  if (body.cancel_id !== undefined) return { cancelId: body.cancel_id };
  if (body.session_id === undefined && answerId === undefined)
    throw new ServeError(
      'invalid_request',
      'Say what to cancel: one of `cancel_id`, `session_id`, `completion_id`, `response_id`, `message_id`.',
    );
  return {
    ...(body.session_id !== undefined && { sessionId: body.session_id }),
    ...(answerId !== undefined && { answerId }),
  };
}

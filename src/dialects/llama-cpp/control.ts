import { z } from 'zod';
import { ServeError } from '../../contract/errors.ts';
import type { ThoughtAddress } from '../../contract/thoughts.ts';
import { optional, validate } from '../shared/validate.ts';

/** llama.cpp's, by the id of an answer or the number of the slot that it is written on. */
export const controlBody = z.object({
  id: optional(z.string().min(1).max(512)),
  id_slot: optional(z.int().min(0)),
  action: z.literal('reasoning_end'),
});

export function parseControl(body: unknown): ThoughtAddress {
  const { id, id_slot } = validate(controlBody, body);
  if (id !== undefined && id_slot === undefined) return { answerId: id };
  if (id_slot !== undefined && id === undefined) return { slot: id_slot };
  throw new ServeError(
    'invalid_request',
    'Say which answer: either its `id`, or the `id_slot` that it is written on.',
    {
      param: 'id',
    },
  );
}

import { z } from 'zod';
import { optional, validate } from '../shared/validate.ts';

const schema = z.object({ model: optional(z.string()), name: optional(z.string()) });

/** The name of the model that /api/show is about; `name` is what the field was called before. */
export function parseShow(body: unknown): string | undefined {
  const { model, name } = validate(schema, body);
  return model ?? name;
}

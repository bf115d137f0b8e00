import { z } from 'zod';
import { ServeError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import type { OutputShape } from '../../contract/request.ts';
import { defined } from '../shared/defined.ts';
import { optional } from '../shared/validate.ts';

export const responseFormatField = optional(
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('text') }),
    /** `schema` beside json_object is an extension that older clients use. */
    z.object({ type: z.literal('json_object'), schema: optional(z.json()) }),
    z.object({
      type: z.literal('json_schema'),
      json_schema: optional(
        z.object({
          name: optional(z.string()),
          description: optional(z.string()),
          schema: optional(z.json()),
          strict: optional(z.boolean()),
        }),
      ),
      /** llama.cpp's flat form. */
      schema: optional(z.json()),
    }),
  ]),
);

interface Wishes {
  readonly response_format?: z.output<typeof responseFormatField>;
  readonly grammar?: string | undefined;
  readonly json_schema?: JsonValue | undefined;
}

/** One shape out of the three places that can ask for one; two different wishes are refused, nobody could tell which wins. */
export function toOutputShape(body: Wishes): OutputShape {
  const shapes: OutputShape[] = [];
  const fromFormat = fromResponseFormat(body.response_format);
  if (fromFormat.type !== 'text') shapes.push(fromFormat);
  if (body.grammar !== undefined && body.grammar !== '') shapes.push({ type: 'grammar', grammar: body.grammar });
  if (body.json_schema !== undefined) shapes.push({ type: 'json-schema', schema: body.json_schema });
  if (shapes.length > 1)
    throw new ServeError(
      'invalid_request',
      '`response_format`, `grammar` and `json_schema` each say what form the answer must have: send one of them.',
      { param: body.grammar ? 'grammar' : 'json_schema' },
    );
  return shapes[0] ?? { type: 'text' };
}

function fromResponseFormat(format: Wishes['response_format']): OutputShape {
  if (format === undefined || format.type === 'text') return { type: 'text' };
  const wrapped = format.type === 'json_schema' ? format.json_schema : undefined;
  const schema = wrapped?.schema ?? format.schema;
  if (schema === undefined && format.type === 'json_schema')
    throw new ServeError(
      'invalid_request',
      '`response_format.json_schema.schema` is missing: send the schema, or the type `json_object` for any JSON object.',
      { param: 'response_format.json_schema.schema' },
    );
  if (schema === undefined) return { type: 'json' };
  return defined({ type: 'json-schema', schema, name: wrapped?.name, strict: wrapped?.strict });
}

import { z } from 'zod';
import type { JsonObject } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { Route } from '../route.ts';
import { operations } from './operations.ts';

/** The API as an OpenAPI 3.1 document, out of the route table and the schemas that requests are checked with. */
export function openapiDocument(routes: readonly Route[], version: string): JsonObject {
  const paths: Record<string, Record<string, JsonObject>> = {};
  for (const route of routes) {
    const described = operation(route);
    for (const path of route.paths) {
      const written = writtenPath(path);
      paths[written] = { ...paths[written], [route.method.toLowerCase()]: { ...described, ...parameters(path) } };
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'serve-model', version, description: 'A local model server that speaks the APIs its clients know.' },
    paths,
    components: {
      securitySchemes: {
        bearer: { type: 'http', scheme: 'bearer' },
        header: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      },
    },
  };
}

/** `/v1/models/:id{.+}` -> `/v1/models/{id}`. */
export function writtenPath(path: string): string {
  return path.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}');
}

function operation(route: Route): JsonObject {
  const known = operations[`${route.method} ${route.paths[0]}`];
  return {
    ...(known && { summary: known.summary, tags: [known.group] }),
    ...(route.access !== 'open' && { security: [{ bearer: [] }, { header: [] }] }),
    ...(known?.body && {
      requestBody: { required: true, content: { 'application/json': { schema: bodySchema(known.body) } } },
    }),
    responses: {
      200: { description: 'The answer' },
      default: { description: `An error in the words of ${route.shape.name}` },
    },
  };
}

function parameters(path: string): JsonObject {
  const names = [...path.matchAll(/:(\w+)/g)].map((match) => match[1] ?? '');
  if (names.length === 0) return {};
  return { parameters: names.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })) };
}

/** What may be sent, before defaults and conversions. */
function bodySchema(schema: z.ZodType): JsonObject {
  const made: unknown = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' });
  if (!isJsonObject(made)) return {};
  const { $schema: _, ...rest } = made;
  return rest;
}

import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { isJsonObject } from '../../src/contract/json.ts';
import { operations } from '../../src/http/openapi/operations.ts';
import { hello, openDoor } from './support.ts';

async function document(): Promise<Record<string, Record<string, Record<string, unknown>>>> {
  const response = await openDoor({
    more: { version: '1.2.3', cancel: () => 0, endThought: () => 'no-run' },
  }).app.request('/openapi.json');
  expect(response.status).toBe(200);
  const body: unknown = await response.json();
  expect(body).toMatchObject({ openapi: '3.1.0', info: { title: 'serve-model', version: '1.2.3' } });
  const { paths } = body as { paths: Record<string, Record<string, Record<string, unknown>>> };
  return paths;
}

describe('/openapi.json', () => {
  it('has the routes, in the spelling of OpenAPI', async () => {
    const paths = await document();
    expect(Object.keys(paths)).toEqual(
      expect.arrayContaining(['/v1/chat/completions', '/v1/messages', '/v1/models/{id}', '/health']),
    );
    expect(paths['/v1/models/{id}']?.get).toMatchObject({
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      security: [{ bearer: [] }, { header: [] }],
    });
    expect(paths['/health']?.get).not.toHaveProperty('security');
  });

  it('describes bodies by the schemas that requests are checked with', { timeout: 60_000 }, async () => {
    const paths = await document();
    const withBody = Object.values(paths)
      .flatMap((methods) => Object.values(methods))
      .filter((row) => row.requestBody);
    expect(withBody.length).toBeGreaterThan(10);
    const ajv = new Ajv2020({ strict: false, code: { optimize: false } });
    const compiled = new Set<string>();
    for (const { requestBody } of withBody) {
      const schema = (requestBody as { content: Record<string, { schema: object }> }).content['application/json']
        ?.schema;
      expect(isJsonObject(schema) && schema.properties).toBeTruthy();
      // Routes with several names share their schema.
      const text = JSON.stringify(schema);
      if (compiled.has(text)) continue;
      compiled.add(text);
      expect(() => ajv.compile(schema ?? {})).not.toThrow();
    }
  });

  it('accepts and refuses what the server accepts and refuses', async () => {
    const paths = await document();
    const body = paths['/v1/chat/completions']?.post?.requestBody as { content: Record<string, { schema: object }> };
    const validate = new Ajv2020({ strict: false, code: { optimize: false } }).compile(
      body.content['application/json']?.schema ?? {},
    );
    const cases = [hello, { ...hello, temperature: 3 }, { messages: [] }, { messages: [{ role: 'bot', content: '' }] }];
    const door = openDoor();
    for (const request of cases) {
      const { status } = await door.post('/v1/chat/completions', request);
      expect([request, validate(request)]).toEqual([request, status === 200]);
    }
  });
});

describe('/docs/routes', () => {
  it('lists what the routes are for, without scripts', async () => {
    const response = await openDoor().app.request('/docs/routes');
    const html = await response.text();
    expect(html).toContain('Answer a chat, whole or as a stream');
    expect(html).not.toContain('<script');
    expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  });

  it('is where /docs leads when the guides are not built', async () => {
    const { status, headers } = await openDoor().app.request('/docs');
    expect([status, headers.get('location')]).toEqual([302, 'docs/routes']);
  });

  it('describes no route that is not there', async () => {
    const paths = await document();
    const known = Object.entries(paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    const described = Object.keys(operations).map((row) => row.replace(/:(\w+)(\{[^}]*\})?/g, '{$1}'));
    // Those of parts that this door was opened without.
    const optional = /\/api\/inference\/|\/api\/hub\/|\/api\/mcp|\/metrics/;
    expect(described.filter((row) => !known.includes(row) && !optional.test(row))).toEqual([]);
  });
});

import { describe, expect, it } from 'vitest';
import { openaiShape } from '../../src/dialects/shared/openai-error.ts';
import { isLocalCaller } from '../../src/http/access/check-access.ts';
import { corsHeaders } from '../../src/http/access/cors.ts';
import { checkOrigin, type Pages } from '../../src/http/access/origin.ts';
import { refusals } from '../../src/http/unknown-routes.ts';
import { emptyControl } from '../support/route-rows.ts';
import { hello, openDoor } from './support.ts';

describe('a key', () => {
  const settings = { apiKeys: ['first', 'second'] };

  it.each([
    ['bearer', { authorization: 'Bearer first' }, 200],
    ['bearer in any case', { authorization: 'bearer second' }, 200],
    ['x-api-key', { 'x-api-key': 'second' }, 200],
    ['none', {}, 401],
    ['a wrong one', { authorization: 'Bearer third' }, 401],
    ['the beginning of one', { authorization: 'Bearer firs' }, 401],
    ['one with more behind it', { authorization: 'Bearer firstt' }, 401],
    ['another scheme', { authorization: 'Basic first' }, 401],
    ['an empty one', { authorization: 'Bearer ' }, 401],
  ])('%s opens or not', async (_, headers, status) => {
    const door = openDoor({ settings });
    expect((await door.post('/v1/chat/completions', hello, { headers })).status).toBe(status);
    expect((await door.app.request('/v1/models', { headers })).status).toBe(status);
  });

  it('is asked for in the words of the dialect, with the header that names the scheme', async () => {
    const door = openDoor({ settings });
    const response = await door.post('/v1/chat/completions', hello);
    expect(response.headers.get('www-authenticate')).toBe('Bearer');
    expect(await response.json()).toEqual({
      error: {
        message: 'This server asks for an API key: send it as "Authorization: Bearer ..." or x-api-key.',
        type: 'invalid_request_error',
        param: null,
        code: 'invalid_api_key',
      },
    });
    expect(door.generation.runs).toEqual([]);
  });

  it.each(['/health', '/healthz', '/livez', '/readyz'])('is not needed for %s', async (path) => {
    expect((await openDoor({ settings }).app.request(path)).status).toBe(200);
  });

  it('is checked before the body is read', async () => {
    const door = openDoor({ settings });
    expect((await door.post('/v1/chat/completions', 'no json')).status).toBe(401);
  });
});

describe('a web page', () => {
  it.each([
    ['of nobody', undefined, 200],
    ['on this machine', 'http://localhost:3000', 200],
    ['on this machine by address', 'http://127.0.0.1:5173', 200],
    ['on this machine by IPv6', 'https://[::1]', 200],
    ['in Tauri', 'tauri://localhost', 200],
    ['in Tauri on Windows', 'http://tauri.localhost', 200],
    ['of the server itself', 'http://box.lan:8080', 200],
    ['from elsewhere', 'https://evil.example', 403],
    ['that pretends to be local', 'https://localhost.evil.example', 403],
    ['without a name', 'null', 403],
    ['of an extension', 'chrome-extension://abc', 403],
    ['that was allowed', 'https://chat.example', 200],
  ])('%s may use the server or not', async (_, origin, status) => {
    const door = openDoor({ settings: { corsOrigins: ['https://chat.example'], allowedHosts: ['box.lan'] } });
    const headers = { host: 'box.lan:8080', ...(origin !== undefined && { origin }) };
    const response = await door.post('/v1/chat/completions', hello, { headers });
    expect(response.status).toBe(status);
    expect(response.headers.get('access-control-allow-origin')).toBe(status === 200 && origin ? origin : null);
  });

  it('from elsewhere gets no answer on a read route and on an unknown one either, but probes answer', async () => {
    const { app } = openDoor();
    const headers = { origin: 'https://evil.example' };
    const statuses = ['/v1/models', '/nothing', '/health'].map(
      async (path) => (await app.request(path, { headers })).status,
    );
    expect(await Promise.all(statuses)).toEqual([403, 403, 200]);
  });

  it('asks first, and an allowed one is told what it may send', async () => {
    const { app } = openDoor({ settings: { apiKeys: ['k'] } });
    const response = await app.request('/v1/chat/completions', {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:3000',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': 'http://localhost:3000',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS',
    });
  });

  it('from anywhere may come in with --cors-origin *', async () => {
    const door = openDoor({ settings: { corsOrigins: ['*'] } });
    const headers = { origin: 'https://any.example' };
    expect((await door.post('/v1/chat/completions', hello, { headers })).status).toBe(200);
  });
});

describe('a route for the own page only', () => {
  const rules = {
    corsOrigins: ['https://chat.example'],
    allowedHosts: ['box.lan'],
    boundHost: '127.0.0.1',
    hasKeys: false,
    needsHost: true,
    pages: 'own',
  } as const;
  const asked = (host: string, origin: string | undefined, scheme = 'http') =>
    new Request(`${scheme}://${host}/api/chats`, { headers: { host, ...(origin !== undefined && { origin }) } });

  it.each([
    ['no page', 'localhost:8080', undefined, true],
    ['the own page', 'localhost:8080', 'http://localhost:8080', true],
    ['the own page under another name', 'box.lan:8080', 'http://box.lan:8080', true],
    ['the own page on the usual port', 'box.lan:80', 'http://box.lan', true],
    ['a page that was allowed', 'localhost:8080', 'https://chat.example', true],
    ['a page on another port', 'localhost:8080', 'http://localhost:3000', false],
    ['the same page by another name', 'localhost:8080', 'http://127.0.0.1:8080', false],
    ['the same page by another scheme', 'localhost:8080', 'https://localhost:8080', false],
    ['a desktop app', 'localhost:8080', 'tauri://localhost', false],
    ['a page without a name', 'localhost:8080', 'null', false],
    ['a page from elsewhere', 'localhost:8080', 'https://evil.example', false],
  ])('lets in or not: %s', (_, host, origin, allowed) => {
    const request = asked(host, origin);
    const check = () => checkOrigin(request, rules);
    if (allowed) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ code: 'forbidden' }));
    expect(corsHeaders(request, rules)['access-control-allow-origin']).toBe(allowed ? origin : undefined);
  });

  it('knows the own page behind HTTPS', () => {
    expect(() => checkOrigin(asked('box.lan', 'https://box.lan', 'https'), rules)).not.toThrow();
    expect(() => checkOrigin(asked('box.lan', 'http://box.lan', 'https'), rules)).toThrow('may not use this server');
  });

  it('makes preflights and refusals of its path as narrow', () => {
    const row = { method: 'GET', paths: ['/x'], shape: openaiShape, access: 'key', owns: 'none', work: false } as const;
    const handle = () => new Response();
    const pagesOf = (...pages: readonly (Pages | undefined)[]) =>
      refusals(pages.map((own) => ({ ...row, handle, ...(own && { pages: own }) }))).get('/x')?.pages;
    expect([pagesOf('own'), pagesOf('any', 'own'), pagesOf(undefined, 'any'), pagesOf('any')]).toEqual([
      'own',
      'own',
      'local',
      'any',
    ]);
  });
});

describe('a Host header', () => {
  it.each([
    ['localhost:8080', '127.0.0.1', 200],
    ['127.0.0.1', '127.0.0.1', 200],
    ['[::1]:8080', '::1', 200],
    ['LOCALHOST', '127.0.0.1', 200],
    ['box.lan:8080', '127.0.0.1', 200],
    ['rebound.example', '127.0.0.1', 403],
    ['192.168.1.5:8080', '127.0.0.1', 403],
    ['192.168.1.5:8080', '192.168.1.5', 200],
    ['192.168.1.5:8080', '0.0.0.0', 200],
    ['[fe80::1]:8080', '::', 200],
    ['rebound.example', '0.0.0.0', 403],
    ['localhost@evil.example', '127.0.0.1', 403],
    ['a b', '127.0.0.1', 403],
  ])('%s at a server bound to %s gives %d', async (host, boundHost, status) => {
    const door = openDoor({ settings: { boundHost, allowedHosts: ['box.lan'] } });
    expect((await door.post('/v1/chat/completions', hello, { headers: { host } })).status).toBe(status);
  });

  it('may be any when all were allowed', async () => {
    const door = openDoor({ settings: { allowedHosts: ['*'] } });
    expect((await door.post('/v1/chat/completions', hello, { headers: { host: 'pool.svc' } })).status).toBe(200);
  });

  it('is nobody’s business once there is a key', async () => {
    const door = openDoor({ settings: { apiKeys: ['k'] } });
    const headers = { host: 'api.example', authorization: 'Bearer k' };
    expect((await door.post('/v1/chat/completions', hello, { headers })).status).toBe(200);
  });
});

describe('paths and methods', () => {
  it.each([
    ['GET', '/v1/chat/completions', 405, 'POST, OPTIONS'],
    ['HEAD', '/v1/chat/completions', 405, 'POST, OPTIONS'],
    ['DELETE', '/v1/models', 405, 'GET, HEAD, OPTIONS'],
    ['POST', '/health', 405, 'GET, HEAD, OPTIONS'],
    ['GET', '/v1/nothing', 404, null],
    ['HEAD', '/health', 200, null],
  ])('%s %s is %d', async (method, path, status, allow) => {
    const { app } = openDoor();
    const response = await app.request(path, { method });
    expect([response.status, response.headers.get('allow')]).toEqual([status, allow]);
  });

  it.each([
    ['GET', '/v1/models/team/demo', '/v1/models/:id'],
    ['GET', '/models', '/models'],
    ['POST', '/v1/models', undefined],
    ['GET', '/v1/nothing', undefined],
  ])('%s %s is recorded as %s', async (method, path, route) => {
    const door = openDoor();
    await door.app.request(path, { method });
    expect(door.records.map((record) => record.route)).toEqual([route]);
  });

  it('an unknown path is told in the shape of the API', async () => {
    const response = await openDoor().app.request('/v1/nothing', { method: 'POST' });
    expect(await response.json()).toEqual({
      error: {
        message: 'There is no POST /v1/nothing here. GET /docs leads to all of them; most begin with /v1.',
        type: 'invalid_request_error',
        param: null,
        code: 'not_found',
      },
    });
  });
});

describe('a request id', () => {
  it.each([
    ['abc-123', 'abc-123'],
    ['a b', 'req_id0001'],
    ['x'.repeat(129), 'req_id0001'],
    [undefined, 'req_id0001'],
  ])('%s comes back as %s', async (given, returned) => {
    const door = openDoor();
    const headers = given === undefined ? {} : { 'x-request-id': given };
    const response = await door.app.request('/v1/models', { headers });
    expect(response.headers.get('x-request-id')).toBe(returned);
    expect(door.records).toMatchObject([
      { requestId: returned, path: '/v1/models', route: '/v1/models', status: 200, outcome: 'ok' },
    ]);
  });

  it('of a trace goes into the log line', async () => {
    const door = openDoor();
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736';
    const cases = [
      [`00-${trace}-00f067aa0ba902b7-01`, true],
      [`cc-${trace}-00f067aa0ba902b7-01-more`, true],
      [`ff-${trace}-00f067aa0ba902b7-01`, false],
      [`00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, false],
      [`00-${trace}-${'0'.repeat(16)}-01`, false],
      ['nonsense', false],
    ] as const;
    for (const [traceparent] of cases) await door.app.request('/v1/models', { headers: { traceparent } });
    expect(door.records.map(({ traceparent }) => traceparent)).toEqual(
      cases.map(([traceparent, valid]) => (valid ? traceparent : undefined)),
    );
  });
});

describe('models', () => {
  const entry = {
    object: 'model',
    created: 1_700_000_000,
    owned_by: 'serve-model',
    root: 'demo',
    parent: null,
    context_length: 2048,
    max_context_length: 4096,
    max_model_len: 2048,
    meta: { n_ctx: 2048, n_ctx_train: 4096, n_vocab: 300, n_embd: 64, n_params: 500, size: 1000 },
  };

  it('are listed under every name, the context under every spelling', async () => {
    const response = await openDoor().app.request('/v1/models');
    expect(await response.json()).toMatchObject({
      object: 'list',
      data: [
        { id: 'demo', state: 'loaded', ...entry },
        { id: 'team/demo', state: 'loaded', ...entry },
      ],
    });
  });

  it.each([
    '/v1/models/team/demo',
    '/v1/models/team%2Fdemo',
    '/v1/models/team/demo:latest',
    '/v1/models/team/demo.gguf',
  ])('are found at %s', async (path) => {
    expect(await (await openDoor().app.request(path)).json()).toMatchObject({ id: 'team/demo', ...entry });
  });

  it('that are not there are a 404 that lists those that are', async () => {
    const response = await openDoor().app.request('/v1/models/gpt-4o');
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { code: 'model_not_found', message: 'There is no model "gpt-4o" here. Known: "demo", "team/demo".' },
    });
  });

  it.each([
    ['loading', 503],
    ['empty', 200],
    ['draining', 200],
  ] as const)('while %s are answered with %d', async (state, status) => {
    const door = openDoor();
    door.models.current = state;
    expect((await door.app.request('/v1/models')).status).toBe(status);
  });
});

describe('the state of the server', () => {
  it.each([
    ['ready', 200, 200],
    // Behind the door it waits.
    ['loading', 503, 200],
    ['draining', 503, 503],
  ] as const)('%s: readiness %d, work %d, and it is always alive', async (state, readiness, work) => {
    const door = openDoor();
    door.models.current = state;
    const get = async (path: string) => (await door.app.request(path)).status;
    expect([await get('/readyz'), await get('/health'), await get('/livez'), await get('/healthz')]).toEqual([
      readiness,
      readiness,
      200,
      200,
    ]);
    const response = await door.post('/v1/chat/completions', hello);
    expect(response.status).toBe(work);
    expect(response.headers.has('retry-after')).toBe(work === 503);
  });

  it('loading: what cannot wait is refused, and how far the model is, is told', async () => {
    const progress = { phase: 'download' as const, bytesLoaded: 30, bytesTotal: 120, fraction: 0.25, etaSeconds: 9 };
    const control = { ...emptyControl, progress: () => ({ model: 'secret', ...progress }) };
    const door = openDoor({ more: { control } });
    door.models.current = 'loading';
    expect((await door.app.request('/v1/models')).status).toBe(503);
    expect((await door.app.request('/props')).status).toBe(503);
    expect(await (await door.app.request('/health')).json()).toEqual({
      status: 'loading model',
      progress: { phase: 'download', bytes_loaded: 30, bytes_total: 120, fraction: 0.25, eta_seconds: 9 },
    });
    const page = await (await door.app.request('/', { headers: { accept: 'text/html' } })).text();
    expect(page).toContain('The model is being downloaded: 25 %.');
    expect(page).not.toContain('secret');
    door.models.current = 'ready';
    expect(await (await door.app.request('/health')).json()).toEqual({ status: 'ok' });
  });
});

describe('where nobody but this machine may go', () => {
  it('is told by the socket, and not when a proxy passed the request on', () => {
    const bindings = (remoteAddress: string) => ({ incoming: { socket: { remoteAddress } } });
    const cases = [
      ['127.0.0.1', {}, true],
      ['::1', {}, true],
      ['::ffff:127.0.0.1', {}, true],
      ['10.0.0.1', {}, false],
      ['127.0.0.1', { 'x-forwarded-for': '10.0.0.1' }, false],
    ] as const;
    for (const [address, headers, expected] of cases)
      expect(isLocalCaller(new Headers(headers), bindings(address))).toBe(expected);
    expect(isLocalCaller(new Headers(), undefined)).toBe(false);
  });
});

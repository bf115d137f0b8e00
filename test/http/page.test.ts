import { Hono } from 'hono';
import { describe, expect, it } from 'vitest';
import type { PageFile, PageFiles } from '../../src/contract/page-files.ts';
import { openDoor } from './support.ts';

function pageFile(type: string, compressed: boolean): PageFile {
  return { type, etag: 'e', compressed, read: async (encoding) => new TextEncoder().encode(`as ${encoding}`) };
}

const files: Readonly<Record<string, PageFile>> = {
  'index.html': pageFile('text/html; charset=utf-8', true),
  'assets/page-1.js': pageFile('text/javascript; charset=utf-8', true),
  'sandbox.html': pageFile('text/html; charset=utf-8', false),
};
const page: PageFiles = { find: (path) => (Object.hasOwn(files, path) ? files[path] : undefined) };
const browser = { accept: 'text/html,application/xhtml+xml', 'accept-encoding': 'gzip, deflate, br, zstd' };

const ask = (path: string, headers: Record<string, string> = browser) =>
  openDoor({ more: { page } }).app.request(path, { headers });

describe('the chat page', () => {
  it('is what browsers get at /, and always asked for anew', async () => {
    const response = await ask('/');
    expect([response.status, await response.text()]).toEqual([200, 'as br']);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-encoding': 'br',
      'cache-control': 'no-cache',
      etag: '"e-br"',
      vary: 'accept, accept-encoding',
      'referrer-policy': 'no-referrer',
    });
  });

  it('is one line of text for programs', async () => {
    expect(await (await ask('/', { accept: '*/*' })).text()).toBe('serve-model is running\n');
  });

  it('may load from nowhere else and make no markup of strings', async () => {
    const policy = (await ask('/')).headers.get('content-security-policy') ?? '';
    expect(policy.split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "connect-src 'self'",
      "img-src 'self' data: blob:",
      "font-src 'self'",
      "frame-src 'self'",
      "manifest-src 'self'",
      "worker-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
      "require-trusted-types-for 'script'",
      'trusted-types own-assets',
    ]);
  });

  it('has assets that are kept for ever, under the type of their content', async () => {
    const response = await ask('/ui/assets/page-1.js');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      'content-length': '5',
    });
  });

  it.each([
    ['gzip, deflate', 'gzip'],
    ['br;q=0, gzip;q=0.5', 'gzip'],
    ['*', 'gzip'],
    ['identity', null],
    ['', null],
  ])('is sent to who accepts %j as %j', async (accepted, encoding) => {
    const response = await ask('/', { ...browser, 'accept-encoding': accepted });
    expect([response.headers.get('content-encoding'), await response.text()]).toEqual([
      encoding,
      `as ${encoding ?? 'identity'}`,
    ]);
  });

  it('is not sent again to who has it, in that encoding', async () => {
    const again = (etag: string) => ask('/', { ...browser, 'if-none-match': etag });
    expect([(await again('"e-br"')).status, (await again('W/"x", "e-br"')).status]).toEqual([304, 304]);
    expect((await again('"e"')).status).toBe(200);
  });

  it.each(['/ui/assets/other.js', '/ui/assets/../index.html', '/ui/assets/constructor', '/ui/LICENSES.txt'])(
    'has no %s',
    async (path) => {
      expect((await ask(path)).status).toBe(404);
    },
  );

  it('shows what a model wrote in a document without an origin', async () => {
    const response = await ask('/ui/sandbox');
    const policy = response.headers.get('content-security-policy')?.split('; ');
    expect(policy).toEqual(expect.arrayContaining(['sandbox allow-scripts', "default-src 'none'"]));
    expect(response.headers.has('content-encoding')).toBe(false);
  });

  it('is open where keys are needed, because it asks for them', async () => {
    const { app } = openDoor({ more: { page }, settings: { apiKeys: ['secret'] } });
    const statuses = ['/', '/ui/assets/page-1.js', '/v1/models'].map(
      async (path) => (await app.request(path, { headers: browser })).status,
    );
    expect(await Promise.all(statuses)).toEqual([200, 200, 401]);
  });

  it.each([
    ['/llm', '<script src="./llm/ui/assets/page-1.js">'],
    ['/llm/', '<script src="./ui/assets/page-1.js">'],
  ])('names its assets relative to where it lies, mounted at %s', async (path, expected) => {
    const html = { ...pageFile('text/html', false), read: async () => new TextEncoder().encode(markup) };
    const markup = '<script src="./ui/assets/page-1.js">';
    const found: PageFiles = { find: (name) => (name === 'index.html' ? html : page.find(name)) };
    const site = new Hono({ strict: false }).route('/llm', openDoor({ more: { page: found } }).app);
    expect(await (await site.request(path, { headers: browser })).text()).toBe(expected);
    expect((await site.request('/llm/ui/assets/page-1.js')).status).toBe(200);
  });
});

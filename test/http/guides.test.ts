import { describe, expect, it } from 'vitest';
import type { PageFile, PageFiles } from '../../src/contract/page-files.ts';
import { openDoor } from './support.ts';

function file(type: string, compressed: boolean): PageFile {
  return { type, etag: 'e', compressed, read: async (encoding) => new TextEncoder().encode(`as ${encoding}`) };
}

const html = 'text/html; charset=utf-8';
const files: Readonly<Record<string, PageFile>> = {
  'index.html': file(html, true),
  'api/tgi.html': file(html, true),
  'pictures/page.webp': file('image/webp', false),
  'style.css': file('text/css; charset=utf-8', true),
};
const guides: PageFiles = { find: (path) => (Object.hasOwn(files, path) ? files[path] : undefined) };
const { app } = openDoor({ more: { guides } });
const ask = (path: string, init: RequestInit = {}) =>
  app.request(path, { headers: { accept: 'text/html', 'accept-encoding': 'gzip, br' }, ...init });

describe('the guides', () => {
  it.each(['/docs', '/docs/api/tgi'])(
    '%s is a page that runs nothing and loads nothing from elsewhere',
    async (path) => {
      const response = await ask(path);
      expect([response.status, await response.text()]).toEqual([200, 'as br']);
      expect(Object.fromEntries(response.headers)).toMatchObject({
        'content-type': html,
        'content-encoding': 'br',
        'cache-control': 'no-cache',
        'referrer-policy': 'no-referrer',
        'x-content-type-options': 'nosniff',
        'content-security-policy':
          "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        vary: 'accept-encoding',
        etag: '"e-br"',
      });
    },
  );

  it('have their style and their pictures', async () => {
    const types = await Promise.all(
      ['/docs/style.css', '/docs/pictures/page.webp'].map(async (path) =>
        (await ask(path)).headers.get('content-type'),
      ),
    );
    expect(types).toEqual(['text/css; charset=utf-8', 'image/webp']);
  });

  it('are not sent again to who has them, and tell their length to who asks for the head alone', async () => {
    const known = await ask('/docs', { headers: { 'accept-encoding': 'br', 'if-none-match': '"e-br"' } });
    expect([known.status, await known.text()]).toEqual([304, '']);
    const head = await ask('/docs/api/tgi', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '5', '']);
  });

  it('need no key, which a browser that follows a link does not send', async () => {
    const closed = openDoor({ settings: { apiKeys: ['secret'] }, more: { guides } }).app;
    expect((await closed.request('/docs/api/tgi')).status).toBe(200);
    expect((await closed.request('/openapi.json')).status).toBe(401);
  });

  it('that are not there are a 404 with the way to those that are', async () => {
    const response = await ask('/docs/nothing/here');
    expect([response.status, await response.text()]).toEqual([404, expect.stringContaining('GET /docs leads to all')]);
  });
});

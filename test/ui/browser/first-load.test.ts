import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { closeBrowserAfterwards, describeInBrowser, type ScriptedServer, scriptedServer, visit } from './support.ts';

describeInBrowser('the first load', () => {
  closeBrowserAfterwards();
  let server: ScriptedServer;
  beforeAll(async () => {
    server = await scriptedServer();
  });
  afterAll(() => server.close());

  it('takes at most 100 kB, compressed, all of it from the server itself', async () => {
    const { page, requests, end } = await visit(server.url);
    await page.waitForLoadState('networkidle');
    const files = requests.filter((url) => /\/ui\/assets\/|\/$/.test(url));
    // Who does not ask for a page gets text from its address.
    const headers = { accept: 'text/html' };
    const bodies = await Promise.all(
      files.map((url) => page.request.get(url, { headers }).then((response) => response.body())),
    );
    expect(bodies[0]?.toString()).toContain('<!doctype html>');
    const bytes = bodies.reduce((sum, body) => sum + gzipSync(body, { level: 9 }).length, 0);
    expect(files.length).toBeGreaterThan(2);
    expect(bytes).toBeLessThan(100_000);
    await end();
  });

  it('is made for use, wherever it was built: it tells nothing of the sources', async () => {
    const { page, requests, end } = await visit(server.url);
    await page.waitForLoadState('networkidle');
    const scripts = requests.filter((url) => url.endsWith('.js'));
    const texts = await Promise.all(scripts.map((url) => page.request.get(url).then((response) => response.text())));
    expect(texts.length).toBeGreaterThan(1);
    expect(texts.filter((text) => text.includes('.tsx'))).toEqual([]);
    await end();
  });

  it('brings the licences of what is in it', () => {
    const index = readFileSync(resolve(import.meta.dirname, '../../../dist/ui/files.json'), 'utf8');
    expect(JSON.parse(index).files).toHaveProperty(['LICENSES.txt']);
  });
});

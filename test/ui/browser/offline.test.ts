import type { Page } from 'playwright-core';
import { afterEach, expect, it } from 'vitest';
import type { PageFile, PageFiles } from '../../../src/contract/page-files.ts';
import { isAccessible } from './accessible.ts';
import { closeBrowserAfterwards, describeInBrowser, type Visit, visit } from './support.ts';
import { answers, field, openTalk, send, type Talk, whole } from './talk.ts';

describeInBrowser('the page as an app', () => {
  closeBrowserAfterwards();
  let talk: Talk;
  let seen: Visit;
  afterEach(async () => {
    await seen.end();
    await talk.close();
  });

  const open = async (how: Parameters<typeof visit>[1] = {}, options: Parameters<typeof openTalk>[0] = {}) => {
    talk = await openTalk(options);
    seen = await visit(`${talk.url}/`, how);
    await followed(seen.page);
    return seen.page;
  };
  /** The same address, served by another process that may have another page. */
  const restart = async (options: Parameters<typeof openTalk>[0] = {}) => {
    const { port } = new URL(talk.url);
    await talk.close();
    talk = await openTalk({ ...options, port: Number(port) });
  };

  it('can be installed: what a browser asks for is there, each picture in its size', async () => {
    const page = await open();
    const session = await page.context().newCDPSession(page);
    const { installabilityErrors: found } = await session.send('Page.getInstallabilityErrors');
    // Browsers of tests forget everything, which is the one thing that is in the way.
    expect(found.map(({ errorId }) => errorId)).toEqual(['in-incognito']);
    const { url, errors, data } = await session.send('Page.getAppManifest');
    expect(errors).toEqual([]);
    const { icons, scope, start_url } = JSON.parse(data ?? '');
    expect([new URL(scope, url).href, new URL(start_url, url).href]).toEqual([`${talk.url}/`, `${talk.url}/`]);
    const sizes = await page.evaluate(
      async (sources) => {
        const load = async (source: string) => {
          const image = new Image();
          image.src = source;
          await image.decode();
          return [image.naturalWidth, image.naturalHeight];
        };
        return Promise.all(sources.map(load));
      },
      icons.filter(({ type }: Icon) => type === 'image/png').map(({ src }: Icon) => new URL(src, url).href),
    );
    expect(sizes).toEqual([
      [192, 192],
      [512, 512],
      [512, 512],
    ]);
    expect(icons.map(({ purpose }: Icon) => purpose)).toEqual(['any', 'any', 'any', 'maskable']);
  });

  it('opens while its server is away, says so, and goes on by itself when the server is there', async () => {
    const page = await open({ locale: 'de-DE' });
    await field(page, 'Nachricht').fill('Vorher');
    await field(page, 'Nachricht').press('Enter');
    answers(await talk.run(), 'Gesagt.');
    await whole(page);
    await talk.close();
    await page.reload();
    await page.getByText('Der Server antwortet nicht.').waitFor();
    await field(page, 'Nachricht').fill('Inzwischen geschrieben');
    expect(await page.getByRole('button', { name: 'Senden', exact: true }).isDisabled()).toBe(true);
    await restart();
    await page.locator('[data-phase=ready]').waitFor();
    await page.getByText('Gesagt.').waitFor();
    expect(await page.getByText('Der Server antwortet nicht.').count()).toBe(0);
    await field(page, 'Nachricht').press('Enter');
    answers(await talk.run(), 'Und weiter.');
    await page.getByText('Und weiter.').waitFor();
  });

  it('does so for itself alone where it is mounted under a prefix', async () => {
    const page = await open({}, { prefix: '/llm' });
    const scopes = () =>
      page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).map(({ scope }) => scope));
    expect(await scopes()).toEqual([`${talk.url}/`]);
    await talk.close();
    await page.reload();
    await page.getByText('The server does not answer.').waitFor();
    await isAccessible(page, 'away');
    await expect(page.goto(new URL('/', talk.url).href)).rejects.toThrow('ERR_CONNECTION_REFUSED');
  });

  it('keeps the page and what it is made of, and nothing that was said or answered', async () => {
    const page = await open();
    const byWorker = new Map<string, boolean>();
    page.on('response', (response) => byWorker.set(new URL(response.url()).pathname, response.fromServiceWorker()));
    await page.reload();
    await page.locator('[data-phase=ready]').waitFor();
    expect([byWorker.get('/'), byWorker.get('/api/ui/config'), byWorker.get('/health')]).toEqual([true, false, false]);
    expect([...byWorker].filter(([path, isKept]) => path.startsWith('/ui/assets/') && !isKept)).toEqual([]);
    await send(page, 'A secret');
    answers(await talk.run(), 'A secret answer.');
    await whole(page);
    const kept = await keptIn(page);
    const strange = kept
      .flatMap(({ urls }) => urls)
      .filter((url) => url !== `${talk.url}/` && !/\/ui\/assets\//.test(url));
    expect([kept.length, strange]).toEqual([1, []]);
    expect(kept[0]?.urls).toContain(`${talk.url}/`);
  });

  it('takes another build of the page from a server that was replaced, and throws the old one away', async () => {
    const page = await open();
    const [before] = await keptIn(page);
    await talk.close();
    await page.reload();
    await page.getByText('The server does not answer.').waitFor();
    await restart({ rebuilt: withOtherNames });
    // It was opened without its server: it comes anew by itself.
    await page.locator('link[href*="other-index"]').waitFor({ state: 'attached' });
    await page.locator('[data-phase=ready]').waitFor();
    const kept = await keptIn(page);
    expect(kept).toHaveLength(1);
    expect(kept[0]?.name).not.toBe(before?.name);
    expect(kept[0]?.urls.filter((url) => /\/index-[^/]*\.css$/.test(url))).toEqual([]);
    expect(kept[0]?.urls.some((url) => url.includes('other-index'))).toBe(true);
    await talk.close();
    await page.reload();
    await page.locator('link[href*="other-index"]').waitFor({ state: 'attached' });
    await page.getByText('The server does not answer.').waitFor();
  });

  it('tells who is in the middle of something that there is another build, and lets them take it', async () => {
    const page = await open();
    await page.reload();
    await page.locator('[data-phase=ready]').waitFor();
    await field(page).fill('In the middle');
    await followed(page);
    await talk.close();
    await page.getByText('The server does not answer.').waitFor();
    await restart({ rebuilt: withOtherNames });
    await page.getByText('The server has a new version of this page.').waitFor();
    expect(await page.locator('link[href*="other-index"]').count()).toBe(0);
    await page.getByRole('button', { name: 'Reload' }).click();
    await page.locator('link[href*="other-index"]').waitFor({ state: 'attached' });
    await expect.poll(() => field(page).inputValue()).toBe('In the middle');
  });

  it('is forgotten by the browser when the server has no page any more', async () => {
    const page = await open();
    await restart({ rebuilt: null });
    await page.goto(talk.url);
    await page.getByText('serve-model is running').waitFor();
    await expect
      .poll(() => page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length))
      .toBe(0);
    expect(await keptIn(page)).toEqual([]);
  });
});

interface Icon {
  readonly src: string;
  readonly type: string;
  readonly purpose: string;
}

/** Until the worker has kept the page. */
async function followed(page: Page): Promise<void> {
  await page.locator('[data-phase=ready]').waitFor();
  await page.waitForFunction(() => navigator.serviceWorker.controller?.state === 'activated');
}

function keptIn(page: Page): Promise<{ name: string; urls: string[] }[]> {
  return page.evaluate(async () => {
    const kept = [];
    for (const name of await caches.keys())
      kept.push({ name, urls: (await (await caches.open(name)).keys()).map(({ url }) => url) });
    return kept;
  });
}

/** As a later version of the page is: other names for what it loads first, and another worker. */
function withOtherNames(page: PageFiles): PageFiles {
  const changed = (file: PageFile, change: (text: string) => string): PageFile => ({
    ...file,
    etag: `other-${file.etag}`,
    compressed: false,
    read: async () => new TextEncoder().encode(change(new TextDecoder().decode(await file.read('identity')))),
  });
  return {
    find(path) {
      const file = page.find(path.replace('other-index', 'index'));
      if (file && path === 'index.html')
        return changed(file, (text) => text.replace(/assets\/(index-[^"]*\.css)/, 'assets/other-$1'));
      if (file && path === 'service-worker.js')
        return changed(file, (text) => text.replace(/[0-9a-f]{16}/, '0123456789abcdef'));
      return file;
    },
  };
}

import { existsSync } from 'node:fs';
import { Hono } from 'hono';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, describe, expect } from 'vitest';
import type { PageFiles } from '../../../src/contract/page-files.ts';
import { listen } from '../../../src/http/listen.ts';
import { openPageFiles } from '../../../src/http/page/page-files.ts';
import { type Door, type DoorOptions, openDoor } from '../../http/support.ts';

const places = [process.env.SERVE_MODEL_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'];

const chromiumPath = places.find((place) => place !== undefined && place !== '' && existsSync(place));

/** Tests of the page in the system's Chromium; skipped, and told so, where there is none. */
export function describeInBrowser(name: string, tests: () => void): void {
  if (chromiumPath === undefined)
    process.stderr.write(`skipped: ${name} (no Chromium; SERVE_MODEL_CHROMIUM can name one)\n`);
  describe.skipIf(chromiumPath === undefined)(name, tests);
}

let shared: Promise<Browser> | undefined;

/** One browser for the tests of a file. */
function browser(): Promise<Browser> {
  shared ??= chromium.launch({
    ...(chromiumPath !== undefined && { executablePath: chromiumPath }),
    args: ['--disable-background-networking', '--disable-component-update', '--no-first-run'],
  });
  return shared;
}

/** To be called once in each file. */
export function closeBrowserAfterwards(): void {
  afterAll(async () => {
    await (await shared)?.close();
    shared = undefined;
  });
}

export interface Visit {
  readonly page: Page;
  /** Addresses of all requests, in order. */
  readonly requests: readonly string[];
  /** What must never be: reports of a violated policy, errors of scripts, requests off the own origin. */
  readonly complaints: readonly string[];
  /** Closes the page, and fails when there was a complaint. */
  end(): Promise<void>;
}

export interface VisitOptions extends BrowserContextOptions {
  /** Runs before the page's own scripts. */
  readonly before?: (page: Page) => Promise<void>;
}

/** Opens the page in a browser profile of its own. */
export async function visit(url: string, { before, ...options }: VisitOptions = {}): Promise<Visit> {
  const context = await (await browser()).newContext({
    viewport: { width: 1200, height: 800 },
    locale: 'en-US',
    ...options,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints: string[] = [];
  const requests: string[] = [];
  const origin = new URL(url).origin;
  await page.exposeBinding('tellViolation', (_, text: string) => void complaints.push(`policy: ${text}`));
  await page.addInitScript(() => {
    // What is previewed may try what it likes.
    if (window !== window.top) return;
    addEventListener('securitypolicyviolation', ({ violatedDirective, blockedURI, sample }) => {
      const { tellViolation } = globalThis as unknown as { tellViolation: (text: string) => void };
      tellViolation(`${violatedDirective} ${blockedURI} ${sample}`);
    });
  });
  page.on('pageerror', (error) => complaints.push(`script: ${error.stack ?? error.message}`));
  page.on('console', (message) => {
    // What the server refuses is the test's own doing.
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
      complaints.push(`console: ${message.text()}`);
  });
  page.on('request', (request) => {
    requests.push(request.url());
    if (!/^(data|blob):/.test(request.url()) && new URL(request.url()).origin !== origin)
      complaints.push(`foreign: ${request.url()}`);
  });
  await before?.(page);
  await page.goto(url);
  return {
    page,
    requests,
    complaints,
    async end() {
      await context.close();
      expect(complaints).toEqual([]);
    },
  };
}

export interface ScriptedServer {
  readonly url: string;
  readonly door: Door;
  close(): Promise<void>;
}

export interface ScriptedOptions extends DoorOptions {
  /** One that is free, if it is not named. */
  readonly port?: number;
  /** What is served in place of the page as it was built; null: a server without one. */
  readonly rebuilt?: ((page: PageFiles) => PageFiles) | null;
  /** Where the server is mounted in another one, without a slash at its end. */
  readonly prefix?: string;
}

/** The real door with the built page on a real port, over a model that says what the test tells it to. */
export async function scriptedServer({
  more,
  port = 0,
  rebuilt = same,
  prefix = '',
  ...options
}: ScriptedOptions = {}): Promise<ScriptedServer> {
  const page = await openPageFiles('ui');
  if (!page) throw new Error('The page is not built.');
  const door = openDoor({ ...options, more: { ...more, ...(rebuilt && { page: rebuilt(page) }) } });
  const site = prefix === '' ? door.app : new Hono({ strict: false }).route(prefix, door.app);
  const listener = await listen(site, {
    host: '127.0.0.1',
    port,
    headerTimeoutMs: 15_000,
    requestTimeoutMs: 60_000,
  });
  return { url: listener.url + prefix, door, close: () => listener.close({ force: true }) };
}

function same(page: PageFiles): PageFiles {
  return page;
}

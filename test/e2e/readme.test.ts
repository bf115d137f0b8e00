import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { documents, examplesOf, readDocument, root } from '../support/documents.ts';

const run = promisify(execFile);

/** What each example marked with `<!-- run -->` prints, by its document, in the order that they have there. */
const expected: Readonly<Record<string, readonly RegExp[]>> = {
  'README.md': [/"content":"[^"]*Paris/, /fox/, /"type":"message".*"stop_reason":"end_turn"/],
  'src/dialects/openai-chat/README.md': [
    /^data: \{[\s\S]*"usage":\{[\s\S]*data: \[DONE\]\n\n$/,
    /^calls get_weather .*Paris.*\n.*\d/,
  ],
  'src/dialects/openai-responses/README.md': [/"object":"response".*"status":"completed"/],
  'src/grammar/README.md': [/"content":"\{\\"name\\":\s*\\"Alice\\",\s*\\"age\\":\s*31,\s*\\"city\\":\s*\\"Rome\\"\}"/],
  'src/media/README.md': [/I see a blue square\./],
};

const examples = new Map(documents().map((path) => [path, examplesOf(readDocument(path))]));
const runs = Object.entries(expected).flatMap(([path, patterns]) =>
  patterns.map((pattern, index) => ({ path, index, pattern })),
);

let server: RunningServer;
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-readme-'));
  const tools = join(folder, 'mcp.json');
  await writeFile(tools, '{"mcpServers": {}}');
  server = await startDemoServer(['--ctx-size', '2048', '--mcp-config', tools]);
});
afterAll(async () => {
  await server?.close();
  await rm(folder, { recursive: true });
});

async function output(path: string, index: number): Promise<string> {
  const example = examples.get(path)?.[index];
  if (!example) throw new Error('no such example');
  const local = example.code.replaceAll('http://127.0.0.1:8080', server.url);
  const command =
    example.language === 'js' ? [process.execPath, '--input-type=module', '-e', local] : ['bash', '-c', local];
  const [program = '', ...args] = command;
  return (await run(program, args, { cwd: root, timeout: 50_000 })).stdout;
}

describe('the documents', () => {
  it('have an expectation for each example', () => {
    const counts = (entries: Iterable<readonly [string, readonly unknown[]]>) =>
      Object.fromEntries([...entries].flatMap(([path, { length }]) => (length > 0 ? [[path, length]] : [])));
    expect(counts(examples)).toEqual(counts(Object.entries(expected)));
  });

  it.each(runs)('$path: example $index prints what it should', async ({ path, index, pattern }) => {
    expect(await output(path, index)).toMatch(pattern);
  });

  it.each([
    ['README.md', 15],
    ['src/http/README.md', 70],
  ])('%s names only routes that there are', async (document, atLeast) => {
    const [table = ''] = /^\| route \| what \|\n(\|.*\n)+/m.exec(readDocument(document)) ?? [];
    const routes = [...table.matchAll(/`(GET|POST|DELETE) (\/[^`]*)`/g)];
    expect(routes.length).toBeGreaterThan(atLeast);
    for (const [, method = '', path = ''] of routes) {
      if (path.endsWith('/events')) continue; // it never ends
      const response = await fetch(`${server.url}${path}`, { method });
      const body = await response.text();
      expect(response.status, `${method} ${path}: ${body}`).not.toBe(405);
      expect(body, `${method} ${path}`).not.toMatch(/There is no (GET|POST|DELETE)/);
    }
  });
});

/** What a page names: of its links and pictures, the addresses that it leads to on this server. */
function ledTo(page: string, html: string): URL[] {
  return [...html.matchAll(/ (?:href|src)="([^"]*)"/g)]
    .map((match) => new URL((match[1] ?? '').replaceAll('&amp;', '&'), page))
    .filter((address) => address.origin === new URL(server.url).origin);
}

describe('the guides at /docs', () => {
  it('lead to each other, to headings that there are, and to nothing that is not there', async () => {
    const pages = new Map<string, string>();
    const wrong: string[] = [];
    const wanted: { from: string; address: URL }[] = [{ from: '', address: new URL('/docs', server.url) }];
    for (const { from, address } of wanted) {
      const page = `${address.origin}${address.pathname}`;
      if (!pages.has(page)) {
        const response = await fetch(page);
        const isPage = response.headers.get('content-type')?.startsWith('text/html') === true;
        const text = await response.text();
        pages.set(page, text);
        if (response.status !== 200) wrong.push(`${from}: ${page} is a ${response.status}`);
        else if (isPage) wanted.push(...ledTo(page, text).map((next) => ({ from: page, address: next })));
      }
      const id = decodeURIComponent(address.hash.slice(1));
      if (id !== '' && !pages.get(page)?.includes(` id="${id}"`)) wrong.push(`${from}: no ${address.href}`);
    }
    expect(wrong).toEqual([]);
    expect([...pages.values()].filter((text) => / style=|<script|javascript:/.test(text))).toEqual([]);
    // Every document of the house is one of them.
    const { length } = documents().filter((path) => path.startsWith('src/'));
    expect([...pages.keys()].filter((page) => page.includes('/docs/')).length).toBeGreaterThan(length);
  });
});

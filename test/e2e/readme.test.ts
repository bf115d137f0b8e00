import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { startDemoServer } from '../support/demo-server.ts';

const root = resolve(import.meta.dirname, '../..');
const readme = readFileSync(resolve(root, 'README.md'), 'utf8');
const run = promisify(execFile);

/** What each example marked with `<!-- run -->` prints, in the order of the README. */
const expected: readonly RegExp[] = [
  /"content":"[^"]*Paris/,
  /^data: \{[\s\S]*"usage":\{[\s\S]*data: \[DONE\]\n\n$/,
  /I see a blue square\./,
  /"content":"\{\\"name\\":\s*\\"Alice\\",\s*\\"age\\":\s*31,\s*\\"city\\":\s*\\"Rome\\"\}"/,
  /"type":"message".*"stop_reason":"end_turn"/,
  /"object":"response".*"status":"completed"/,
  /fox/,
  /^calls get_weather .*Paris.*\n.*\d/,
];

interface Example {
  readonly language: string;
  readonly code: string;
}

const examples: Example[] = [...readme.matchAll(/<!-- run -->\n```(\w+)\n([\s\S]*?)```/g)].map(
  ([, language = '', code = '']) => ({ language, code }),
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

async function output({ language, code }: Example): Promise<string> {
  const local = code.replaceAll('http://127.0.0.1:8080', server.url);
  const command = language === 'js' ? [process.execPath, '--input-type=module', '-e', local] : ['bash', '-c', local];
  const [program = '', ...args] = command;
  return (await run(program, args, { cwd: root, timeout: 50_000 })).stdout;
}

describe('the README', () => {
  it('has an expectation for each example', () => {
    expect(examples).toHaveLength(expected.length);
  });

  it.each(expected.map((pattern, index) => [index, pattern] as const))(
    'example %d prints what it should',
    async (index, pattern) => {
      const example = examples[index];
      if (!example) throw new Error('no such example');
      expect(await output(example)).toMatch(pattern);
    },
  );

  it('names only routes that there are', async () => {
    const table = readme.slice(readme.indexOf('| route | what |'), readme.indexOf('### Chat completions'));
    const routes = [...table.matchAll(/`(GET|POST|DELETE) (\/[^`]*)`/g)];
    expect(routes.length).toBeGreaterThan(30);
    for (const [, method = '', path = ''] of routes) {
      if (path.endsWith('/events')) continue; // it never ends
      const response = await fetch(`${server.url}${path}`, { method });
      const body = await response.text();
      expect(response.status, `${method} ${path}: ${body}`).not.toBe(405);
      expect(body, `${method} ${path}`).not.toMatch(/There is no (GET|POST|DELETE)/);
    }
  });
});

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runCommand, type ServeProcess, startProcess, withDeadline } from '../support/serve-process.ts';

let folder = '';
const started: ServeProcess[] = [];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-command-'));
  await writeFile(join(folder, 'page.gguf'), '<html>not found</html>');
  await writeFile(join(folder, 'other.gguf'), 'x');
});
afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rm(folder, { recursive: true }));

function start(flags: readonly string[] = []): ServeProcess {
  const server = startProcess(flags);
  started.push(server);
  return server;
}

function chat(url: string, body: object): Promise<Response> {
  const messages = [{ role: 'user', content: 'Tell me a long story.' }];
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages, temperature: 0, ...body }),
  });
}

/** Of a server whose log has the standard output: the banner is among the errors then. */
async function addressOf({ child, error }: ServeProcess): Promise<string> {
  for (;;) {
    const address = /address {2}(\S+)\n/.exec(error())?.[1];
    if (address !== undefined) return address;
    await withDeadline('the address', new Promise((done) => child.stderr.once('data', done)));
  }
}

/** Sends what the curl line of the banner would send. */
async function tryCurlLine(banner: string): Promise<unknown> {
  const [, url = '', name = '', value = '', body = ''] =
    /curl (\S+) -H "([^:]+): ([^"]+)" \\\n\s+-d '(.*)'/.exec(banner) ?? [];
  const response = await fetch(url, { method: 'POST', headers: { [name]: value }, body });
  return response.json();
}

describe('serve-model', () => {
  it('says in at most ten lines what it serves, answers, and ends with 130 on Ctrl-C', async () => {
    const server = start(['--log-level', 'silent']);
    await server.ready();
    expect(await tryCurlLine(server.out())).toMatchObject({ choices: [{ message: { role: 'assistant' } }] });
    server.child.kill('SIGINT');
    expect(await server.exited()).toBe(130);
    const lines = server.out().trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(10);
    expect(lines[0]).toMatch(/^serve-model \d+\.\d+\.\d+ serves serve-model-demo /);
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}curl http/));
    expect(server.error()).toContain('Loading the model ');
    expect(server.error()).not.toMatch(/\n\s+at /);
  });

  it('finishes a running stream on SIGTERM and ends with 0', async () => {
    const server = start();
    const url = await server.ready();
    const response = await chat(url, { stream: true, max_tokens: 300, ignore_eos: true });
    server.child.kill('SIGTERM');
    const text = await withDeadline('the stream', response.text());
    expect(text).toContain('"finish_reason":"length"');
    expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true);
    expect(await server.exited()).toBe(0);
    expect(server.error()).toContain('Draining');
  });

  it('ends at once on a second signal', async () => {
    const server = start();
    const url = await server.ready();
    const response = await chat(url, { stream: true, ignore_eos: true });
    server.child.kill('SIGTERM');
    while (!server.error().includes('Draining')) await new Promise((done) => server.child.stderr.once('data', done));
    server.child.kill('SIGTERM');
    expect(await server.exited()).toBe(0);
    await response.text().catch(() => 'cut off');
  });

  it('ends with its exit code in the middle of a decode, every time', async () => {
    for (let round = 0; round < 3; round++) {
      const server = start();
      const url = await server.ready();
      const answers = [1, 2, 3, 4].map((seed) => chat(url, { stream: true, ignore_eos: true, temperature: 1, seed }));
      const begun = await withDeadline('the answers', Promise.all(answers));
      server.child.kill('SIGTERM');
      while (!server.error().includes('Draining')) await new Promise((done) => server.child.stderr.once('data', done));
      server.child.kill('SIGTERM');
      expect(await server.exited()).toBe(0);
      await Promise.all(begun.map((response) => response.text().catch(() => 'cut off')));
    }
  });

  it('writes JSON lines, goes on when nobody reads them, and when the log is closed', async () => {
    const server = start(['--log-level', 'debug', '--log-format', 'json']);
    const url = await addressOf(server);
    for (const line of server.out().trimEnd().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
    server.child.stdout.pause();
    const probe = () => fetch(`${url}/healthz?${'x'.repeat(2000)}`).then((response) => response.status);
    // Far more than a pipe holds.
    for (let round = 0; round < 20; round++) {
      const statuses = await withDeadline('the probes', Promise.all(Array.from({ length: 50 }, probe)));
      expect(new Set(statuses)).toEqual(new Set([200]));
    }
    server.child.stdout.destroy();
    expect(await probe()).toBe(200);
    expect(await probe()).toBe(200);
    server.child.kill('SIGTERM');
    expect(await server.exited()).toBe(0);
  });

  it('logs the text of a prompt and its answer with --log-prompts, and only then', async () => {
    for (const [flags, lines] of [
      [['--log-prompts'], 1],
      [[], 0],
    ] as const) {
      const server = start(['--log-format', 'json', '--log-level', 'info', ...flags]);
      const url = await addressOf(server);
      const answer = z.object({ id: z.string() }).parse(await (await chat(url, { max_tokens: 5 })).json());
      server.child.kill('SIGTERM');
      expect(await server.exited()).toBe(0);
      const log = server.out() + server.error();
      const texts = log.split('\n').filter((line) => line.includes('Tell me a long story.'));
      expect(texts).toHaveLength(lines);
      for (const line of texts) {
        expect(JSON.parse(line)).toMatchObject({
          ...{ msg: 'texts', model: 'serve-model-demo', answerId: answer.id },
          prompt: expect.stringContaining('<|im_start|>user\nTell me a long story.<|im_end|>'),
          answer: expect.stringMatching(/./),
        });
      }
    }
  });

  it('warns when other machines can use it without a key', async () => {
    const open = start(['--host', '0.0.0.0', '--log-level', 'silent']);
    const url = await open.ready();
    expect((await fetch(`${url}/health`)).status).toBe(200);
    while (!open.error().includes('WARNING')) await new Promise((done) => open.child.stderr.once('data', done));
    expect(open.error()).toContain('WARNING: whoever reaches 0.0.0.0 can use this server. Set --api-key');
  });

  it.each<[string, () => string[], RegExp]>([
    ['a wrong flag', () => ['--prot', '1'], /^serve-model: There is no flag --prot\. Did you mean --port\?\n$/],
    ['a wrong value', () => ['--parallel', 'many'], /^serve-model: --parallel must be a whole number from 1 to 256/],
    [
      'a missing file',
      () => [join(folder, 'none.gguf')],
      /^serve-model: There is no model .*none\.gguf\. Give a \.gguf file/,
    ],
    ['a file that is no model', () => [join(folder, 'page.gguf')], /^serve-model: .*This is no GGUF file/],
    [
      'a folder with several models',
      () => [folder],
      /^serve-model: The folder .* holds several models: other\.gguf, page\.gguf/,
    ],
    ['an address of another machine', () => ['--host', '192.0.2.1'], /serve-model: .*192\.0\.2\.1/],
  ])('explains %s in one sentence and ends with 1', async (_, argv, sentence) => {
    const failing = runCommand(argv());
    expect(await failing.exited()).toBe(1);
    const lines = failing
      .error()
      .split('\n')
      .filter((line) => !/^(Loading|Measuring)/.test(line));
    expect(lines.join('\n')).toMatch(sentence);
    expect(lines.filter((line) => line !== '')).toHaveLength(1);
    expect(failing.out()).toBe('');
  });

  it('explains a port in use', async () => {
    const other = createServer();
    await new Promise<void>((done) => other.listen(0, '127.0.0.1', done));
    const address = other.address();
    const port = typeof address === 'object' ? address?.port : 0;
    const failing = runCommand(['--port', String(port)]);
    expect(await failing.exited()).toBe(1);
    expect(failing.error()).toMatch(new RegExp(`serve-model: Port ${port} on 127\\.0\\.0\\.1 is taken .*--port`));
    other.close();
  });

  it('prints its version and its help', async () => {
    const version = runCommand(['--version']);
    expect(await version.exited()).toBe(0);
    expect(version.out()).toMatch(/^\d+\.\d+\.\d+\n$/);
    const help = runCommand(['--help']);
    expect(await help.exited()).toBe(0);
    expect(help.out()).toMatch(/^Usage: serve-model \[MODEL\] \[flags\]\n/);
  });
});

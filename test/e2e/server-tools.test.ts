import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { until, within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { everythingServer, type HttpServerProcess, startEverythingOverHttp } from '../support/everything-server.ts';
import { isAlive } from '../support/process-alive.ts';

/** A real server of tools, started by the server over stdio and reached over both HTTP transports. */
let server: RunningServer;
let overHttp: HttpServerProcess;
let overSse: HttpServerProcess;
let folder = '';
let pidFile = '';
const secret = 'sesame-open-1234';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-tools-'));
  pidFile = join(folder, 'pid');
  [overHttp, overSse] = await Promise.all([startEverythingOverHttp('streamableHttp'), startEverythingOverHttp('sse')]);
  const starter = `require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); import(${JSON.stringify(everythingServer)})`;
  const config = {
    mcpServers: {
      local: { command: process.execPath, args: ['-e', starter, 'stdio'], env: { API_KEY: secret } },
      web: { type: 'http', url: overHttp.url, headers: { authorization: `Bearer ${secret}` } },
      old: { type: 'sse', url: overSse.url },
      broken: { command: join(folder, 'not-there') },
      wrong: { args: 'none' },
    },
  };
  const file = join(folder, 'mcp.json');
  await writeFile(file, JSON.stringify(config));
  server = await startDemoServer(['--mcp-config', file, '--default-tools', 'local__get-sum', '--parallel', '2']);
});

afterAll(async () => {
  await server?.close();
  await Promise.all([overHttp?.close(), overSse?.close()]);
  await rm(folder, { recursive: true });
});

async function post(path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return within(
    path,
    fetch(server.url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    }),
    40_000,
  );
}

const sum = [{ role: 'user', content: 'What is the sum of 3 and 4? Use get-sum.' }];
const asking = (tool: string, more: object = {}) => ({
  messages: sum,
  temperature: 0,
  max_tokens: 300,
  enable_tools: true,
  enabled_tools: [tool],
  tool_choice: 'required',
  ...more,
});

interface ServerToolStep {
  readonly id: string;
  readonly server: string;
  readonly name: string;
  readonly state: string;
  readonly arguments?: string;
  readonly arguments_delta?: string;
  readonly result?: string;
}
interface Answer {
  readonly choices: readonly [
    {
      readonly finish_reason: string;
      readonly message: {
        readonly content: string;
        readonly tool_calls?: unknown;
        readonly server_tools?: readonly ServerToolStep[];
      };
    },
  ];
  readonly usage: {
    readonly rounds: readonly { prompt_tokens: number; cached_tokens: number; completion_tokens: number }[];
  };
}

async function chat(body: object): Promise<Answer> {
  const response = await post('/v1/chat/completions', body);
  const answer: unknown = await response.json();
  expect([response.status, answer]).toEqual([200, expect.objectContaining({ object: 'chat.completion' })]);
  return answer as Answer;
}

describe('tools of a real server', () => {
  it.each(['local', 'web', 'old'])('are run for the model: %s', async (name) => {
    const { choices, usage } = await chat(asking(`${name}__get-sum`));
    const [{ message, finish_reason }] = choices;
    expect(message.tool_calls).toBeUndefined();
    expect(message.server_tools).toEqual([
      {
        id: expect.stringMatching(/^call_/),
        server: name,
        name: 'get-sum',
        arguments: '{"a": 3, "b": 4}',
        state: 'done',
        result: 'The sum of 3 and 4 is 7.',
        ms: expect.any(Number),
      },
    ]);
    expect(message.content).not.toBe('');
    expect(finish_reason).toBe('stop');
    const [first, second] = usage.rounds;
    const evaluated = (first?.prompt_tokens ?? 0) + (first?.completion_tokens ?? 0);
    expect((second?.cached_tokens ?? 0) / evaluated).toBeGreaterThanOrEqual(0.95);
  });

  it('are not read again where the model writes a call in other tokens than its text would have', async () => {
    const usual = await post('/tokenize', { content: '{"arguments": {"a": 3, "b": 4}}\n', with_pieces: true });
    const { tokens } = (await usual.json()) as { tokens: readonly { id: number; piece: string }[] };
    const logit_bias = Object.fromEntries(
      tokens.filter(({ piece }) => /^( \{"|arguments|\}\}\n)$/.test(piece)).map(({ id }) => [id, -100]),
    );
    expect(Object.keys(logit_bias)).toHaveLength(3);
    const { usage } = await chat(asking('local__get-sum', { logit_bias }));
    const [first, second] = usage.rounds;
    const evaluated = (first?.prompt_tokens ?? 0) + (first?.completion_tokens ?? 0);
    expect((second?.cached_tokens ?? 0) / evaluated).toBeGreaterThanOrEqual(0.95);
  });

  it('show each step of a stream on a chunk of its own, and never as a call of the client', async () => {
    const response = await post('/v1/chat/completions', asking('local__echo', { stream: true }));
    const text = await response.text();
    const chunks = [...text.matchAll(/^data: (\{.*)$/gm)].map(
      ([, json = '']) => JSON.parse(json) as { choices: { delta: object }[]; server_tool?: ServerToolStep },
    );
    const steps = chunks.filter(({ server_tool }) => server_tool);
    const told = steps.map(({ server_tool }) => server_tool);
    const written = told.map((step) => step?.arguments_delta ?? '').join('');
    const whole = told.findIndex((step) => step?.arguments !== undefined);
    expect(written).toBe(told[whole]?.arguments);
    expect(JSON.parse(written)).toEqual({ message: expect.any(String) });
    expect(told.slice(0, whole).every((step) => step?.state === 'writing')).toBe(true);
    expect(told.slice(whole).map((step) => step?.state)).toEqual(['called', 'running', 'done']);
    expect(steps.every(({ choices: [choice] }) => choice && Object.keys(choice.delta).length === 0)).toBe(true);
    expect(steps.at(-1)?.server_tool?.result).toMatch(/^Echo: /);
    expect(text).not.toContain('tool_calls');
    expect(text.trimEnd()).toMatch(/\[DONE\]$/);
  });

  it('serve clients that know no field, through --default-tools', async () => {
    const body = { model: 'x', messages: sum, stream: false, options: { temperature: 0, num_predict: 300 } };
    const response = await post('/api/chat', body);
    const answer = (await response.json()) as {
      message: { content: string; tool_calls?: unknown };
      prompt_eval_count: number;
    };
    expect(answer.message.tool_calls).toBeUndefined();
    expect(answer.message.content).not.toBe('');
    // The prompt of the last round: question, call and result.
    expect(answer.prompt_eval_count).toBeGreaterThan(200);
    const plain = await post('/v1/chat/completions', {
      messages: sum,
      max_tokens: 300,
      temperature: 0,
      tool_choice: 'none',
    });
    expect(await plain.text()).not.toContain('server_tools');
  });

  it('images and structured results become text and notes', async () => {
    const image = await chat(asking('local__get-tiny-image'));
    expect(image.choices[0].message.server_tools?.[0]?.result).toMatch(/\[an image: image\/png, \d+ bytes\]/);
    const resource = await chat(asking('local__get-resource-links', { enabled_tools: ['local__get-resource-links'] }));
    expect(resource.choices[0].message.server_tools?.[0]?.state).toMatch(/done|failed/);
  });

  it('are told without secrets, and those that cannot be had do not matter', async () => {
    await until('a report', () => true);
    const response = await within('the report', fetch(`${server.url}/api/mcp`));
    const text = await response.text();
    const { servers } = JSON.parse(text) as {
      servers: { name: string; state: string; error: string | null; tools: { name: string }[] }[];
    };
    expect(servers.map(({ name, state }) => [name, state])).toEqual([
      ['local', 'ready'],
      ['web', 'ready'],
      ['old', 'ready'],
      ['broken', expect.stringMatching(/failed|starting/)],
      ['wrong', 'failed'],
    ]);
    expect(servers[0]?.tools.map(({ name }) => name)).toContain('get-sum');
    expect(text).not.toContain(secret);
    const env = await chat(asking('local__get-env'));
    const result = env.choices[0].message.server_tools?.[0]?.result ?? '';
    expect(result).toContain('API_KEY');
    expect(result).not.toContain(secret);
  });

  it('are not for other pages of this machine', async () => {
    const foreign = { origin: 'http://localhost:3000' };
    expect((await post('/v1/chat/completions', asking('local__get-sum'), foreign)).status).toBe(403);
    expect((await fetch(`${server.url}/api/mcp`, { headers: foreign })).status).toBe(403);
    const own = { origin: server.url };
    expect((await post('/v1/chat/completions', asking('local__get-sum', { max_tokens: 1 }), own)).status).toBe(200);
    expect((await post('/v1/chat/completions', { messages: sum, max_tokens: 1 }, foreign)).status).toBe(200);
  });

  it('a server that is killed is started again when it is used, and restarted when an admin says so', async () => {
    const pid = Number(await readFile(pidFile, 'utf8'));
    process.kill(pid, 'SIGKILL');
    await until('it is gone', () => !isAlive(pid));
    const { choices } = await chat(asking('local__get-sum'));
    expect(choices[0].message.server_tools?.[0]?.state).toBe('done');
    const second = Number(await readFile(pidFile, 'utf8'));
    expect(second).not.toBe(pid);
    const restarted = await post('/api/mcp/local/restart', {});
    expect(await restarted.json()).toMatchObject({ name: 'local', state: 'ready' });
    expect(isAlive(second)).toBe(false);
    expect((await post('/api/mcp/nobody/restart', {})).status).toBe(404);
  });

  it('end with the server', async () => {
    const pid = Number(await readFile(pidFile, 'utf8'));
    expect(isAlive(pid)).toBe(true);
    await server.close();
    expect(isAlive(pid)).toBe(false);
  });
});

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until, within } from '../http/support.ts';
import { type ServeProcess, startProcess } from '../support/serve-process.ts';

/** The real command, its two slots and its log, and a server of tools that hangs and tells secrets. */
const secret = 'open-sesame-4711';
let server: ServeProcess;
let url = '';
let folder = '';
let notes = '';

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-slots-'));
  notes = join(folder, 'notes');
  const script = resolve(import.meta.dirname, '../support/odd-tool-server.mjs');
  const odd = { command: process.execPath, args: [script], env: { ODD_NOTES: notes, ODD_KEY: secret } };
  await writeFile(join(folder, 'mcp.json'), JSON.stringify({ mcpServers: { odd } }));
  await writeFile(join(folder, 'keys'), 'ann: ann-key-123456\n');
  const flags = [
    '--mcp-config',
    join(folder, 'mcp.json'),
    '--tools-for',
    'keys',
    '--parallel',
    '2',
    '--max-queue',
    '4',
  ];
  const log = ['--log-format', 'json', '--log-level', 'debug', '--api-key-file', join(folder, 'keys')];
  server = startProcess([...flags, ...log, '--chat-store', 'off']);
  // With a log for programs the banner goes to the other stream.
  const address = () => /address {2}(\S+)\n/.exec(server.error())?.[1];
  await until('the banner', () => address() !== undefined, 50_000);
  url = address() ?? '';
});

afterAll(async () => {
  server?.child.kill('SIGTERM');
  await server?.exited();
  await rm(folder, { recursive: true });
});

function ask(body: object, signal?: AbortSignal): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer ann-key-123456' },
    body: JSON.stringify({ temperature: 0, max_tokens: 200, ...body }),
    ...(signal && { signal }),
  });
}

const using = (tool: string, more: object = {}) => ({
  messages: [{ role: 'user', content: `Use the tool ${tool}.` }],
  enable_tools: true,
  enabled_tools: [`odd__${tool}`],
  tool_choice: 'required',
  ...more,
});

/** Reads on until a text has come; what follows is dropped with the signal. */
async function untilSaid(response: Response, text: string): Promise<void> {
  let said = '';
  for await (const piece of response.body ?? []) {
    said += Buffer.from(piece).toString();
    if (said.includes(text)) return;
  }
  throw new Error(`it ended without ${text}: ${said.slice(-300)}`);
}

const noted = () => readFile(notes, 'utf8').catch(() => '');

describe('while a tool runs', () => {
  it('others have all slots, and a client that leaves ends its call', async () => {
    const leave = new AbortController();
    const hanging = await within('the hanging answer', ask(using('hang', { stream: true }), leave.signal), 40_000);
    let calls = '';
    await until(
      'the tool runs',
      () => {
        void noted().then((text) => {
          calls = text;
        });
        return calls.includes('call hang');
      },
      40_000,
    );
    // Both begin, and neither has ended: they run beside each other on the two slots that there are.
    const others = new AbortController();
    const long = {
      messages: [{ role: 'user', content: 'Tell a story.' }],
      stream: true,
      ignore_eos: true,
      max_tokens: 600,
    };
    const streams = await Promise.all([ask(long, others.signal), ask(long, others.signal)]);
    const begun = Promise.all(streams.map((stream) => untilSaid(stream, 'reasoning_content')));
    await within('two answers at once', begun, 40_000);
    others.abort();
    leave.abort();
    await hanging.body?.cancel().catch(() => undefined);
    await until(
      'the tool is told',
      () => {
        void noted().then((text) => {
          calls = text;
        });
        return calls.includes('cancelled');
      },
      20_000,
    );
  });

  it('each call is a line in the log, and secrets are in none', async () => {
    const response = await within('the answer', ask(using('noise')), 40_000);
    const answer = (await response.json()) as { choices: [{ message: { server_tools: [{ result: string }] } }] };
    expect(answer.choices[0].message.server_tools[0].result).toBe('the key is [secret]');
    expect(JSON.stringify(answer)).not.toContain(secret);
    await within('a failed one', ask(using('fail')), 40_000);
    const report = await fetch(`${url}/api/mcp`, { headers: { authorization: 'Bearer ann-key-123456' } });
    expect(await report.text()).not.toContain(secret);
    const lines = () =>
      server
        .out()
        .split('\n')
        .flatMap((line) => (line.includes('"tool call"') ? [JSON.parse(line) as Record<string, unknown>] : []));
    await until('the lines', () => lines().length >= 3);
    expect(lines()).toEqual([
      expect.objectContaining({ key: 'ann', server: 'odd', tool: 'hang', result: 'cancelled', bytes: 0 }),
      expect.objectContaining({ key: 'ann', server: 'odd', tool: 'noise', result: 'ok', bytes: 19 }),
      expect.objectContaining({ key: 'ann', server: 'odd', tool: 'fail', result: 'error', bytes: 13 }),
    ]);
    expect(lines().every(({ ms }) => typeof ms === 'number')).toBe(true);
    // The server of tools has written its key to its log 2000 times.
    await until('its lines', () => server.out().includes('line 1999'));
    expect(server.out()).toContain('[secret]');
    expect(server.out() + server.error()).not.toContain(secret);
  });
});

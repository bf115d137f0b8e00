import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';

/** The demo model with its projector, and without, and a tool that shows it a picture of a white circle. */
let seeing: RunningServer;
let blind: RunningServer;
let folder = '';
const picture = resolve(import.meta.dirname, '../fixtures/demo-images/01-one.png');
/** Tokens that it is to the model. */
const pictureTokens = 36;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-pictures-'));
  const script = resolve(import.meta.dirname, '../support/odd-tool-server.mjs');
  const eyes = { command: process.execPath, args: [script], env: { ODD_PICTURE: picture } };
  const file = join(folder, 'mcp.json');
  await writeFile(file, JSON.stringify({ mcpServers: { eyes } }));
  seeing = await startDemoServer(['--mcp-config', file]);
  blind = await startDemoServer(['--mcp-config', file, '--no-mmproj']);
});

afterAll(async () => {
  await seeing?.close();
  await blind?.close();
  await rm(folder, { recursive: true });
});

interface Answer {
  readonly choices: readonly [
    { finish_reason: string; message: { content: string; server_tools: readonly { state: string; result: string }[] } },
  ];
  readonly usage: { rounds: readonly { prompt_tokens: number; cached_tokens: number; completion_tokens: number }[] };
}

async function look(server: RunningServer, tool: string): Promise<{ answer: Answer; warning: string }> {
  const body = {
    messages: [{ role: 'user', content: `Use the tool ${tool}, then tell what you see.` }],
    temperature: 0,
    max_tokens: 300,
    enable_tools: true,
    enabled_tools: [tool],
    tool_choice: 'required',
    chat_template_kwargs: { enable_thinking: false },
  };
  const headers = { 'content-type': 'application/json' };
  const init = { method: 'POST', headers, body: JSON.stringify(body) };
  const response = await within('the answer', fetch(`${server.url}/v1/chat/completions`, init), 40_000);
  expect(response.status).toBe(200);
  return { answer: (await response.json()) as Answer, warning: response.headers.get('x-serve-model-warnings') ?? '' };
}

describe('an image that a tool of the server gives back', () => {
  it('is seen by a model with a projector', async () => {
    const { answer } = await look(seeing, 'look');
    const [{ message, finish_reason }] = answer.choices;
    expect(message.server_tools).toMatchObject([{ state: 'done', result: '[an image: image/png, 1843 bytes]' }]);
    expect(message.content).toMatch(/white circle/);
    expect(finish_reason).toBe('stop');
    const [first, second] = answer.usage.rounds;
    const before = (first?.prompt_tokens ?? 0) + (first?.completion_tokens ?? 0);
    expect(second?.prompt_tokens).toBeGreaterThan(before + pictureTokens);
  });

  it('is a note to a model without, as one that cannot be read is', async () => {
    const { answer } = await look(blind, 'look');
    expect(answer.choices[0].message.content).not.toBe('');
    expect(answer.choices[0].finish_reason).toBe('stop');
    const damaged = await look(seeing, 'look_badly');
    expect(damaged.answer.choices[0].message.server_tools).toMatchObject([{ state: 'done' }]);
    expect(damaged.answer.choices[0].message.content).not.toBe('');
  });
});

import { createServer } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';

/** A search engine of the owner's own network; it answers what it was asked. */
const engine = createServer((request, response) => {
  const query = new URL(request.url ?? '/', 'http://engine').searchParams.get('q');
  response.end(JSON.stringify({ results: [{ title: `About ${query}`, url: 'https://found.example/' }] }));
});
let server: RunningServer;

beforeAll(async () => {
  await new Promise<void>((resolve) => {
    engine.listen(0, '127.0.0.1', resolve);
  });
  const address = engine.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const tools = ['--tool', 'time,calculator', '--tools', 'fetch', '--web-search-url', `http://127.0.0.1:${port}`];
  server = await startDemoServer([...tools, '--tool-allow', 'built-in', '--default-tools', 'built-in__calculator']);
});

afterAll(async () => {
  await server?.close();
  await new Promise((resolve) => engine.close(resolve));
});

async function post(path: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await within(
    path,
    fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) }),
    40_000,
  );
  const answer: unknown = await response.json();
  expect([response.status, answer]).toEqual([200, expect.anything()]);
  return answer;
}

interface Step {
  readonly server: string;
  readonly name: string;
  readonly state: string;
  readonly arguments: string;
  readonly result: string;
}

async function chat(content: string, tool: string, more: object = {}): Promise<readonly Step[]> {
  const answer = (await post('/v1/chat/completions', {
    messages: [{ role: 'user', content }],
    temperature: 0,
    max_tokens: 300,
    enable_tools: true,
    enabled_tools: [tool],
    tool_choice: 'required',
    ...more,
  })) as { choices: [{ message: { server_tools?: readonly Step[]; tool_calls?: unknown } }] };
  const { message } = answer.choices[0];
  expect(message.tool_calls).toBeUndefined();
  return message.server_tools ?? [];
}

describe('built-in tools', () => {
  it('are told as one server', async () => {
    const response = await within('the report', fetch(`${server.url}/api/mcp`));
    expect(await response.json()).toEqual({
      servers: [
        {
          name: 'built-in',
          transport: 'built-in',
          state: 'ready',
          error: null,
          tools: ['time', 'calculator', 'fetch', 'web_search'].map((name) => ({
            name,
            description: expect.any(String),
            input_schema: expect.objectContaining({ type: 'object' }),
            read_only: true,
          })),
        },
      ],
    });
    expect(await post('/api/mcp/built-in/restart', {})).toMatchObject({ state: 'ready' });
  });

  it.each(['calculator', 'built-in__calculator'])('calculate for the model: %s', async (tool) => {
    const [step] = await chat('What is 12 * 34? Use the calculator.', tool, { confirm_tools: 'writes' });
    expect(step).toMatchObject({ server: 'built-in', name: 'calculator', state: 'done' });
    const { expression } = JSON.parse(step?.arguments ?? '{}') as { expression: string };
    expect(expression).not.toBe('');
    expect(step?.result).toMatch(/^-?\d/);
  });

  it('tell the time, and search where the owner says', async () => {
    const [time] = await chat('What time is it in UTC?', 'time');
    expect(time).toMatchObject({ name: 'time', state: expect.stringMatching(/done|failed/) });
    expect(time?.result).toMatch(/In UTC: \d{4}-|no time zone/);
    const [search] = await chat('Search the web for owls.', 'web_search');
    expect(search).toMatchObject({ name: 'web_search', state: 'done' });
    expect(search?.result).toMatch(/^1\. About .*\n {3}https:\/\/found\.example\/$/);
  });

  it('fetch nothing from inside', async () => {
    const [step] = await chat('Read http://127.0.0.1/ with fetch.', 'fetch');
    expect(step).toMatchObject({ name: 'fetch', state: 'failed' });
    expect(step?.result).toMatch(/not asked|not fetched|no URL/);
  });

  it('serve clients that know no field', async () => {
    const answer = await post('/api/chat', {
      model: 'x',
      messages: [{ role: 'user', content: 'What is 12 * 34? Use the calculator.' }],
      stream: false,
      options: { temperature: 0, num_predict: 300 },
    });
    const { message, prompt_eval_count } = answer as { message: { content: string }; prompt_eval_count: number };
    expect(message.content).not.toBe('');
    // With the tool in it.
    expect(prompt_eval_count).toBeGreaterThan(100);
  });
});

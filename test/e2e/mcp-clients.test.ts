import { Agent, hostedMcpTool, run, setTracingDisabled } from '@openai/agents';
import { OpenAIResponsesModel } from '@openai/agents-openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startToolServers, type ToolServers } from './mcp-support.ts';
import { agentsClient, type ResponsesServer, startResponsesServer } from './responses-server.ts';

/** The OpenAI Agents SDK with hosted MCP tools, and clients that know nothing of tools. */
let house: ResponsesServer;
let tools: ToolServers;

beforeAll(async () => {
  setTracingDisabled(true);
  tools = await startToolServers();
  house = await startResponsesServer({
    ctxSize: 4096,
    toolServers: tools.toolServers,
    mcpAllowUrls: true,
    defaultTools: ['local__get-sum'],
    responseStore: 'memory',
    apiKey: ['none'],
    toolsFor: 'keys',
  });
}, 120_000);
afterAll(async () => {
  await house?.server.close();
  await tools?.close();
});

const question = 'What is the sum of 3 and 4? Use get-sum.';
const sum = 'The sum of 3 and 4 is 7.';

function agentWith(tool: ReturnType<typeof hostedMcpTool>) {
  return new Agent({
    name: 'Adder',
    instructions: '',
    model: new OpenAIResponsesModel(agentsClient(house), 'demo'),
    modelSettings: { toolChoice: 'required', maxTokens: 400 },
    tools: [tool],
  });
}

const named = { serverLabel: 'local', serverUrl: 'http://127.0.0.1:1/none', allowedTools: ['get-sum'] };
/** Items of calls, as the SDK holds them. */
const callsIn = (items: readonly { type: string; rawItem?: unknown }[]) =>
  items.flatMap(({ rawItem }) => {
    const { name, output } = rawItem as { name?: string; output?: string };
    return name === 'mcp_call' ? [output] : [];
  });

describe('the OpenAI Agents SDK', () => {
  it('reads what a hosted tool did, whole and streamed', async () => {
    const agent = agentWith(hostedMcpTool(named));
    const whole = await run(agent, question, { maxTurns: 3 });
    expect(callsIn(whole.newItems)).toEqual([sum]);
    expect(whole.finalOutput).toBeTruthy();
    const streamed = await run(agent, question, { maxTurns: 3, stream: true });
    await streamed.completed;
    expect(callsIn(streamed.newItems)).toEqual([sum]);
    expect(streamed.finalOutput).toBe(whole.finalOutput);
    // What it sends back is taken: a second turn of the same conversation.
    const next = await run(agent, [...whole.history, { role: 'user', content: 'Thanks!' }], { maxTurns: 3 });
    expect(next.finalOutput).toBeTruthy();
  });

  it('asks its user, and goes on with the decision', async () => {
    const decisions: string[] = [];
    const onApproval = async (_: unknown, { rawItem }: { rawItem: { name?: string } }) => {
      decisions.push(String(rawItem.name));
      return { approve: true };
    };
    const careful = hostedMcpTool({ ...named, requireApproval: 'always', onApproval });
    const result = await run(agentWith(careful), question, { maxTurns: 3 });
    expect(decisions).toHaveLength(1);
    expect(callsIn(result.newItems)).toEqual([sum]);
    expect(result.finalOutput).toBeTruthy();
  });
});

const post = async (path: string, body: object) => {
  const response = await house.server.fetch(
    new Request(`http://localhost${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer none' },
      body: JSON.stringify({ temperature: 0, ...body }),
    }),
  );
  return { status: response.status, text: await response.text() };
};
const messages = [{ role: 'user', content: question }];

/** Tokens of the last prompt, under whatever name they are told. */
function promptOf(text: string): number {
  const told = /"(?:prompt_eval_count|prompt_tokens|input_tokens|tokens_evaluated|cache_read_input_tokens)":(\d+)/g;
  const last = text.slice(Math.max(0, text.lastIndexOf('"usage"')));
  return [...last.matchAll(told)].reduce((sum, [, count]) => sum + Number(count), 0);
}

describe('clients that know nothing of tools', () => {
  it.each([
    ['/api/chat', { model: 'x', messages, options: { temperature: 0, num_predict: 300 } }],
    ['/api/chat', { model: 'x', messages, stream: false, options: { temperature: 0, num_predict: 300 } }],
    ['/api/generate', { model: 'x', prompt: question, options: { temperature: 0, num_predict: 300 } }],
    ['/api/generate', { model: 'x', prompt: question, stream: false, options: { temperature: 0, num_predict: 300 } }],
    ['/v1/responses', { input: question, max_output_tokens: 300 }],
    ['/v1/responses', { input: question, max_output_tokens: 300, stream: true }],
    ['/v1/messages', { messages, max_tokens: 300 }],
    ['/v1/messages', { messages, max_tokens: 300, stream: true }],
  ])('see the text of an answer that --default-tools helped: %s', async (path, body) => {
    const { status, text } = await post(path, body);
    expect([status, text]).toEqual([200, expect.not.stringMatching(/mcp_|"tool_calls"|"type":"tool_use"|"error":\{/)]);
    // Of the last round: question, tools, call and result.
    expect(promptOf(text)).toBeGreaterThan(220);
  });

  it('also in a form that has no usage and no words for tools', async () => {
    const { status, text } = await post('/generate/stream', { messages, max_new_tokens: 300 });
    const said = [...text.matchAll(/"text":"([^"]*)"/g)].map(([, piece]) => piece).join('');
    // The thought behind the result, as this model writes it.
    expect([status, said]).toEqual([200, expect.stringContaining('The tool gave me the answer')]);
  });

  it('raw prompts are no chats: nothing is offered', async () => {
    for (const [path, body] of [
      ['/v1/completions', { prompt: question, max_tokens: 5 }],
      ['/completion', { prompt: question, n_predict: 5 }],
      ['/api/generate', { model: 'x', prompt: question, raw: true, stream: false, options: { num_predict: 5 } }],
    ] as const) {
      const { status, text } = await post(path, body);
      expect([path, status, promptOf(text)]).toEqual([path, 200, 20]);
    }
  });

  it('are counted as they are answered', async () => {
    const plain = { messages, tool_choice: 'none' };
    const count = async (body: object) =>
      (JSON.parse((await post('/v1/chat/completions/input_tokens', body)).text) as { input_tokens: number })
        .input_tokens;
    expect(await count({ messages })).toBeGreaterThan((await count(plain)) + 50);
  });
});

describe('servers that are named by their address', () => {
  it('are not reached where only this machine could; a name of the configuration is that server', async () => {
    const tool = { type: 'mcp', server_label: 'mine', server_url: tools.http.url, require_approval: 'never' };
    const asked = { input: question, max_output_tokens: 300, tools: [tool] };
    const answer = await post('/v1/responses', asked);
    expect([answer.status, answer.text]).toEqual([200, expect.stringMatching(/"mcp_list_tools".*"error":"mine could/)]);
    const servers = { mcp_servers: [{ type: 'url', name: 'mine', url: tools.http.url }] };
    const refused = await post('/v1/messages', { messages, max_tokens: 10, ...servers });
    expect([refused.status, refused.text]).toEqual([400, expect.stringContaining('mine could not be started')]);
    const configured = {
      ...tool,
      server_label: 'web',
      server_url: 'http://169.254.169.254/',
      allowed_tools: ['get-sum'],
    };
    const own = await post('/v1/responses', { ...asked, tools: [configured], tool_choice: 'required' });
    expect([own.status, own.text]).toEqual([200, expect.stringContaining(sum)]);
  });
});

import type { Response as Answer, ResponseInputItem, ResponseStreamEvent } from 'openai/resources/responses/responses';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startToolServers, type ToolServers } from './mcp-support.ts';
import { type ResponsesServer, startResponsesServer } from './responses-server.ts';

/** OpenAI's hosted `mcp` tools, through its own SDK, with a real server of tools. Every stream is held to the grammar. */
let house: ResponsesServer;
let tools: ToolServers;

beforeAll(async () => {
  tools = await startToolServers();
  house = await startResponsesServer({
    ctxSize: 4096,
    toolServers: tools.toolServers,
    responseStore: 'memory',
    apiKey: ['none'],
    toolsFor: 'keys',
  });
}, 120_000);
afterAll(async () => {
  await house?.server.close();
  await tools?.close();
});

const input = 'What is the sum of 3 and 4? Use get-sum.';
const mcp = (label = 'local', more: object = {}) => ({
  type: 'mcp' as const,
  server_label: label,
  allowed_tools: ['get-sum'],
  require_approval: 'never' as const,
  ...more,
});
const asking = (more: object = {}) => ({
  model: 'demo',
  input,
  max_output_tokens: 400,
  tool_choice: 'required' as const,
  tools: [mcp()],
  ...more,
});
const careful = { tools: [mcp('local', { require_approval: undefined })] };

const create = (more: object = {}): Promise<Answer> => house.client.responses.create(asking(more)) as Promise<Answer>;
const typesOf = ({ output }: Answer) => output.map(({ type }) => type).filter((type) => type !== 'reasoning');
const callOf = ({ output }: Answer) => output.find((item) => item.type === 'mcp_call');

function questionOf({ output }: Answer) {
  const question = output.find((item) => item.type === 'mcp_approval_request');
  if (!question) throw new Error('nothing was asked');
  return question;
}

async function streamed(more: object = {}): Promise<{ events: ResponseStreamEvent[]; response: Answer }> {
  const stream = house.client.responses.stream(asking(more));
  const events: ResponseStreamEvent[] = [];
  stream.on('event', (event) => events.push(event));
  return { response: (await stream.finalResponse()) as Answer, events };
}

const sum = { name: 'get-sum', arguments: '{"a": 3, "b": 4}', output: 'The sum of 3 and 4 is 7.', error: null };

describe('mcp tools of the Responses API', () => {
  it.each(['local', 'web'])('are listed and run: %s', async (label) => {
    const response = await create({ tools: [mcp(label)] });
    expect(typesOf(response)).toEqual(['mcp_list_tools', 'mcp_call', 'message']);
    expect(callOf(response)).toMatchObject({
      ...sum,
      server_label: label,
      status: 'completed',
      approval_request_id: null,
    });
    expect(response.output[0]).toMatchObject({ server_label: label, tools: [{ name: 'get-sum' }] });
    expect(response.status).toBe('completed');
    const { events, response: again } = await streamed({ tools: [mcp(label)] });
    expect(typesOf(again)).toEqual(typesOf(response));
    expect(events.map(({ type }) => type)).toContain('response.mcp_call_arguments.done');
  });

  it('are asked about, and run when they are allowed: kept, and sent back', async () => {
    const asked = await create(careful);
    expect([typesOf(asked), asked.status]).toEqual([['mcp_list_tools', 'mcp_approval_request'], 'completed']);
    const { id } = questionOf(asked);
    const allow: ResponseInputItem = { type: 'mcp_approval_response', approval_request_id: id, approve: true };
    const kept = await create({ ...careful, previous_response_id: asked.id, input: [allow] });
    const sent = [{ role: 'user', content: input }, ...asked.output, allow];
    const { response: stateless } = await streamed({ ...careful, store: false, input: sent });
    for (const response of [kept, stateless]) {
      expect(typesOf(response)).toEqual(['mcp_call', 'message']);
      expect(callOf(response)).toMatchObject({ ...sum, approval_request_id: id });
      // Question, call and result are read as if they had been one answer.
      expect(response.usage?.input_tokens_details.cached_tokens).toBeGreaterThan(200);
    }
    const whole = await create();
    expect(kept.output_text).toBe(whole.output_text);
    const next = await create({ tool_choice: 'auto', previous_response_id: kept.id, input: 'Thanks!' });
    expect(typesOf(next)).toEqual(['message']);
  });

  it('are not run when they are denied', async () => {
    const asked = await create(careful);
    const deny = { type: 'mcp_approval_response', approval_request_id: questionOf(asked).id, approve: false };
    const response = await create({ ...careful, tool_choice: 'auto', previous_response_id: asked.id, input: [deny] });
    expect(typesOf(response)).toEqual(['message']);
  });

  it('run in the background, and their stream can be read again', async () => {
    const begun = await create({ background: true });
    const stream = await house.client.responses.retrieve(begun.id, { stream: true });
    const events: ResponseStreamEvent[] = [];
    for await (const event of stream) events.push(event);
    expect(events.at(-1)?.type).toBe('response.completed');
    const ended = await house.client.responses.retrieve(begun.id);
    expect(typesOf(ended)).toEqual(['mcp_list_tools', 'mcp_call', 'message']);
  });

  it('are chosen, limited, and refused where there are none', async () => {
    const both = [mcp('local', { allowed_tools: ['get-sum', 'echo'] })];
    const choice = { type: 'mcp', server_label: 'local', name: 'echo' };
    expect(callOf(await create({ tools: both, tool_choice: choice }))).toMatchObject({ name: 'echo', error: null });
    const limited = await create({ max_tool_calls: 1 });
    expect([typesOf(limited).at(-1), limited.status]).toEqual(['message', 'completed']);
    await expect(create({ tools: [mcp('mail', { server_url: 'http://127.0.0.1:1/mcp' })] })).rejects.toMatchObject({
      status: 400,
      message: expect.stringContaining('There are: local, web'),
    });
    await expect(create({ tools: [mcp('local', { connector_id: 'connector_gmail' })] })).rejects.toMatchObject({
      status: 400,
      param: 'tools[0].connector_id',
    });
  });
});

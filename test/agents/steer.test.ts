import { once } from 'node:events';
import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type Api, chat, messages, responses, type Script } from '../../scripts/agents/api.ts';
import type { Json } from '../../scripts/agents/json.ts';
import { type SteeringProxy, startProxy } from '../../scripts/agents/proxy.ts';
import { steer } from '../../scripts/agents/steer.ts';
import { judge } from '../../scripts/agents/verdict.ts';

const script: Script = { tool: 'shell', arguments: { cmd: 'printf %s-%s a b' }, calls: 1, closing: 'The end.' };
const only = {
  type: 'object',
  properties: { cmd: { const: 'printf %s-%s a b' } },
  required: ['cmd'],
  additionalProperties: false,
};
const parameters = { type: 'object', properties: { cmd: { type: 'string' }, timeout: { type: 'number' } } };

interface Case {
  readonly api: Api;
  readonly tools: readonly object[];
  readonly steered: object;
  readonly begin: Json;
  readonly called: Json;
}

const cases: readonly Case[] = [
  {
    api: responses,
    tools: [{ type: 'function', name: 'shell', strict: false, parameters }, { type: 'web_search' }],
    steered: { type: 'function', name: 'shell', strict: true, parameters: only },
    begin: { input: [{ role: 'user', content: 'Hi' }] },
    called: { input: [{ type: 'function_call' }, { type: 'function_call_output', output: 'a-b' }] },
  },
  {
    api: messages,
    tools: [{ name: 'shell', input_schema: parameters }, { name: 'read' }],
    steered: { name: 'shell', strict: true, input_schema: only },
    begin: { messages: [{ role: 'user', content: 'Hi' }] },
    called: { messages: [{ role: 'user', content: [{ type: 'tool_result', content: 'a-b' }] }] },
  },
  {
    api: chat,
    tools: [{ type: 'function', function: { name: 'shell', parameters } }, { type: 'function' }],
    steered: { type: 'function', function: { name: 'shell', strict: true, parameters: only } },
    begin: { messages: [{ role: 'user', content: 'Hi' }] },
    called: { messages: [{ role: 'tool', content: 'a-b' }] },
  },
];

describe.each(cases)('a request to $api.path', ({ api, tools, steered, begin, called }) => {
  it('is held to the call until it was made, with the same tools', () => {
    const first = steer(api, { ...begin, tools }, script);
    const second = steer(api, { ...called, tools }, script);
    expect([first.step, first.calls]).toEqual(['call', 0]);
    expect([second.step, second.calls]).toEqual(['closing', 1]);
    expect(first.body).toMatchObject({ ...begin, ...api.forced('shell') });
    expect(second.body).toMatchObject({ ...called, ...api.closed('The end.') });
    expect(first.body.tools).toEqual([steered, tools[1]]);
    expect(second.body.tools).toEqual(first.body.tools);
  });

  it('is held to the sentence where the tool is not offered', () => {
    const { step, body } = steer(api, begin, script);
    expect(step).toBe('closing');
    expect(body).not.toHaveProperty('tools');
    expect(body).not.toHaveProperty('tool_choice');
  });
});

describe('the proxy', () => {
  const open: { close(): unknown }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });

  async function started(status: number, answer: string): Promise<{ proxy: SteeringProxy; bodies: unknown[] }> {
    const bodies: unknown[] = [];
    const server = createServer(async (asked, response) => {
      let text = '';
      for await (const chunk of asked) text += chunk;
      bodies.push(JSON.parse(text));
      response.writeHead(status).end(answer);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const proxy = await startProxy(address.port, script);
    open.push(proxy, server);
    return { proxy, bodies };
  }

  const ask = async (proxy: SteeringProxy, body: object) => {
    const response = await fetch(`http://127.0.0.1:${proxy.port}/v1/messages?beta=true`, {
      method: 'POST',
      body: JSON.stringify(body),
    });
    return response.text();
  };
  const tools = [{ name: 'shell', input_schema: parameters }];
  const [first, second] = [
    { messages: [{ role: 'user', content: 'Hi' }], tools },
    { messages: [{ role: 'user', content: [{ type: 'tool_result', content: 'a-b' }] }], tools },
  ];
  const stream =
    'data: {"type":"message_start","message":{"usage":{"input_tokens":4,"cache_read_input_tokens":96}}}\n\n';
  const session = (proxy: SteeringProxy, output: string, exitCode = 0) => ({
    exchanges: proxy.exchanges,
    exitCode,
    output,
  });

  it('steers what is asked, hands the answer on and keeps the share of cached tokens', async () => {
    const { proxy, bodies } = await started(200, stream);
    expect(await ask(proxy, first)).toBe(stream);
    await ask(proxy, second);
    expect(bodies).toEqual([steer(messages, first, script).body, steer(messages, second, script).body]);
    expect(judge(session(proxy, 'The end.'), script, 'a-b')).toEqual({
      secondTurn: { prompt: 100, share: 0.96 },
      faults: [],
    });
  });

  it('tells what a session lacks', async () => {
    const { proxy } = await started(500, 'broken');
    await ask(proxy, first);
    expect(judge(session(proxy, 'Nothing.', 1), script, 'a-b').faults).toEqual([
      'it ended with 1: Nothing.',
      'POST /v1/messages?beta=true was answered with 500: broken',
      'its turns had 0 calls behind them, not 0, 1',
      'what the command wrote, a-b, did not come back',
      'it did not show the closing sentence',
      'no usage was told for its second turn',
    ]);
  });

  it('minds a second turn that was read anew', async () => {
    const { proxy } = await started(200, stream.replace('96', '1'));
    await ask(proxy, first);
    await ask(proxy, second);
    expect(judge(session(proxy, 'The end.'), script, 'a-b').faults).toEqual([
      'too little of its second turn was cached',
    ]);
  });
});

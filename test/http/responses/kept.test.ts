import { describe, expect, it, vi } from 'vitest';
import { answer } from '../support.ts';
import { newStore, openResponses } from './support.ts';

describe('responses that are kept', () => {
  it('come back as they were sent, streamed or not', async () => {
    const { client } = openResponses(await newStore());
    const whole = await client.responses.create({ model: 'demo', input: 'hi' });
    expect(whole).toMatchObject({ status: 'completed', store: true, output_text: 'Hello' });
    expect(await client.responses.retrieve(whole.id)).toEqual(whole);
    const stream = client.responses.stream({ model: 'demo', input: 'hi' });
    const streamed = await stream.finalResponse();
    const { output_parsed, ...response } = streamed;
    expect(output_parsed).toBeNull();
    expect(await client.responses.retrieve(streamed.id)).toMatchObject({ id: response.id, output_text: 'Hello' });
  });

  it('are gone after a delete', async () => {
    const { client } = openResponses(await newStore());
    const { id } = await client.responses.create({ model: 'demo', input: 'hi' });
    await client.responses.delete(id);
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404, code: 'not_found' });
    await expect(client.responses.delete(id)).rejects.toMatchObject({ status: 404 });
  });

  it('are not kept when the client says so', async () => {
    const { client } = openResponses(await newStore());
    const response = await client.responses.create({ model: 'demo', input: 'hi', store: false });
    expect(response).toMatchObject({ store: false });
    await expect(client.responses.retrieve(response.id)).rejects.toMatchObject({ status: 404 });
  });

  it('list the items of their request, newest first or oldest first, page by page', async () => {
    const { client } = openResponses(await newStore());
    const { id } = await client.responses.create({
      model: 'demo',
      input: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
        { id: 'fc_mine', type: 'function_call', call_id: 'c', name: 'f', arguments: '{}' },
        { type: 'function_call_output', call_id: 'c', output: 'd' },
      ],
    });
    const owner = id.replace('resp_', '');
    const items = await client.responses.inputItems.list(id, { order: 'asc', limit: 2 });
    expect(items.data).toEqual([
      {
        id: `msg_${owner}_i0`,
        type: 'message',
        role: 'user',
        status: 'completed',
        content: [{ type: 'input_text', text: 'a' }],
      },
      {
        id: `msg_${owner}_i1`,
        type: 'message',
        role: 'assistant',
        status: 'completed',
        content: [{ type: 'output_text', text: 'b', annotations: [] }],
      },
    ]);
    expect(items.has_more).toBe(true);
    const all: (string | null | undefined)[] = [];
    for await (const item of client.responses.inputItems.list(id, { limit: 1 })) all.push(item.id);
    expect(all).toEqual([`item_${owner}_i3`, 'fc_mine', `msg_${owner}_i1`, `msg_${owner}_i0`]);
  });

  it.each([
    ['limit=0', 'limit'],
    ['limit=x', 'limit'],
    ['after=nobody', 'after'],
  ])('refuse a page of %s', async (query, param) => {
    const { client, request } = openResponses(await newStore());
    const { id } = await client.responses.create({ model: 'demo', input: 'hi' });
    const response = await request(`/v1/responses/${id}/input_items?${query}`);
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param } }]);
  });

  it('can be gone on from: the chain is the conversation, without the instructions before', async () => {
    const { client, generation } = openResponses(await newStore());
    generation.script = (run, index) => run.say(...answer([`answer ${index}`]), 'end');
    const first = await client.responses.create({ model: 'demo', instructions: 'be brief', input: 'one' });
    const second = await client.responses.create({ model: 'demo', input: 'two', previous_response_id: first.id });
    expect(second.previous_response_id).toBe(first.id);
    await client.responses.create({
      model: 'demo',
      instructions: 'shout',
      input: 'three',
      previous_response_id: second.id,
    });
    expect(generation.runs.at(-1)?.request.prompt).toMatchObject({
      messages: [
        { role: 'system', content: 'shout' },
        { role: 'user', content: 'one' },
        { role: 'assistant', content: 'answer 0' },
        { role: 'user', content: 'two' },
        { role: 'assistant', content: 'answer 1' },
        { role: 'user', content: 'three' },
      ],
    });
  });

  it('cannot be gone on from when a part of the chain is gone', async () => {
    const { client } = openResponses(await newStore());
    const first = await client.responses.create({ model: 'demo', input: 'one' });
    const second = await client.responses.create({ model: 'demo', input: 'two', previous_response_id: first.id });
    await client.responses.delete(first.id);
    await expect(
      client.responses.create({ model: 'demo', input: 'x', previous_response_id: first.id }),
    ).rejects.toThrow(`There is no response "${first.id}" to go on from.`);
    await expect(
      client.responses.create({ model: 'demo', input: 'x', previous_response_id: second.id }),
    ).rejects.toThrow(`goes on from "${first.id}", which is not kept any more.`);
  });

  it('lend their items to requests that only name them', async () => {
    const { client, generation } = openResponses(await newStore());
    const first = await client.responses.create({ model: 'demo', input: 'one' });
    const [item] = first.output;
    await client.responses.create({
      model: 'demo',
      input: [
        { role: 'user', content: 'one' },
        { type: 'item_reference', id: item?.id ?? '' },
        { role: 'user', content: 'two' },
      ],
    });
    expect(generation.runs.at(-1)?.request.prompt).toMatchObject({
      messages: [
        { role: 'user', content: 'one' },
        { role: 'assistant', content: 'Hello' },
        { role: 'user', content: 'two' },
      ],
    });
    const unknown = client.responses.create({ model: 'demo', input: [{ type: 'item_reference', id: 'msg_x_o0' }] });
    await expect(unknown).rejects.toMatchObject({ status: 400, param: 'input[0]' });
  });

  it('are read once by a request that names thousands of their items', async () => {
    const store = await newStore();
    const { client, post } = openResponses(store);
    const { output } = await client.responses.create({ model: 'demo', input: 'one' });
    const find = vi.spyOn(store, 'find');
    const input = Array.from({ length: 5000 }, () => ({ type: 'item_reference', id: output[0]?.id ?? '' }));
    expect((await post('/v1/responses', { model: 'demo', input })).status).toBe(200);
    expect(find).toHaveBeenCalledTimes(1);
    const tooMany = await post('/v1/responses', { model: 'demo', input: [...input, ...input, ...input] });
    expect(tooMany.status).toBe(400);
    expect(find).toHaveBeenCalledTimes(1);
  });

  it('cannot be cancelled once they are over', async () => {
    const { client } = openResponses(await newStore());
    const { id } = await client.responses.create({ model: 'demo', input: 'hi' });
    await expect(client.responses.cancel(id)).rejects.toMatchObject({ status: 400 });
    await expect(client.responses.cancel('resp_none')).rejects.toMatchObject({ status: 404 });
  });

  it('that the store failed to keep are answered all the same, and logged', async () => {
    const { client, logs } = openResponses({
      find: async () => undefined,
      remove: async () => false,
      close: async () => undefined,
      save: () => Promise.reject(new Error('disk full')),
    });
    expect((await client.responses.create({ model: 'demo', input: 'hi' })).output_text).toBe('Hello');
    expect(logs).toMatchObject([['error', 'a response could not be kept', {}]]);
  });
});

describe('a server that keeps nothing', () => {
  it.each([
    ['GET', ''],
    ['GET', '?stream=true'],
    ['DELETE', ''],
    ['POST', '/cancel'],
    ['GET', '/input_items'],
  ])('answers %s /v1/responses/{id}%s with 404 and the flag', async (method, rest) => {
    const response = await openResponses().request(`/v1/responses/resp_1${rest}`, { method });
    expect(response.status).toBe(404);
    expect(await response.json()).toEqual({
      error: {
        message:
          'There is no response "resp_1": this server keeps no responses. Start it with --response-store memory (or a folder) to keep them.',
        type: 'invalid_request_error',
        param: null,
        code: 'not_found',
      },
    });
  });

  it.each([
    [{ previous_response_id: 'resp_1' }, 'previous_response_id'],
    [{ background: true }, 'background'],
  ])('refuses %j and names the flag', async (fields, param) => {
    const create = openResponses().client.responses.create({ model: 'demo', input: 'hi', ...fields });
    await expect(create).rejects.toMatchObject({
      status: 400,
      param,
      message: expect.stringContaining('--response-store'),
    });
  });

  it('serves store: true and says that nothing was stored', async () => {
    const response = await openResponses().client.responses.create({ model: 'demo', input: 'hi', store: true });
    expect(response).toMatchObject({ store: false, output_text: 'Hello' });
  });
});

describe('POST /v1/responses/input_tokens', () => {
  it.each([[undefined], [newStore()]])('counts the tokens of the same request', async (store) => {
    const { client } = openResponses(await store);
    expect(await client.responses.inputTokens.count({ model: 'demo', input: 'hi' })).toEqual({
      object: 'response.input_tokens',
      input_tokens: 7,
      cached_tokens: 3,
      first_token_ms: 12,
    });
    await expect(client.responses.inputTokens.count({ model: 'demo' })).rejects.toMatchObject({
      status: 400,
      param: 'input',
    });
  });
});

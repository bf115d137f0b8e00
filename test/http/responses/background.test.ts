import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import { expectResponsesStream, type WireEvent } from '../../dialects/openai-responses/stream-grammar.ts';
import { until, within } from '../support.ts';
import { beginning, ending, newStore, openResponses, type ResponsesDoor } from './support.ts';

const body = { model: 'demo', input: 'hi', background: true } as const;

async function open(): Promise<ResponsesDoor> {
  const door = openResponses(await newStore());
  door.generation.script = () => undefined;
  return door;
}

/** Reads a stream to its end, or until it has so many events; then the connection is cut. */
async function read(response: Response, most = Number.POSITIVE_INFINITY): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  let text = '';
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  while (reader && events.length < most) {
    const { value, done } = await within('the next event', reader.read());
    if (done) return events;
    text += value;
    const ready = text.split('\n\n');
    text = ready.pop() ?? '';
    for (const data of ready.flatMap((part) => part.split('\n').filter((line) => line.startsWith('data: '))))
      events.push(JSON.parse(data.slice('data: '.length)));
  }
  await reader?.cancel();
  return events.slice(0, most);
}

describe('a response in the background', () => {
  it('is queued, runs and completes while the client polls', async () => {
    const { client, generation } = await open();
    const queued = await client.responses.create(body);
    expect(queued).toMatchObject({ status: 'queued', background: true, output: [] });
    expect(queued).not.toHaveProperty('usage');
    expect(await client.responses.retrieve(queued.id)).toMatchObject({ id: queued.id, status: 'queued' });
    const [run] = generation.runs;
    run?.say(...beginning('Hel'));
    await until('the first token', () => run?.taken === 3);
    expect(await client.responses.retrieve(queued.id)).toMatchObject({ status: 'in_progress', output: [] });
    run?.say({ type: 'block-delta', index: 0, delta: 'lo' }, ...ending, 'end');
    await until('the end', () => run?.taken === 6);
    expect(await client.responses.retrieve(queued.id)).toMatchObject({ status: 'completed', output_text: 'Hello' });
    await expect(client.responses.cancel(queued.id)).resolves.toMatchObject({ status: 'completed' });
  });

  it('goes on when its reader leaves, who finds every later event with its number', async () => {
    const { generation, post, request } = await open();
    const response = await post('/v1/responses', { ...body, stream: true });
    const [run] = generation.runs;
    run?.say(...beginning('a'));
    const before = await read(response, 4);
    run?.say({ type: 'block-delta', index: 0, delta: 'b' });
    await until('work after the cut', () => run?.taken === 4);
    expect(run?.stoppedBy).toBeUndefined();
    const { id } = (before[0]?.response ?? {}) as { id?: string };
    const last = before.at(-1)?.sequence_number;
    const resumed = read(await request(`/v1/responses/${id}?stream=true&starting_after=${last}`));
    run?.say({ type: 'block-delta', index: 0, delta: 'c' }, ...ending, 'end');
    const after = await resumed;
    const output = expectResponsesStream([...before, ...after]).output;
    expect(output).toMatchObject([{ content: [{ text: 'abc' }] }]);
    const again = await read(await request(`/v1/responses/${id}?stream=true`));
    expect(again).toEqual([...before, ...after]);
    expect(await read(await request(`/v1/responses/${id}?stream=true&starting_after=${again.length - 2}`))).toEqual(
      again.slice(-1),
    );
    expect(await read(await request(`/v1/responses/${id}?stream=true&starting_after=${again.length - 1}`))).toEqual([]);
  });

  it('can be followed by several readers, each from where it wants', async () => {
    const { client, generation } = await open();
    const { id } = await client.responses.create(body);
    generation.runs[0]?.say(...beginning('a', 'b'), ...ending, 'end');
    const numbers = async (startingAfter: number) => {
      const seen: number[] = [];
      for await (const event of await client.responses.retrieve(id, { stream: true, starting_after: startingAfter }))
        seen.push(event.sequence_number);
      return seen;
    };
    expect(await Promise.all([numbers(2), numbers(7)])).toEqual([
      [3, 4, 5, 6, 7, 8, 9],
      [8, 9],
    ]);
  });

  it('ends as cancelled with what there was', async () => {
    const { client, generation } = await open();
    const { id } = await client.responses.create(body);
    const [run] = generation.runs;
    run?.say(...beginning('Hel'));
    await until('the first token', () => run?.taken === 3);
    const cancelled = await client.responses.cancel(id);
    expect(cancelled).toMatchObject({
      id,
      status: 'cancelled',
      output: [{ status: 'incomplete', content: [{ text: 'Hel' }] }],
    });
    expect(await client.responses.retrieve(id)).toMatchObject({ ...cancelled });
    await expect(
      client.responses.create({ model: 'demo', input: 'more', previous_response_id: id, background: true }),
    ).resolves.toBeDefined();
  });

  it('can be cancelled before it has a slot', async () => {
    const { client, generation, request } = await open();
    const { id } = await client.responses.create(body);
    expect(await client.responses.cancel(id)).toMatchObject({ status: 'cancelled', output: [] });
    await until('the work to stop', () => generation.runs[0]?.stoppedBy !== undefined);
    expectResponsesStream(await read(await request(`/v1/responses/${id}?stream=true`)));
  });

  it('stops when it is deleted, and stays gone', async () => {
    const { client, generation } = await open();
    const { id } = await client.responses.create(body);
    await client.responses.delete(id);
    await until('the work to stop', () => generation.runs[0]?.stoppedBy !== undefined);
    await expect(client.responses.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });

  it('fails where its client can see it, and nothing can follow it', async () => {
    const { client, generation, request } = await open();
    const { id } = await client.responses.create(body);
    generation.runs[0]?.say(...beginning('a'), new ServeError('engine_failure', 'The engine stopped.'));
    const events = await read(await request(`/v1/responses/${id}?stream=true`));
    expect(expectResponsesStream(events)).toMatchObject({ status: 'failed' });
    expect(await client.responses.retrieve(id)).toMatchObject({
      error: { code: 'server_error', message: 'The engine stopped.' },
    });
    const next = client.responses.create({ model: 'demo', input: 'x', previous_response_id: id });
    await expect(next).rejects.toThrow('has failed, so nothing can follow it');
  });

  it('must be over before another goes on from it', async () => {
    const { client } = await open();
    const { id } = await client.responses.create(body);
    const next = client.responses.create({ model: 'demo', input: 'x', previous_response_id: id });
    await expect(next).rejects.toThrow('is still running. Ask again when it is over');
  });

  it('is reported as failed by the next server when the first one was stopped in between', async () => {
    const store = await newStore();
    const first = openResponses(store);
    first.generation.script = () => undefined;
    const { id } = await first.client.responses.create(body);
    const found = await openResponses(store).client.responses.retrieve(id);
    expect(found).toMatchObject({ status: 'failed', error: { code: 'server_error' } });
  });

  it('needs the store that the request refuses', async () => {
    const { client } = await open();
    await expect(client.responses.create({ ...body, store: false })).rejects.toMatchObject({
      status: 400,
      param: 'store',
    });
  });

  it('is the only kind whose stream can be read again', async () => {
    const { client, generation } = await open();
    generation.script = (run) => run.say(...beginning('a'), ...ending, 'end');
    const { id } = await client.responses.create({ model: 'demo', input: 'hi' });
    await expect(client.responses.retrieve(id, { stream: true })).rejects.toMatchObject({
      status: 400,
      param: 'stream',
    });
  });
});

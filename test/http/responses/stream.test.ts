import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import { expectResponsesStream, type WireEvent } from '../../dialects/openai-responses/stream-grammar.ts';
import { chief } from '../../support/callers.ts';
import { until } from '../support.ts';
import { beginning, newStore, openResponses } from './support.ts';

const body = { model: 'demo', input: 'hi', stream: true };
const failure = new ServeError('engine_failure', 'The engine stopped. Send the request again.');

async function eventsOf(response: Response): Promise<WireEvent[]> {
  const frames = (await response.text()).split('\n\n').filter((frame) => frame.startsWith('event: '));
  return frames.map((frame) => {
    const [name, data = ''] = frame.split('\n');
    const event: WireEvent = JSON.parse(data.slice('data: '.length));
    expect(name).toBe(`event: ${event.type}`);
    return event;
  });
}

describe.each([
  ['nothing', async () => undefined],
  ['responses', newStore],
])('a stream of a server that keeps %s', (_, store) => {
  it('ends with response.failed when the engine fails in its middle', async () => {
    const { generation, post } = openResponses(await store());
    generation.script = (run) => run.say(...beginning('Hel'), failure);
    const response = await post('/v1/responses', body);
    expect(response.status).toBe(200);
    const failed = expectResponsesStream(await eventsOf(response));
    expect(failed).toMatchObject({
      status: 'failed',
      error: { code: 'server_error', message: failure.message },
      output: [{ status: 'incomplete', content: [{ text: 'Hel' }] }],
    });
  });

  it('is an error with its true status when nothing has been sent', async () => {
    const { generation, post } = openResponses(await store());
    const overloaded = new ServeError('overloaded', 'Too many requests wait.', { retryAfterSeconds: 3 });
    generation.script = (run) => run.say(overloaded);
    const response = await post('/v1/responses', body);
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3']);
    expect(await response.json()).toMatchObject({ error: { message: 'Too many requests wait.' } });
  });

  it('ends with response.incomplete when it is cancelled', async () => {
    const { generation, post } = openResponses(await store());
    generation.script = (run) => run.say(...beginning('Hel'));
    const response = await post('/v1/responses', body);
    const [run] = generation.runs;
    const reading = eventsOf(response);
    await until('the first token', () => run?.taken === 3);
    const cancelled = await post('/api/inference/cancel', { response_id: run?.request.keys.answerId });
    expect(await cancelled.json()).toEqual({ cancelled: 1 });
    const events = await reading;
    expect(events.at(-1)?.type).toBe('response.incomplete');
    expect(expectResponsesStream(events)).toMatchObject({ status: 'cancelled', output: [{ status: 'incomplete' }] });
  });

  it('stops its work when its client leaves, and keeps nothing', async () => {
    const kept = await store();
    const { generation, post } = openResponses(kept);
    generation.script = (run) => run.say(...beginning('Hel'));
    const response = await post('/v1/responses', body);
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    const [run] = generation.runs;
    await until('the work to stop', () => run?.stoppedBy !== undefined);
    expect(await kept?.find(run?.request.keys.answerId ?? '', chief)).toBeUndefined();
  });

  it('tells in a header what the model does not get to see', async () => {
    const { post } = openResponses(await store());
    const response = await post('/responses', { ...body, tools: [{ type: 'web_search' }] });
    expect(response.headers.get('x-serve-model-warning')).toBe(
      'Tools of type "web_search" run elsewhere and are not offered to the model.',
    );
    expectResponsesStream(await eventsOf(response));
  });
});

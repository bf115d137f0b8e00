import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { reading, within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';

/** Over real sockets and on a real model: a page that is reloaded while its answer comes. */
let server: RunningServer;
beforeAll(async () => {
  server = await startDemoServer(['--ctx-size', '4096', '--parallel', '1', '--response-store', 'memory']);
});
afterAll(() => server?.close());

interface Run {
  readonly id: string;
  readonly status: string;
  readonly last_event: number;
}

function post(path: string, body: object, signal?: AbortSignal): Promise<Response> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return fetch(server.url + path, { ...init, ...(signal && { signal }) });
}

const get = (path: string) => within(path, fetch(server.url + path), 30_000);

async function runsOf(session: string): Promise<readonly Run[]> {
  return ((await (await get(`/api/runs?session_id=${session}`)).json()) as { runs: Run[] }).runs;
}

/** The first look at it for which this holds. */
async function runOnce(what: string, session: string, holds: (run: Run) => boolean): Promise<Run> {
  const look = async () => {
    for (;;) {
      const [run] = await runsOf(session);
      if (run && holds(run)) return run;
    }
  };
  return within(what, look(), 30_000);
}

/** What is the same in each answer of a seed, in the order of the stream. */
function textOf(stream: string): string {
  return [...stream.matchAll(/"(?:content|text|delta|response)":"((?:[^"\\]|\\.)*)"/g)]
    .map(([, text]) => text)
    .join('');
}

const messages = [{ role: 'user', content: 'Tell me a story.' }];
const same = { temperature: 0.7, seed: 5, stream: true, ignore_eos: true };
const calls: Readonly<Record<string, object>> = {
  '/v1/chat/completions': { messages, ...same, max_tokens: 300 },
  '/v1/messages': { messages, ...same, max_tokens: 300 },
  '/v1/responses': { input: 'Tell me a story.', ...same, max_output_tokens: 300 },
  '/api/chat': { messages, options: { ...same, num_predict: 300 } },
};

describe('an answer whose reader is cut off', () => {
  it.each(Object.entries(calls))(
    '%s goes on and can be read to its end, nothing missing, nothing twice',
    async (path, body) => {
      const whole = await (await post(path, body)).text();
      const session = `cut${path.replaceAll('/', '-')}`;
      const leave = new AbortController();
      const response = await post(path, { ...body, session_id: session, resumable: true }, leave.signal);
      const seen = await reading(response)('\n');
      leave.abort();
      const { id } = await runOnce('the run', session, () => true);
      expect(response.headers.get('x-serve-model-run')).toBe(id);
      const separator = path.startsWith('/api') ? '\n' : '\n\n';
      const had = seen.slice(0, seen.lastIndexOf(separator)).split(separator);
      const rest = await (await get(`/api/runs/${id}?starting_after=${had.length - 1}`)).text();
      const all = `${had.join(separator)}${separator}${rest}`;
      expect(textOf(all)).toBe(textOf(whole));
      expect(await (await get(`/api/runs/${id}`)).text()).toBe(all);
      expect(await runOnce('its end', session, ({ status }) => status === 'completed')).toMatchObject({ id });
    },
  );

  it('goes on although its client left while it waited for a slot, and stops when it is told to', async () => {
    const endless = { messages, stream: true, ignore_eos: true, resumable: true };
    const first = await post('/v1/chat/completions', { ...endless, session_id: 'first' });
    const leave = new AbortController();
    const pending = post('/v1/chat/completions', { ...endless, session_id: 'second' }, leave.signal);
    const failed = pending.catch((error: Error) => error.name);
    await runOnce('its place in the queue', 'second', ({ status }) => status === 'queued');
    leave.abort();
    expect(await failed).toBe('AbortError');
    await first.body?.cancel();
    expect(await runsOf('first')).toMatchObject([{ status: 'in_progress' }]);
    await post('/api/inference/cancel', { session_id: 'first' });
    await runOnce('the first to be stopped', 'first', ({ status }) => status === 'cancelled');
    const { id } = await runOnce('the second to run', 'second', ({ last_event }) => last_event > 3);
    expect(await (await post('/api/inference/cancel', { completion_id: id })).json()).toEqual({ cancelled: 1 });
    await runOnce('the second to be stopped', 'second', ({ status }) => status === 'cancelled');
    // Both have left the door, too.
    const left = async () => {
      while (((await (await get('/internal/requests')).json()) as { requests: unknown[] }).requests.length > 0);
    };
    await within('the door to be empty', left(), 30_000);
  });

  it('is found in the background as well', async () => {
    const body = { input: 'Tell me a story.', background: true, max_output_tokens: 20, session_id: 'behind' };
    const { id } = (await (await post('/v1/responses', body)).json()) as Run;
    const rest = await (await get(`/api/runs/${id}?starting_after=1`)).text();
    expect(rest).toMatch(/^id: 2\n/);
    expect(rest).toMatch(/event: response\.(completed|incomplete)\n/);
  });
});

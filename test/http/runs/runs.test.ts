import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import type { GenerationEvent } from '../../../src/contract/events.ts';
import { runDescription } from '../../../src/dialects/runs/answers.ts';
import {
  answer,
  type Door,
  FakeTime,
  finish,
  hello,
  leftListeners,
  openDoor,
  reading,
  start,
  until,
  within,
} from '../support.ts';

const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });
const named = { session_id: 'thread', cancel_id: 'run-1', resumable: true };

/** A streamed call of each dialect, as far as it needs more than `named`. */
const calls: Readonly<Record<string, object>> = {
  '/v1/chat/completions': { ...hello, ...named, stream: true },
  '/v1/messages': { ...hello, ...named, max_tokens: 100, stream: true },
  '/v1/responses': { model: 'demo', input: 'Hello', ...named, stream: true },
  '/v1/completions': { model: 'demo', prompt: 'Hello', ...named, stream: true },
  '/completion': { prompt: 'Hello', ...named, stream: true },
  '/infill': { input_prefix: 'a', input_suffix: 'b', ...named, stream: true },
  '/generate_stream': { inputs: 'Hello', parameters: named },
  '/generate/stream': { messages: hello.messages, ...named },
  '/api/chat': { ...hello, ...named },
  '/api/generate': { model: 'demo', prompt: 'Hello', ...named },
};

function open(time?: FakeTime, more: NonNullable<Parameters<typeof openDoor>[0]>['more'] = {}): Door {
  const settings = { apiKeys: ['a', 'b'], adminToken: 't' };
  const door = openDoor({ settings, more, ...(time && { time }) });
  door.generation.script = () => undefined;
  return door;
}

const chat = '/v1/chat/completions';

/** Asks, says this and has the answer's beginning. */
async function ask(door: Door, key: string, said: readonly GenerationEvent[], path = chat, body = calls[path] ?? {}) {
  const index = door.generation.runs.length;
  const pending = door.post(path, body, as(key));
  await until('the run', () => door.generation.runs.length > index);
  const run = door.generation.runs[index];
  run?.say(...said);
  return { response: await pending, run };
}

const whole = [...answer()];

/** What was read until then; the reader leaves. */
async function cutOffBehind(awaited: string, response: Response): Promise<string> {
  const reader = response.body?.getReader();
  let text = '';
  while (reader && !text.includes(awaited))
    text += new TextDecoder().decode((await within(awaited, reader.read())).value);
  await reader?.cancel();
  return text;
}

async function list(door: Door, key = 'a', query = '') {
  const response = await door.app.request(`/api/runs${query}`, as(key));
  expect(response.status).toBe(200);
  const { runs } = (await response.json()) as { runs: unknown[] };
  return runs.map((run) => runDescription.strict().parse(run));
}

const read = (door: Door, id: string, after?: number, key = 'a') =>
  door.app.request(`/api/runs/${id}${after === undefined ? '' : `?starting_after=${after}`}`, as(key));

const beginning = answer(['Hel']).slice(0, 3);
const rest = answer(['lo', ' you']).slice(2);
const withoutIds = (text: string) => text.replace(/^id: \d+\n/gm, '');

describe('a resumable stream', () => {
  it.each(Object.entries(calls))(
    'of %s goes on without its reader, who reads on where it was cut',
    async (path, body) => {
      const door = open();
      const { response, run } = await ask(door, 'a', beginning, path, body);
      expect(response.status).toBe(200);
      const seen = await cutOffBehind('Hel', response);
      run?.say(...rest, 'end');
      await until('the end of the run', () => run?.taken === beginning.length + rest.length);
      expect(run?.stoppedBy).toBeUndefined();

      const [description] = await list(door, 'a', '?session_id=thread');
      expect(description).toMatchObject({
        path,
        status: 'completed',
        session_id: 'thread',
        cancel_id: 'run-1',
        first_event: 0,
      });
      const { id = '', format, last_event = 0 } = description ?? {};
      expect(response.headers.get('x-serve-model-run')).toBe(id);
      const all = await (await read(door, id)).text();
      const plain = openDoor();
      plain.generation.script = (other) => other.say(...beginning, ...rest, 'end');
      const expected = await (await plain.post(path, withoutResumable(body))).text();
      const frames = (text: string) => text.split(format === 'sse' ? '\n\n' : '\n').filter((frame) => frame !== '');
      expect(frames(withoutIds(all)).map(comparable)).toEqual(frames(expected).map(comparable));
      expect(frames(all)).toHaveLength(last_event + 1);
      for (let after = 0; after <= last_event; after++)
        expect(frames(await (await read(door, id, after)).text())).toEqual(frames(all).slice(after + 1));
      // What was read before the cut is the beginning of it.
      expect(all.startsWith(seen)).toBe(true);
      expect(leftListeners(door)).toBe(0);
      await until('its line in the log', () => door.records.some((record) => record.path === path));
      expect(door.records.filter((record) => record.path === path)).toMatchObject([{ status: 200, outcome: 'stop' }]);
    },
  );

  it('tells the number of each event', async () => {
    const door = open();
    const { response } = await ask(door, 'a', whole);
    const ids = [...(await response.text()).matchAll(/^id: (\d+)\ndata: /gm)].map(([, id]) => Number(id));
    expect(ids.length).toBeGreaterThan(3);
    expect(ids).toEqual(ids.map((_, index) => index));
  });

  it('is read on by a browser that says where it was in its own header', async () => {
    const door = open();
    const { response } = await ask(door, 'a', whole);
    const text = await response.text();
    const [run] = await list(door);
    const headers = { ...as('a').headers, 'last-event-id': '1' };
    const again = await door.app.request(`/api/runs/${run?.id}`, { headers });
    expect(await again.text()).toBe(text.slice(text.indexOf('id: 2\n')));
  });

  it('has as many readers as like to, while it runs', async () => {
    const door = open();
    const { response, run } = await ask(door, 'a', beginning);
    const [first] = await list(door);
    const second = await read(door, first?.id ?? '');
    const texts = Promise.all([response.text(), second.text()]);
    run?.say(...rest, 'end');
    const [one, other] = await texts;
    expect(one).toBe(other);
    expect(one).toContain('[DONE]');
  });

  it('goes on when its client leaves before it had a slot, and ends as cancelled when it is stopped', async () => {
    const time = new FakeTime();
    const door = open(time);
    const leave = new AbortController();
    const pending = door.post(chat, calls[chat], {
      ...as('a'),
      signal: leave.signal,
    });
    await until('the run', () => door.generation.runs.length === 1);
    expect(await list(door)).toMatchObject([{ status: 'queued', last_event: -1 }]);
    leave.abort();
    const [run] = door.generation.runs;
    expect(run?.signal.aborted).toBe(false);
    run?.say(start);
    await until('the slot', () => run?.taken === 1);
    expect(await list(door)).toMatchObject([{ status: 'in_progress' }]);
    run?.say(finish({ cancelled: true }), 'end');
    await until('the end', () => run?.taken === 2);
    expect(await list(door)).toMatchObject([{ status: 'cancelled' }]);
    await (await pending).body?.cancel();
  });

  it('tells who is there by the status that it failed before it began, and is gone then', async () => {
    const door = open();
    door.generation.script = (run) => run.say(new ServeError('overloaded', 'full', { retryAfterSeconds: 7 }));
    const response = await door.post(chat, calls[chat], as('a'));
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
    expect(await list(door)).toEqual([]);
    expect(door.records).toMatchObject([{ status: 429, outcome: 'overloaded' }, {}]);
  });

  it('tells who comes back what it failed of', async () => {
    const door = open();
    const leave = new AbortController();
    const body = calls[chat];
    const pending = door.post(chat, body, { ...as('a'), signal: leave.signal });
    await until('the run', () => door.generation.runs.length === 1);
    leave.abort();
    door.generation.runs[0]?.say(new ServeError('engine_failure', 'The engine broke.'));
    await pending;
    const [run] = await list(door);
    expect(run).toMatchObject({ status: 'failed' });
    expect(await (await read(door, run?.id ?? '')).text()).toContain('The engine broke.');
  });

  it('is kept for 5 minutes after its end, and not by a timer that is left behind for each event', async () => {
    const time = new FakeTime();
    const door = open(time);
    const { response } = await ask(door, 'a', whole);
    await response.text();
    const [run] = await list(door);
    expect(time.waiting).toBe(1);
    time.pass(5 * 60_000 - 1);
    expect((await read(door, run?.id ?? '')).status).toBe(200);
    time.pass(1);
    expect(await list(door)).toEqual([]);
    const gone = await read(door, run?.id ?? '');
    expect([gone.status, await gone.json()]).toMatchObject([
      404,
      { error: { message: expect.stringContaining('ended more than 5 minutes ago') } },
    ]);
  });

  it('gives less and less of what is too much, and says from where on it can be read', async () => {
    const door = open();
    const { response, run } = await ask(door, 'a', beginning);
    const text = reading(response);
    await text('Hel');
    const delta = 'x'.repeat(5_000_000);
    for (let count = 0; count < 4; count++) run?.say({ type: 'block-delta', index: 0, delta });
    await until('much text', () => run?.taken === 7);
    const [described] = await list(door);
    expect(described?.first_event).toBeGreaterThan(3);
    const refused = await read(door, described?.id ?? '', 0);
    expect([refused.status, await refused.json()]).toMatchObject([
      400,
      {
        error: {
          param: 'starting_after',
          message: expect.stringContaining(`before ${described?.first_event} are not kept`),
        },
      },
    ]);
    // The reader that stopped reading is told so as well, and not left with a hole.
    expect(await text('not kept any more')).not.toContain('xxx');
    run?.say(...rest, 'end');
    const last = await read(door, described?.id ?? '', described?.last_event);
    expect(await last.text()).toContain('[DONE]');
  });

  it('lets older ones go where an owner’s take too much, and nobody else’s', async () => {
    const door = open();
    const big = answer(Array(2).fill('y'.repeat(6_000_000)));
    door.generation.script = (run) => run.say(...answer(), 'end');
    await (await door.post(chat, calls[chat], as('b'))).text();
    door.generation.script = (run) => run.say(...big, 'end');
    for (let count = 0; count < 4; count++) await (await door.post(chat, calls[chat], as('a'))).body?.cancel();
    await until('all to be over', () => door.generation.runs.every((run) => run.taken > 3));
    await until('the oldest to go', () => door.records.length >= 5);
    expect((await list(door)).map(({ status }) => status)).toEqual(['completed', 'completed']);
    expect(await list(door, 'b')).toHaveLength(1);
  });
});

describe('whose runs they are', () => {
  it('is only their owner’s to see and to read, and an admin’s', async () => {
    const door = open();
    const { response } = await ask(door, 'a', whole);
    const text = await response.text();
    const [run] = await list(door);
    expect(await list(door, 'b', '?session_id=thread')).toEqual([]);
    const ofB = await read(door, run?.id ?? '', 0, 'b');
    const missing = await read(door, 'chatcmpl-nothing', 0, 'b');
    expect([ofB.status, await ofB.text()]).toEqual([
      404,
      (await missing.text()).replace('chatcmpl-nothing', run?.id ?? ''),
    ]);
    expect(await list(door, 't')).toHaveLength(1);
    expect(await (await read(door, run?.id ?? '', undefined, 't')).text()).toBe(text);
  });

  it('is found by session and by cancel id, each alone and both', async () => {
    const door = open();
    const runs = [
      ['one', 'x'],
      ['one', 'y'],
      ['two', 'x'],
    ] as const;
    for (const [session_id, cancel_id] of runs)
      await ask(door, 'a', whole, chat, { ...hello, stream: true, resumable: true, session_id, cancel_id });
    const found = async (query: string) =>
      (await list(door, 'a', query)).map((run) => `${run.session_id} ${run.cancel_id}`);
    expect(await found('')).toEqual(['two x', 'one y', 'one x']);
    expect(await found('?session_id=one')).toEqual(['one y', 'one x']);
    expect(await found('?cancel_id=x')).toEqual(['two x', 'one x']);
    expect(await found('?session_id=one&cancel_id=x')).toEqual(['one x']);
    expect(await found('?session_id=nobody')).toEqual([]);
  });

  it('is nobody’s own without keys, but for this machine', async () => {
    const door = openDoor();
    door.generation.script = (run) => run.say(...answer(), 'end');
    const local = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
    const remote = { incoming: { socket: { remoteAddress: '192.168.0.9' } } };
    const body = JSON.stringify(calls[chat]);
    const statuses = async (from: typeof local) => {
      const headers = { host: 'localhost', 'content-type': 'application/json' };
      const made = await door.app.request(chat, { method: 'POST', headers, body }, from);
      await made.text();
      return [made.status, (await door.app.request('/api/runs', { headers }, from)).status];
    };
    expect(await statuses(local)).toEqual([200, 200]);
    expect(await statuses(remote)).toEqual([403, 403]);
    expect(door.generation.runs).toHaveLength(1);
  });
});

describe('what is refused', () => {
  it.each([
    ['a whole answer', { ...hello, resumable: true }, 'resumable'],
    ['a word', { ...hello, stream: true, resumable: 'yes' }, 'resumable'],
  ])('%s', async (_, body, param) => {
    const door = open();
    const response = await door.post(chat, body, as('a'));
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param } }]);
    expect(door.generation.runs).toEqual([]);
  });

  it('a place that is no number', async () => {
    const door = open();
    await ask(door, 'a', whole);
    const [run] = await list(door);
    for (const after of ['-1', 'x', ''])
      expect((await door.app.request(`/api/runs/${run?.id}?starting_after=${after}`, as('a'))).status).toBe(400);
  });

  it('other pages than the server’s own', async () => {
    const door = open();
    for (const path of ['/api/runs', '/api/runs/x']) {
      const headers = { ...as('a').headers, origin: 'http://localhost:9999', host: 'localhost' };
      expect((await door.app.request(path, { headers })).status).toBe(403);
    }
  });
});

function withoutResumable(body: object): object {
  return JSON.parse(JSON.stringify(body, (key, value) => (key === 'resumable' ? undefined : value)));
}

/** Ids, times and durations differ between two calls. */
function comparable(frame: string): string {
  return frame
    .replace(/id\d{4}/g, 'ID')
    .replace(/"(\w*(?:duration|_ms|created_at|created|_at))":("[^"]*"|[\d.]+)/g, '"$1":0');
}

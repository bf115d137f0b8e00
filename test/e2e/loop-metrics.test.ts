import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { reading, within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';

/** What the step loop does, read where its operators read it: on /metrics of the whole server with the demo model. */
let server: RunningServer;
const slots = 8;

beforeAll(async () => {
  const size = ['--ctx-size', '4096', '--parallel', String(slots), '--batch-size', '32'];
  server = await startDemoServer([...size, '--prefix-cache-mb', '64']);
});
afterAll(() => server?.close());

type Figures = ReadonlyMap<string, number>;

/** Every line of the page: name with its labels -> value. */
async function figures(): Promise<Figures> {
  const page = await within(
    '/metrics',
    fetch(`${server.url}/metrics`).then((response) => response.text()),
  );
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

const model = '{model="serve-model-demo"}';
const read = (page: Figures, name: string) => page.get(`serve_model_${name}`) ?? 0;

/** How much each figure has grown while this was done. */
async function growth(work: () => Promise<unknown>): Promise<(name: string) => number> {
  const before = await figures();
  await work();
  const after = await figures();
  return (name) => read(after, name) - read(before, name);
}

/** The first page on which this holds. */
async function once(what: string, holds: (page: Figures) => boolean): Promise<Figures> {
  const poll = async () => {
    for (let page = await figures(); ; page = await figures()) if (holds(page)) return page;
  };
  return within(what, poll(), 20_000);
}

function post(path: string, body: object): Promise<Response> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return within(path, fetch(server.url + path, init), 30_000);
}

const chat = (body: object) => post('/v1/chat/completions', { temperature: 0, ...body });
const cancel = (body: object) => post('/api/inference/cancel', body);
const user = (content: string) => [{ role: 'user', content }];
const story = { messages: user('Tell me a story.'), ignore_eos: true };

async function usageOf(response: Response) {
  const { usage } = (await response.json()) as {
    usage: { prompt_tokens: number; completion_tokens: number; prompt_tokens_details: { cached_tokens: number } };
  };
  return {
    prompt: usage.prompt_tokens,
    output: usage.completion_tokens,
    cached: usage.prompt_tokens_details.cached_tokens,
  };
}

describe('the batches', () => {
  it.each([1, 3, 8])('hold one token of each of %i running streams, step by step', async (streams) => {
    const running = Promise.all(
      Array.from({ length: streams }, () => chat({ ...story, max_tokens: 3000, session_id: 'full' })),
    );
    const decoding = (page: Figures) => read(page, `decode_tokens_total${model}`);
    const before = decoding(await figures());
    const busy = (page: Figures) => read(page, `slots_busy${model}`) === streams;
    const first = await once('all to decode', (page) => busy(page) && decoding(page) > before + 40 * streams);
    const second = await once('them to go on', (page) => decoding(page) > decoding(first) + 40 * streams);
    expect(busy(second)).toBe(true);
    const grown = (name: string) => read(second, `${name}${model}`) - read(first, `${name}${model}`);
    expect(grown('prefill_tokens_total')).toBe(0);
    expect(grown('decode_tokens_total')).toBe(streams * grown('steps_total'));
    expect(grown('step_tokens_sum')).toBe(streams * grown('step_tokens_count'));
    expect(grown('step_seconds_count')).toBe(grown('steps_total'));
    expect(await cancel({ session_id: 'full' }).then((response) => response.json())).toEqual({ cancelled: streams });
    await running;
  });

  it('do not change what anybody says: 8 requests of all kinds answer together as they answer alone', async () => {
    const tool = { name: 'get_weather', parameters: { type: 'object', properties: { city: { type: 'string' } } } };
    const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
    const long = `${'The harbour of the old town lies in the east. '.repeat(40)}What is the capital of Italy?`;
    const bodies: readonly [string, object][] = [
      ['/v1/chat/completions', { messages: user('What is the capital of Italy?') }],
      ['/v1/chat/completions', { messages: user('What is the capital of France?'), enable_thinking: false }],
      ['/v1/chat/completions', { messages: user(long), max_tokens: 40 }],
      ['/v1/chat/completions', { messages: user('Weather in Paris?'), tools: [{ type: 'function', function: tool }] }],
      ['/v1/chat/completions', { messages: user('Name a city.'), json_schema: schema, max_tokens: 100 }],
      ['/v1/chat/completions', { ...story, max_tokens: 300, logprobs: true }],
      ['/v1/completions', { prompt: 'The capital of Sweden is', max_tokens: 30, logprobs: 2 }],
      ['/v1/completions', { prompt: 'The capital of', stop: ['.'], max_tokens: 60, seed: 3, temperature: 0.8 }],
    ];
    const ask = async ([path, body]: readonly [string, object]) => {
      const response = await post(path, { temperature: 0, seed: 1, cache_prompt: false, ...body });
      const { choices } = (await response.json()) as { choices: unknown };
      return JSON.parse(JSON.stringify(choices), (key, value) => (key === 'id' ? '' : withoutNoise(value)));
    };
    const alone = [];
    for (const body of bodies) alone.push(await ask(body));
    expect(await Promise.all(bodies.map(ask))).toEqual(alone);
  });
});

/** Log probabilities are sums whose last digits depend on the batch. */
function withoutNoise(value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 100) / 100 : value;
}

const phases = ['queued', 'prefill', 'decode'];
const cancelsByPhase = (grown: (name: string) => number) =>
  phases.map((phase) => grown(`cancels_total{phase="${phase}"}`));

describe('what is counted', () => {
  it('prompt tokens that were found, evaluated and brought in', async () => {
    const prefix = 'A lamp stands in the window of the house. '.repeat(12);
    const first = await growth(async () => {
      const usage = await usageOf(await chat({ messages: user(`${prefix}Why?`), max_tokens: 1 }));
      expect(usage).toMatchObject({ cached: expect.any(Number), output: 1 });
    });
    const evaluated = first(`prefill_tokens_total${model}`);
    expect(evaluated).toBe(first(`prompt_tokens_total${model}`) - first(`cached_tokens_total${model}`));
    expect(first(`restored_tokens_total${model}`)).toBe(0);

    // A slot is given back a moment after its answer is there; until then the next one would copy the prefix to another.
    const allFree = () => once('all slots to be free', (page) => read(page, `slots_busy${model}`) === 0);
    await allFree();
    const again = await growth(() => chat({ messages: user(`${prefix}Why?`), max_tokens: 1 }));
    expect(again(`cached_tokens_total${model}`)).toBe(again(`prompt_tokens_total${model}`) - 1);
    expect(again(`prefill_tokens_total${model}`)).toBe(1);

    await allFree();
    // Whether a choice copies the prefix or reads it again hangs on what copies cost here; each token is counted once.
    const choices = 4;
    let prompt = 0;
    const shared = await growth(async () => {
      // So long that the first one still holds its slot when the last one gets its own.
      const body = { messages: user(`${prefix}Why not?`), max_tokens: 200, ignore_eos: true, n: choices };
      prompt = (await usageOf(await chat(body))).prompt;
    });
    const moved = shared(`prefill_tokens_total${model}`) + shared(`restored_tokens_total${model}`);
    const foundInPlace = choices * prompt - moved;
    expect(foundInPlace).toBeGreaterThanOrEqual(0);
    expect(foundInPlace).toBeLessThan(prompt);
  });

  it('the requests that wait, and how long they waited', async () => {
    const holders = Array.from({ length: slots }, () => chat({ ...story, max_tokens: 3000, session_id: 'holders' }));
    await once('all slots to be busy', (page) => read(page, `slots_busy${model}`) === slots);
    const waited = await growth(async () => {
      const waiting = [1, 2, 3].map(() => chat({ messages: user('Hello'), max_tokens: 1 }));
      await once('three to wait', (page) => read(page, `queue_length${model}`) === 3);
      await cancel({ session_id: 'holders' });
      await Promise.all([...holders, ...waiting]);
    });
    expect(waited(`queue_wait_seconds_count${model}`)).toBe(slots + 3);
    expect(waited(`queue_wait_seconds_sum${model}`)).toBeGreaterThan(0);
    expect(waited(`queue_length${model}`)).toBe(0);
    expect(cancelsByPhase(waited).reduce((sum, count) => sum + count, 0)).toBe(slots);
  });

  it.each([
    ['prefill', 'An endless story of the sea and its islands. '.repeat(150), '"role"'],
    ['decode', 'Tell me a story.', '"reasoning"'],
  ])('a cancel during the %s, by a call and by leaving', async (phase, content, awaited) => {
    const body = { messages: user(content), ignore_eos: true, stream: true, cache_prompt: false, session_id: 'left' };
    const grown = await growth(async () => {
      const called = await chat(body);
      await reading(called.clone())(awaited);
      await cancel({ session_id: 'left' });
      await called.text();
      const left = await chat(body);
      const reader = left.body?.getReader();
      for (let text = ''; !text.includes(awaited); )
        text += new TextDecoder().decode((await within(awaited, Promise.resolve(reader?.read())))?.value);
      await reader?.cancel();
      await once('the slot to be free', (page) => read(page, `slots_busy${model}`) === 0);
    });
    expect(cancelsByPhase(grown)).toEqual(phases.map((each) => (each === phase ? 2 : 0)));
  });

  it('a cancel while a request waits', async () => {
    const holders = Array.from({ length: slots }, () => chat({ ...story, max_tokens: 3000, session_id: 'holders' }));
    await once('all slots to be busy', (page) => read(page, `slots_busy${model}`) === slots);
    const grown = await growth(async () => {
      const waiting = chat({ ...story, session_id: 'waiting' });
      await once('one to wait', (page) => read(page, `queue_length${model}`) === 1);
      await cancel({ session_id: 'waiting' });
      await waiting;
    });
    expect(cancelsByPhase(grown)).toEqual([1, 0, 0]);
    await cancel({ session_id: 'holders' });
    await Promise.all(holders);
  });
});

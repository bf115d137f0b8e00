import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startProcess, withDeadline } from '../support/serve-process.ts';

/** Long enough that the first client is still served when the twentieth has come. */
const story = (index: number) =>
  JSON.stringify({
    messages: [{ role: 'user', content: `Tell me a long story, number ${index}.` }],
    stream: true,
    ignore_eos: true,
    max_tokens: 400,
  });

async function post(url: string, body: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
}

/** Reads a stream that has begun to its end. */
async function rest(response: Response): Promise<string> {
  expect(response.status).toBe(200);
  return withDeadline('the end of a stream', response.text());
}

describe('a rolling restart', () => {
  it('cuts no stream: 20 clients finish while the server drains, and the next one takes over its port', async () => {
    const first = startProcess(['--parallel', '4', '--drain-timeout', '40s']);
    const url = await first.ready();
    const clients = Array.from({ length: 20 }, (_, index) => post(url, story(index)));
    await withDeadline('all requests in the server', untilRunning(url, clients.length));
    first.child.kill('SIGTERM');

    await withDeadline('draining', untilNotReady(url));
    const refused = await post(url, story(0));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '5']);
    expect((await fetch(`${url}/livez`)).status).toBe(200);

    for (const text of await Promise.all(clients.map(async (client) => rest(await client)))) {
      expect(text).toContain('"finish_reason":"length"');
      expect(text).toMatch(/data: \[DONE\]\n\n$/);
    }
    expect(await first.exited()).toBe(0);

    const second = startProcess(['--port', new URL(url).port]);
    try {
      expect(await second.ready()).toBe(url);
      expect(await rest(await post(url, story(1)))).toMatch(/data: \[DONE\]\n\n$/);
    } finally {
      second.child.kill('SIGTERM');
      expect(await second.exited()).toBe(0);
    }
  }, 120_000);

  it('ends at once at a second signal', async () => {
    const server = startProcess();
    const url = await server.ready();
    const stream = await post(url, story(0));
    server.child.kill('SIGTERM');
    await withDeadline('draining', untilNotReady(url));
    server.child.kill('SIGTERM');
    expect(await server.exited()).toBe(0);
    await stream.text().catch(() => undefined);
  });
});

const prompt = 'Tell me a very long story about a fox.';
const messages = [{ role: 'user', content: prompt }];
/** As long as a slot has room: far longer than these tests. */
const long = { ignore_eos: true, max_tokens: 3500 };
const thinksNot = { reasoning_effort: 'none' };

interface Ending {
  readonly path: string;
  readonly body: object;
  /** Something of the answer. */
  readonly begun: RegExp;
  /** The last of a stream that had text. */
  readonly end: RegExp;
}

const endings: readonly Ending[] = [
  {
    path: '/v1/chat/completions',
    body: { messages, ...long, ...thinksNot },
    begun: /"content":"[^"]/,
    end: /"finish_reason":"length"[^\n]*\n\ndata: \[DONE\]\n\n$/,
  },
  {
    path: '/v1/completions',
    body: { prompt, ...long },
    begun: /"text":"[^"]/,
    end: /"finish_reason":"length"[^\n]*\n\ndata: \[DONE\]\n\n$/,
  },
  {
    path: '/v1/messages',
    body: { messages, ...long },
    begun: /text_delta/,
    end: /"stop_reason":"max_tokens"[\s\S]*event: message_stop\n[^\n]*\n\n$/,
  },
  {
    path: '/v1/responses',
    body: { input: prompt, max_output_tokens: 3500, ignore_eos: true, reasoning: { effort: 'none' } },
    begun: /response\.output_text\.delta/,
    end: /event: response\.incomplete\n[^\n]*"incomplete_details":\{"reason":"max_output_tokens"\}[^\n]*\n\n$/,
  },
  {
    path: '/api/chat',
    body: { messages, think: false, options: { num_predict: 3500 }, ignore_eos: true },
    begun: /"content":"[^"]/,
    end: /"done":true,"done_reason":"length"[^\n]*\n$/,
  },
  {
    path: '/generate_stream',
    body: { inputs: prompt, parameters: { max_new_tokens: 3500, ignore_eos: true } },
    begun: /"text":"[^"]/,
    end: /"finish_reason":"length"[^\n]*\n\n$/,
  },
  {
    path: '/infill',
    body: { input_prefix: prompt, input_suffix: '.', n_predict: 3500, ignore_eos: true },
    begun: /"content":"[^"]/,
    end: /"stop_type":"limit"[^\n]*\n\n$/,
  },
];

describe('the end of --drain-timeout', () => {
  it('ends streams in the words of their API and refuses who still waits', async () => {
    const slots = endings.length + 1;
    const server = startProcess(['--parallel', String(slots), '--drain-timeout', '0s', '--ctx-size', '4096']);
    const url = await server.ready();
    const send = (path: string, body: object) =>
      fetch(`${url}${path}`, { method: 'POST', headers: { connection: 'close' }, body: JSON.stringify(body) });
    // First, so that it has text by the time that those behind it have.
    const plain = send('/v1/chat/completions', { messages, ...long, ...thinksNot });
    const streams = await Promise.all(
      endings.map(async ({ path, body, begun }) => {
        const response = await withDeadline(`the beginning of ${path}`, send(path, { ...body, stream: true }));
        expect([path, response.status]).toEqual([path, 200]);
        return withDeadline(`text of ${path}`, readUntil(response, begun));
      }),
    );
    await withDeadline('all slots busy', untilBusy(url, slots));
    const waiting = [
      send('/v1/chat/completions', { messages, ...long, stream: true }),
      send('/v1/responses', { input: prompt }),
      send('/v1/messages', { messages, ...long }),
      send('/api/chat', { messages }),
    ];
    await withDeadline('the others in the queue', untilRunning(url, slots + waiting.length));

    server.child.kill('SIGTERM');
    for (const [index, { path, end }] of endings.entries())
      expect(await withDeadline(`the end of ${path}`, streams[index]?.rest() ?? Promise.reject()), path).toMatch(end);
    const answer = z.object({ choices: z.array(z.object({ finish_reason: z.string() })) });
    expect(answer.parse(await (await plain).json()).choices).toEqual([{ finish_reason: 'length' }]);
    const refused = await withDeadline('the refusals', Promise.all(waiting));
    expect(refused.map(({ status }) => status)).toEqual([503, 503, 529, 503]);
    expect(await Promise.all(refused.map((response) => response.text()))).toEqual(
      Array(4).fill(expect.stringContaining('The server stopped before it came to this request.')),
    );
    expect(await server.exited()).toBe(0);
  }, 60_000);

  it('is now at Ctrl-C', async () => {
    const server = startProcess(['--ctx-size', '4096']);
    const url = await server.ready();
    const stream = await readUntil(
      await post(url, JSON.stringify({ messages, ...long, stream: true })),
      /"content":"[^"]|reasoning":"[^"]/,
    );
    const events = await fetch(`${url}/api/inference/events`);
    server.child.kill('SIGINT');
    expect(await withDeadline('the end of the stream', stream.rest())).toMatch(/"finish_reason":"length"/);
    // The end of a body, not of a connection: else this would reject.
    await withDeadline('the end of the events', events.text());
    expect(await server.exited()).toBe(130);
  }, 60_000);
});

/** Reads a body on to the first match, and then to its end. */
async function readUntil(response: Response, awaited: RegExp): Promise<{ rest(): Promise<string> }> {
  const pieces = response.body?.pipeThrough(new TextDecoderStream())[Symbol.asyncIterator]();
  let text = '';
  const read = async () => {
    const piece = await pieces?.next();
    text += piece?.value ?? '';
    return piece?.done !== false;
  };
  while (!awaited.test(text)) if (await read()) throw new Error(`it ended before ${awaited}: ${text}`);
  return {
    async rest() {
      while (!(await read()));
      return text;
    },
  };
}

async function untilBusy(url: string, count: number): Promise<void> {
  const stats = z.object({ models: z.array(z.object({ scheduler: z.object({ running: z.number() }) })) });
  const busy = async () =>
    stats.parse(await (await fetch(`${url}/internal/stats`)).json()).models[0]?.scheduler.running;
  while ((await busy()) !== count) await new Promise((resolve) => setImmediate(resolve));
}

async function untilNotReady(url: string): Promise<void> {
  while ((await fetch(`${url}/readyz`)).status !== 503) await new Promise((resolve) => setImmediate(resolve));
}

/** Some run, the others wait for a slot. */
async function untilRunning(url: string, count: number): Promise<void> {
  const answer = z.object({ requests: z.array(z.unknown()) });
  const running = async () => answer.parse(await (await fetch(`${url}/internal/requests`)).json()).requests.length;
  while ((await running()) < count) await new Promise((resolve) => setImmediate(resolve));
}

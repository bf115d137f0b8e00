import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Listener } from '../../src/http/listen.ts';
import { listen } from '../../src/http/listen.ts';
import type { EmbeddedServer } from '../../src/index.ts';
import { createServer } from '../../src/index.ts';
import { until } from '../http/support.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { Random } from '../support/random.ts';

let server: EmbeddedServer;
let listener: Listener;

beforeAll(async () => {
  server = await createServer({ model: [demoModelPath], ctxSize: 1024, parallel: 4, threads: 1, flashAttn: false });
  listener = await listen(server.app, {
    host: '127.0.0.1',
    port: 0,
    headerTimeoutMs: 15_000,
    requestTimeoutMs: 60_000,
  });
});
afterAll(async () => {
  await listener.close({ force: true });
  await server.close();
});

const questions = ['Tell me a long story.', 'Who are you?', 'Count from 1 to 100.', `${'word '.repeat(300)}?`];

const mostTokens = 400;

/** Connects, asks, and is gone after so many milliseconds: before its answer, in its middle, or half-way through asking. */
function vanish(random: Random, form: object = {}): Promise<void> {
  const content = random.pick(questions);
  const stream = random.chance(0.7);
  const body = JSON.stringify({ messages: [{ role: 'user', content }], stream, max_tokens: mostTokens, ...form });
  const request = `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  const sent = random.chance(0.1) ? request.slice(0, random.between(0, request.length - 1)) : request;
  return new Promise((resolve) => {
    const socket = connect(listener.port, '127.0.0.1', () => {
      socket.write(sent);
      setTimeout(() => socket.destroy(), random.between(0, 400));
    });
    socket.on('data', () => undefined);
    socket.on('error', () => undefined);
    socket.on('close', () => resolve());
  });
}

/** Forms that are hard to follow: most of them can be read in many ways as they are written. */
const texts = (pattern: string) => ({
  response_format: {
    type: 'json_schema',
    json_schema: { name: 'x', schema: { type: 'array', items: { type: 'string', pattern }, minItems: 300 } },
  },
});
/** They have to be long, so that nobody is at their end before its reader has left. */
const followedForms: readonly object[] = [
  texts('^(([a-z]+,?){1,10};?){1,10}$'),
  texts('^([a-z]{1,50} ?){1,200}$'),
  texts('^((a{1,100}){1,100}){1,100}$'),
  { grammar: 'root ::= [a-z]{60} list\nlist ::= "a" list "b" | [a-z] list "c" | ""' },
];
/** Some are refused before anything is generated. */
const hardForms: readonly object[] = [
  ...followedForms,
  { grammar: 'root ::= ([a-z]{1,50} " "?){1,200}' },
  { grammar: 'root ::= list\nlist ::= "QQQQQQQQ" | [Qa-z] list "1" | [0a-z] list "2" | ""' },
];

/** Steps of the engine until nothing runs any more. */
async function stepsUntilIdle(): Promise<number> {
  const before = server.engine.stats().steps;
  await idle();
  return server.engine.stats().steps - before;
}

async function wave(seed: number, connections: number): Promise<void> {
  const random = new Random(seed);
  const all = Array.from({ length: connections }, () => vanish(random));
  await Promise.all(all);
  await idle();
}

/** Nothing runs, nothing waits to run: the step counter stands still while every slot is free. */
async function idle(): Promise<void> {
  let steps = -1;
  await until(
    'an idle engine',
    () => {
      const before = steps;
      steps = server.engine.slots().every(({ phase }) => phase === 'idle') ? server.engine.stats().steps : -1;
      return steps !== -1 && steps === before;
    },
    20_000,
  );
}

async function askOnce(): Promise<string> {
  const response = await fetch(`${listener.url}/v1/chat/completions`, {
    method: 'POST',
    body: JSON.stringify({ messages: [{ role: 'user', content: 'Who are you?' }], temperature: 0 }),
  });
  const answer: unknown = await response.json();
  return JSON.stringify(answer);
}

setFlagsFromString('--expose-gc');
const collectGarbage: () => void = runInNewContext('gc');

/** Bytes of objects that something still holds. What the allocator keeps of the process is another matter, see memory.test. */
function held(): number {
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

describe('40 clients that ask for hard forms and vanish', () => {
  it('hold up nobody: what they asked for ends with them, and a neighbour is answered', async () => {
    const random = new Random(3);
    await Promise.all(
      Array.from({ length: 40 }, (_, at) => vanish(random, { ...hardForms[at % hardForms.length], stream: true })),
    );
    // Fewer than one of their answers would take: the rest of the running ones and all that wait ended with their clients.
    expect(await stepsUntilIdle()).toBeLessThan(mostTokens);
    expect(await askOnce()).toContain('tiny demo model');
    await idle();
  });
});

/**
 * Tokens that are still evaluated for a reader who leaves in the middle of the answer. A thought with a budget has every
 * step told at once, so that what is held is known to the token.
 */
async function tokensAfterLeaving(form: object, ask: (request: Request) => Promise<Response>): Promise<number> {
  const leaving = new AbortController();
  const response = await ask(
    new Request(`${listener.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({
        messages: [{ role: 'user', content: 'Write x.' }],
        stream: true,
        max_tokens: 900,
        ignore_eos: true,
        thinking_budget_tokens: 4,
        ...form,
      }),
      signal: leaving.signal,
    }),
  );
  const reader = response.body?.getReader();
  for (let text = ''; !/"content":"[^"]/.test(text); ) {
    const { value, done } = (await reader?.read()) ?? { done: true };
    if (done) throw new Error(`The answer was over before its reader left: ${text}`);
    text += Buffer.from(value).toString();
  }
  const slot = server.engine.slots().findIndex(({ phase }) => phase !== 'idle');
  const held = () => server.engine.slots()[slot]?.tokens.length ?? Number.NaN;
  const before = held();
  leaving.abort();
  await idle();
  return held() - before;
}

describe('a client that leaves in the middle of a hard form', () => {
  it.each(followedForms)('ends it with the step under way: %j', async (form) => {
    expect(await tokensAfterLeaving(form, server.fetch)).toBeLessThanOrEqual(2);
    // The event loop hears of a connection's end a turn or two after it.
    expect(await tokensAfterLeaving(form, fetch)).toBeLessThanOrEqual(8);
  });
});

describe('200 clients that come, ask and vanish', () => {
  it('leave idle slots, the memory as it was, and a server that answers', async () => {
    // The first ones pay for code, buffers and kept prefixes; what the next ones leave behind would be a leak.
    await wave(1, 200);
    const before = held();

    await wave(2, 200);
    expect(await askOnce()).toContain('tiny demo model');
    await idle();

    // A kept request would be 10 kB or more, its listeners and buffers counted.
    expect(held() - before).toBeLessThan(200 * 10_000);
  });
});

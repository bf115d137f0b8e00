import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { bareFigureOf, type Measurement, measurementsFor } from '../../src/bench/measurements.ts';
import { firstTokenMs, promptTokensPerSecond, tokensPerSecond } from '../../src/bench/rates.ts';
import { toCells, toRows } from '../../src/bench/report.ts';
import { runRounds, warmUp } from '../../src/bench/run-rounds.ts';
import type { ChatResult } from '../../src/bench/timed-chat.ts';

const answer = (sentAt: number, pieceTimes: readonly number[], tokens = pieceTimes.length): ChatResult => ({
  ...{ sentAt, pieceTimes, text: '', promptTokens: 110, cachedTokens: 10, completionTokens: tokens },
});

describe('rates', () => {
  it('count writing while all streams run, in tokens and not in pieces', () => {
    // From 200 to 400 ms: the first one has two pieces there, the second one four; each piece of the first is two tokens.
    const results = [answer(0, [100, 200, 300, 400], 8), answer(0, [200, 250, 300, 350, 400, 600])];
    expect(tokensPerSecond(results)).toBeCloseTo((1000 * (2 * 2 + 4)) / 200, 9);
    expect(() => tokensPerSecond([answer(0, [1, 2]), answer(0, [3, 4])])).toThrow(/never ran all together/);
    expect(() => tokensPerSecond([answer(0, [])])).toThrow(/never ran/);
  });

  it('count prompts from the first one sent to the last first token, without what was cached', () => {
    expect(promptTokensPerSecond([answer(100, [300]), answer(110, [500])])).toBe(500);
    expect(() => promptTokensPerSecond([{ ...answer(0, [5]), promptTokens: 10 }])).toThrow(/does not tell/);
    expect(() => promptTokensPerSecond([answer(0, [])])).toThrow(/no answer/);
    expect(firstTokenMs(answer(100, [130, 200]))).toBe(30);
    expect(() => firstTokenMs(answer(0, []))).toThrow(/has no text/);
  });
});

describe('measurementsFor', () => {
  const kinds = ['prompt', 'decode', 'first-token', 'deep'] as const;

  it('are as many streams as there are slots, and fit the context', () => {
    const all = measurementsFor({ kinds, tokens: 128, contextSize: 32_768, slots: 8 });
    expect(all.map(({ name }) => name)).toEqual([
      ...['prompt-1', 'prompt-4', 'prompt-8', 'decode-1', 'decode-4', 'decode-8', 'first-token', 'deep'],
    ]);
    expect(all.at(-1)).toMatchObject({ promptTokens: 2000, samePrompt: true, streams: 1 });
    const small = measurementsFor({ kinds, tokens: 100, contextSize: 512, slots: 4 });
    expect(small.map(({ name }) => name)).toEqual([
      'prompt-1',
      'prompt-4',
      'decode-1',
      'decode-4',
      'first-token',
      'deep',
    ]);
    for (const { promptTokens, answerTokens } of small) expect(promptTokens + answerTokens).toBeLessThan(512);
    expect(measurementsFor({ kinds: ['deep'], tokens: 8, contextSize: 4096, slots: 1 })).toHaveLength(1);
  });

  it('mean the same of the library alone', () => {
    const all = measurementsFor({ kinds, tokens: 100, contextSize: 32_768, slots: 4 });
    const figures = all.map((each) => Math.round(bareFigureOf(each, { promptMs: 1024, decodeMs: 1000 })));
    expect(figures).toEqual([500, 2000, 100, 400, 1024, 100]);
  });
});

const measurement = (name: string, rest: Partial<Measurement> = {}): Measurement => ({
  ...{ name, title: name, kind: 'decode', unit: 'tokens/s', streams: 1, promptTokens: 10, answerTokens: 4 },
  ...{ samePrompt: false, ...rest },
});

describe('the report', () => {
  it('has medians, shares and ratios, and no figure where one round failed', () => {
    const samples = [
      ...[10, 30, 20].map((value) => ({ measurement: 'decode-1', target: 'server', value })),
      ...[40, 40].map((value) => ({ measurement: 'decode-1', target: 'library', value })),
      { measurement: 'decode-1', target: 'peer', value: 16 },
      ...[100, 'failed: no room'].map((value) => ({ measurement: 'first-token', target: 'server', value })),
    ];
    const rows = toRows([measurement('decode-1'), measurement('first-token', { unit: 'ms' })], samples);
    expect(rows.map(({ server, library, peer, ratio }) => [server, library, peer, ratio])).toEqual([
      [20, 40, 16, 1.25],
      [null, null, null, null],
    ]);
    expect(rows[1]?.problems).toEqual(['server: failed: no room']);
    expect(toCells(rows)).toEqual([
      ['', 'serve-model', 'library alone', 'of it', 'peer', 'ratio'],
      ['decode-1', '20.0 tokens/s', '40.0 tokens/s', '50 %', '16.0 tokens/s', '1.25x'],
      ['first-token', 'failed', '', '', '', ''],
    ]);
  });

  it('leaves out columns that have nothing to say', () => {
    const rows = toRows([measurement('decode-1')], [{ measurement: 'decode-1', target: 'server', value: 250 }]);
    expect(toCells(rows)).toEqual([
      ['', 'serve-model'],
      ['decode-1', '250 tokens/s'],
    ]);
  });
});

describe('runRounds', () => {
  const servers: Server[] = [];
  afterEach(() => {
    for (const server of servers.splice(0)) server.close().closeAllConnections();
  });

  /** A server that says one word for each token that is asked for, and what it was asked. */
  async function serverThat(respond: (body: Record<string, unknown>, response: ServerResponse) => void) {
    const asked: Record<string, unknown>[] = [];
    const server = createServer((request, response) => {
      let text = '';
      request.on('data', (piece) => (text += piece));
      request.on('end', () => {
        const body: Record<string, unknown> = JSON.parse(text);
        asked.push(body);
        respond(body, response);
      });
    });
    servers.push(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    return { url: `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, asked };
  }

  function speak({ max_tokens, messages }: Record<string, unknown>, response: ServerResponse): void {
    const words = JSON.stringify(messages).split(' ').length;
    const frames = [
      ...Array.from({ length: Number(max_tokens) }, (_, index) => ({
        choices: [{ delta: index === 0 ? { reasoning_content: 'hm' } : { content: 'word ' } }],
      })),
      { choices: [], usage: { prompt_tokens: 3 * words, completion_tokens: Number(max_tokens) } },
    ];
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.end(
      [...frames.map((frame) => JSON.stringify(frame)), '[DONE]'].map((data) => `data: ${data}\n\n`).join(''),
    );
  }

  const signal = new AbortController().signal;
  /** Ten milliseconds from one look to the next. */
  const ticking = () => {
    let now = 0;
    return () => (now += 10);
  };

  const quietly = { rounds: 1, seed: 1, onTurn: () => {} };

  it('asks a server that it has measured before what it does not know yet', async () => {
    const server = await serverThat(speak);
    const caller = { clock: ticking(), signal };
    const target = await warmUp('server', { url: server.url }, caller);
    const kinds = [measurement('first'), measurement('deep', { samePrompt: true })];
    const before = server.asked.length;
    for (const seed of [1, 2]) await runRounds(kinds, [target], { ...caller, ...quietly, seed });
    const prompts = server.asked.slice(before).map(({ messages }) => JSON.stringify(messages));
    expect(new Set(prompts).size).toBe(4);
  });

  it('reads streams that leave out the blank behind the colon', async () => {
    const server = await serverThat((_, response) => {
      const piece = JSON.stringify({ choices: [{ delta: { content: 'word' } }] });
      response.end([piece, piece, '[DONE]'].map((data) => `data:${data}\r\n\r\n`).join(''));
    });
    const target = await warmUp('peer', { url: server.url }, { clock: ticking(), signal });
    const [sample] = await runRounds([measurement('decode-1')], [target], { clock: ticking(), signal, ...quietly });
    expect(sample?.value).toBe(100);
  });

  it('asks all servers by turns, the first one another each round, in tokens of theirs', async () => {
    const [one, other] = [await serverThat(speak), await serverThat(speak)];
    const caller = { clock: ticking(), signal };
    const targets = [
      await warmUp('server', { url: one.url, model: 'mine' }, caller),
      await warmUp('peer', { url: other.url, key: 'secret' }, caller),
    ];
    expect(targets.map(({ tokensPerWord, ignoreEnd }) => [tokensPerWord, ignoreEnd])).toEqual([
      [3, true],
      [3, true],
    ]);
    const turns: string[] = [];
    const samples = await runRounds([measurement('decode-1', { promptTokens: 30 })], targets, {
      ...caller,
      ...{ rounds: 2, seed: 1 },
      onTurn: (_, { name }, round) => turns.push(`${round} ${name}`),
    });
    expect(turns).toEqual(['0 server', '0 peer', '1 peer', '1 server']);
    // Four pieces 10 ms apart, of which the first one begins the time.
    expect(samples.map(({ target, value }) => [target, value])).toEqual([
      ...[['server', 100] as const, ['peer', 100] as const, ['peer', 100] as const, ['server', 100] as const],
    ]);
    expect(one.asked.at(-1)).toMatchObject({ model: 'mine', max_tokens: 4, ignore_eos: true, temperature: 0 });
    expect(JSON.stringify(one.asked.at(-1)?.messages).split(' ')).toHaveLength(10);
  });

  it('does without ignore_eos where a server refuses it, and tells what failed', async () => {
    const strict = await serverThat((body, response) => {
      if ('ignore_eos' in body) response.writeHead(400).end('{"error": {"message": "unknown field"}}');
      else if (body.max_tokens === 4) response.writeHead(503).end('{"error": {"message": "no room"}}');
      else speak(body, response);
    });
    const caller = { clock: ticking(), signal };
    const target = await warmUp('peer', { url: strict.url }, caller);
    expect(target.ignoreEnd).toBe(false);
    const [sample] = await runRounds([measurement('decode-1')], [target], { ...caller, ...quietly });
    expect(sample?.value).toMatch(/^failed: status 503: .*no room/);
  });

  it('ends at once with the signal, and closes its connections', async () => {
    const stop = new AbortController();
    let closed: Promise<unknown> | undefined;
    const silent = await serverThat((body, response) => {
      if (body.max_tokens === 8) return speak(body, response);
      closed = once(response, 'close');
      stop.abort(new Error('stopped'));
    });
    const caller = { clock: ticking(), signal: stop.signal };
    const target = await warmUp('server', { url: silent.url }, caller);
    const rounds = runRounds([measurement('decode-1')], [target], { ...caller, ...quietly });
    await expect(rounds).rejects.toThrow('stopped');
    await closed;
  });
});

import { describe, expect, it } from 'vitest';
import type { RequestRecord } from '../../src/contract/services.ts';
import { createTelemetry, type LogOptions } from '../../src/telemetry/log.ts';

class Recorder {
  readonly lines: string[] = [];
  writableLength = 0;
  private fail: (error: Error) => void = () => {};
  write(line: string): boolean {
    this.lines.push(line);
    return true;
  }
  listeners = 0;
  on(_event: 'error', listener: (error: Error) => void): void {
    this.listeners++;
    this.fail = listener;
  }
  break(): void {
    this.fail(new Error('EPIPE'));
  }
}

function telemetry(options: Partial<LogOptions> = {}) {
  const stream = new Recorder();
  const defaults = { level: 'info', format: 'json', logPrompts: false, color: false } as const;
  return { stream, log: createTelemetry({ ...defaults, stream, now: () => 1_700_000_000_000, ...options }) };
}

const record: RequestRecord = {
  requestId: 'r1',
  method: 'POST',
  path: '/v1/chat/completions',
  status: 200,
  dialect: 'openai-chat',
  model: 'demo',
  inputTokens: 30,
  cachedTokens: 20,
  outputTokens: 5,
  queueMs: 1,
  firstTokenMs: 12,
  totalMs: 34.4,
  outcome: 'stop',
};

describe('log', () => {
  it('writes one JSON line per request', () => {
    const { stream, log } = telemetry();
    log.request(record);
    expect(stream.lines.map((line) => JSON.parse(line))).toEqual([
      { level: 30, time: 1_700_000_000_000, ...record, msg: 'POST /v1/chat/completions 200 stop in 34 ms' },
    ]);
  });

  it('writes one readable line per request', () => {
    const { stream, log } = telemetry({ format: 'pretty' });
    log.request(record);
    expect(stream.lines).toHaveLength(1);
    expect(stream.lines[0]).toMatch(
      /^\[\d\d:\d\d:\d\d\] INFO: POST \/v1\/chat\/completions 200 stop in 34 ms \{"requestId":"r1","dialect":"openai-chat".*\}\n$/,
    );
  });

  it('lets no path, name or message write a line or an order of its own', () => {
    const { stream, log } = telemetry({ format: 'pretty' });
    const forged = '\n[05:20:18] INFO: forged\u001b[2K\r\u009b31m\u2028\u202e';
    const shown = '\\n[05:20:18] INFO: forged\\u001b[2K\\r\\u009b31m\\u2028\\u202e';
    log.request({ ...record, path: `/nope${forged}`, model: forged });
    log.log('warn', `said${forged}`, { error: new Error(forged, { cause: new Error(forged) }) });
    const [request = '', message = ''] = stream.lines;
    expect(request).toMatch(/^\[\d\d:\d\d:\d\d\] INFO: [^\n]+\n$/);
    expect(request).toContain(`POST /nope${shown} 200 stop in 34 ms {`);
    const beginnings = message.trimEnd().split('\n').slice(1);
    expect(message).toContain(`WARN: said${shown} \n`);
    // The fields of an error and its stack stand indented below its line.
    expect(beginnings.filter((line) => !line.startsWith('    '))).toEqual([]);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
    expect(stream.lines.join('')).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u202e]/);
  });

  it.each<[string, Partial<RequestRecord>, number]>([
    ['an answer', {}, 30],
    ['a client mistake', { status: 400 }, 30],
    ['a full queue', { status: 429 }, 30],
    ['loading', { status: 503 }, 30],
    ['a failure', { status: 500 }, 50],
    ['a probe', { path: '/health' }, 20],
    ['a failed probe', { path: '/metrics', status: 500 }, 50],
  ])('gives %s its level', (_, change, level) => {
    const { stream, log } = telemetry({ level: 'debug' });
    log.request({ ...record, ...change });
    expect(JSON.parse(stream.lines[0] ?? '').level).toBe(level);
  });

  it('keeps quiet below its level', () => {
    const { stream, log } = telemetry({ level: 'warn' });
    log.request(record);
    log.log('info', 'no');
    log.log('warn', 'yes');
    expect(stream.lines.map((line) => JSON.parse(line).msg)).toEqual(['yes']);
  });

  it('leaves prompts and answers out unless told otherwise', () => {
    const fields = { prompt: 'secret', answer: 'secret', tokens: 3 };
    const shy = telemetry();
    shy.log.log('info', 'rendered', fields);
    expect(shy.stream.lines.join()).not.toContain('secret');
    expect(JSON.parse(shy.stream.lines[0] ?? '').tokens).toBe(3);
    const open = telemetry({ logPrompts: true });
    open.log.log('info', 'rendered', fields);
    expect(JSON.parse(open.stream.lines[0] ?? '')).toMatchObject(fields);
  });

  it('writes errors with their stack and cause', () => {
    const { stream, log } = telemetry();
    log.log('error', 'failed', { error: new Error('outer', { cause: new Error('inner') }) });
    expect(JSON.parse(stream.lines[0] ?? '').error).toMatchObject({ message: 'outer', cause: { message: 'inner' } });
  });

  it('tells the requests to the metrics too', () => {
    const seen: RequestRecord[] = [];
    telemetry({ level: 'silent', onRequest: (entry) => seen.push(entry) }).log.request(record);
    expect(seen).toEqual([record]);
  });

  it('drops lines while nobody reads, and says how many', () => {
    const { stream, log } = telemetry();
    stream.writableLength = 2 ** 21;
    log.log('info', 'one');
    log.log('info', 'two');
    stream.writableLength = 0;
    log.log('info', 'three');
    expect(stream.lines.map((line) => JSON.parse(line).msg)).toEqual([
      '2 log lines were lost: nobody read them',
      'three',
    ]);
  });

  it('ends quietly when the pipe is closed', () => {
    const { stream, log } = telemetry();
    stream.break();
    log.log('error', 'nobody hears');
    expect(stream.lines).toEqual([]);
  });

  it('listens once to a stream that several servers write to', () => {
    const stream = new Recorder();
    const first = telemetry({ stream }).log;
    telemetry({ stream });
    expect(stream.listeners).toBe(1);
    stream.break();
    first.log('error', 'nobody hears');
    expect(stream.lines).toEqual([]);
  });
});

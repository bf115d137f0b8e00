import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type CallOptions, connect, type Fetch } from '../../src/client/connection.ts';
import { ServeError } from '../../src/contract/errors.ts';

const url = 'http://127.0.0.1:8080';
const at = (fetch: Fetch, key?: string) => connect({ url, key }, fetch);
const anything = z.unknown();

/** The frames of a stream whose body comes in these pieces. */
async function frames(pieces: readonly (string | Uint8Array)[], options: CallOptions = {}): Promise<unknown[]> {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const piece of pieces)
        controller.enqueue(typeof piece === 'string' ? new TextEncoder().encode(piece) : piece);
      controller.close();
    },
  });
  const seen: unknown[] = [];
  for await (const frame of at(async () => new Response(body)).stream('/s', anything, options)) seen.push(frame);
  return seen;
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing failed',
    (error: unknown) => (error instanceof ServeError ? `${error.code}: ${error.message}` : error),
  );

describe('a connection', () => {
  it('sends JSON with its key and follows no redirect', async () => {
    const seen: Request[] = [];
    const connection = at(async (request) => {
      seen.push(request);
      return Response.json({ n: 1 });
    }, 'secret');
    expect(await connection.call('/a', z.object({ n: z.number() }), { body: { x: 'ä' } })).toEqual({ n: 1 });
    const [request] = seen;
    expect(request?.method).toBe('POST');
    expect(request?.url).toBe(`${url}/a`);
    expect(request?.headers.get('authorization')).toBe('Bearer secret');
    expect(request?.redirect).toBe('error');
    expect(await request?.json()).toEqual({ x: 'ä' });
  });

  it('reads events however their bytes are cut', async () => {
    const text = ': ping\n\nid: 0\ndata: {"text":"ä€😀"}\n\ndata: {"text":"b"}\r\n\r\ndata: [DONE]\n\n';
    const bytes = new TextEncoder().encode(text);
    for (let cut = 0; cut <= bytes.length; cut++) {
      expect(await frames([bytes.subarray(0, cut), bytes.subarray(cut)])).toEqual([{ text: 'ä€😀' }, { text: 'b' }]);
    }
  });

  it('says so when a stream ends early, tells an error, or is of another program', async () => {
    expect(await failure(frames(['data: {"a":1}\n\n']))).toBe(
      `engine_failure: The answer of ${url} broke off. Is the server still there?`,
    );
    const told = frames(['data: {"error":{"message":"The model went."}}\n\n']);
    expect(await failure(told)).toBe('engine_failure: The model went.');
    const other = at(async () => Response.json({ n: 'one' })).call('/a', z.object({ n: z.number() }));
    expect(await failure(other)).toContain(`${url} does not answer as serve-model does (n: `);
  });

  it.each([
    [401, 'unauthorized', 'wants a key. Set SERVE_MODEL_API_KEY, or --api-key.'],
    [404, 'not_found', 'There is none.'],
    [400, 'invalid_request', 'There is none.'],
    [500, 'engine_failure', 'There is none.'],
  ])('tells what a status of %i means', async (status, code, sentence) => {
    const refusing = at(async () => Response.json({ error: { message: 'There is none.' } }, { status }));
    const said = await failure(refusing.call('/a', anything));
    expect(said).toBe(`${code}: ${status === 401 ? `${url} ` : ''}${sentence}`);
    const mute = at(async () => new Response('no', { status: 418 }));
    expect(await failure(mute.call('/a', anything))).toBe(`invalid_request: ${url} answered with HTTP status 418.`);
  });

  it('tells why nobody answers, and gives the reason of the signal that ended it', async () => {
    const cause = Object.assign(new Error('refused'), { code: 'ECONNREFUSED' });
    const away = at(async () => {
      throw new TypeError('fetch failed', { cause });
    });
    expect(await failure(away.call('/a', anything))).toBe(`not_found: No server answers at ${url} (ECONNREFUSED).`);
    const reason = new Error('enough');
    const stopped = away.call('/a', anything, { signal: AbortSignal.abort(reason) });
    await expect(stopped).rejects.toBe(reason);
  });
});

import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { type ServeProcess, startProcess, withDeadline } from '../support/serve-process.ts';

const progress = z.object({ total: z.int(), cache: z.int(), processed: z.int(), time_ms: z.int().min(0) });
const chunk = z.object({
  queue: z.object({ position: z.int(), eta_ms: z.number().nullable() }).optional(),
  prompt_progress: progress.optional(),
  choices: z.array(z.object({ delta: z.object({ content: z.string().optional() }) })),
});
type Chunk = z.output<typeof chunk>;

const flags = ['--parallel', '1', '--batch-size', '64', '--ctx-size', '2048', '--prefix-cache-mb', '0'];

describe.each([
  ['in this process', []],
  ['in a process of its own', ['--engine-process']],
])('return_progress, the engine %s', (_, more) => {
  let server: ServeProcess;
  let client: OpenAI;
  beforeAll(async () => {
    server = startProcess([...flags, ...more]);
    client = new OpenAI({ baseURL: `${await server.ready()}/v1`, apiKey: 'none', maxRetries: 0 });
  });
  afterAll(async () => {
    server.child.kill('SIGTERM');
    expect(await server.exited()).toBe(0);
  });

  const chunks = async (text: string, body: object = {}, seen: Chunk[] = []): Promise<Chunk[]> => {
    const request = {
      model: 'x',
      messages: [{ role: 'user' as const, content: text }],
      max_tokens: 8,
      reasoning_effort: 'none' as const,
    };
    const stream = await client.chat.completions.create({
      ...request,
      ...{ return_progress: true },
      ...body,
      stream: true,
    });
    for await (const piece of stream) seen.push(chunk.parse(piece));
    return seen;
  };

  it('tells how far the prompt is read, up to all of it and before the first text', async () => {
    const long = 'The fox ran over the hill. '.repeat(60);
    const all = await withDeadline('the answer', chunks(long));
    const told = all.flatMap(({ prompt_progress }) => prompt_progress ?? []);
    const total = told[0]?.total ?? 0;
    expect(total).toBeGreaterThan(300);
    expect(told.length).toBeGreaterThan(3);
    expect([told[0]?.processed, told.at(-1)?.processed]).toEqual([0, total]);
    expect(told.every((one, index) => one.processed >= (told[index - 1]?.processed ?? 0))).toBe(true);
    const firstText = all.findIndex(({ choices }) => choices[0]?.delta.content);
    expect(all.findLastIndex(({ prompt_progress }) => prompt_progress)).toBeLessThan(firstText);

    const again = await withDeadline('the answer with a cache', chunks(long));
    const first = again.find(({ prompt_progress }) => prompt_progress)?.prompt_progress;
    expect(first).toMatchObject({ total, cache: total - 1, processed: total - 1 });
  });

  it('tells the place in the queue, and with it that the request has arrived', async () => {
    const running: Chunk[] = [];
    const first = chunks('Tell me a long story.', { ignore_eos: true, max_tokens: 400 }, running);
    await withDeadline('the first one on its slot', arrived(running));
    const seen: Chunk[][] = [[], []];
    const second = chunks('Second.', {}, seen[0]);
    await withDeadline('the second in the queue', arrived(seen[0]));
    const third = chunks('Third.', {}, seen[1]);
    await withDeadline('all', Promise.all([first, second, third]));
    const places = seen.map((list) => list.flatMap(({ queue }) => queue?.position ?? []));
    expect(places).toEqual([[1], [2, 1]]);
    expect(seen.map((list) => list[0]?.queue?.position)).toEqual([1, 2]);
    // The engine has measured its rates by then.
    expect(seen[0]?.[0]?.queue?.eta_ms).toBeGreaterThan(0);
  });
});

async function arrived(list: readonly unknown[] | undefined): Promise<void> {
  while ((list?.length ?? 0) === 0) await new Promise((resolve) => setImmediate(resolve));
}

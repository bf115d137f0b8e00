import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { reading, sseData, within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';

let server: RunningServer;

beforeAll(async () => {
  server = await startDemoServer(['--ctx-size', '4096', '--parallel', '1']);
});

afterAll(() => server?.close());

function post(path: string, body: object): Promise<Response> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) };
  return within(`an answer of ${path}`, fetch(server.url + path, init), 20_000);
}

/** A thought that does not end by itself: its closing token is never drawn. */
async function endlessThought(more: object = {}) {
  const { tokens } = (await (await post('/tokenize', { content: '</think>' })).json()) as { tokens: number[] };
  expect(tokens).toHaveLength(1);
  const response = await post('/v1/chat/completions', {
    messages: [{ role: 'user', content: 'What is the capital of Italy?' }],
    enable_thinking: true,
    temperature: 0,
    ignore_eos: true,
    logit_bias: { [tokens[0] ?? 0]: -100 },
    stream: true,
    max_tokens: 3000,
    ...more,
  });
  const seen = await reading(response.clone())('"reasoning_content"');
  return { response, id: /"id":"(chatcmpl-\w+)"/.exec(seen)?.[1] ?? '' };
}

const end = { action: 'reasoning_end' };

describe('ending a thought', () => {
  it('lets the model answer, by the id or the slot of the answer', async () => {
    for (const named of ['id', 'id_slot'] as const) {
      const { response, id } = await endlessThought({ reasoning_control: true });
      const control = await post('/v1/chat/completions/control', {
        ...(named === 'id' ? { id } : { id_slot: 0 }),
        ...end,
      });
      expect([control.status, await control.json()]).toEqual([200, { success: true }]);
      await reading(response.clone())('"delta":{"content":"');
      expect((await post('/v1/chat/completions/control', { id, ...end })).status).toBe(400);
      await post('/api/inference/cancel', { completion_id: id });
      const deltas = sseData(await within('the end', response.text())).flatMap((chunk) => {
        const { choices = [] } = chunk as { choices?: { delta: Record<string, unknown> }[] };
        return choices.map(({ delta }) => delta);
      });
      const thought = deltas.map(({ reasoning_content: text }) => text ?? '').join('');
      const said = deltas.map(({ content }) => content ?? '').join('');
      expect([thought.length > 0, said.length > 0, `${thought}${said}`.includes('think>')]).toEqual([
        true,
        true,
        false,
      ]);
    }
  });

  it('is refused where the request did not ask for it', async () => {
    const { response, id } = await endlessThought();
    const control = await post('/v1/chat/completions/control', { id, ...end });
    expect(control.status).toBe(400);
    expect(JSON.stringify(await control.json())).toContain('reasoning_control');
    await post('/api/inference/cancel', { completion_id: id });
    await within('the end', response.text());
  });
});

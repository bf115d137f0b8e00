import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { base64Of } from '../support/demo-images.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { ultravoxFor } from '../support/tiny-ears.ts';
import { llavaFor } from '../support/tiny-families.ts';
import { writeProjector } from '../support/tiny-projectors.ts';
import { tinySound } from '../support/tiny-sounds.ts';
import { wavFile } from '../support/wav.ts';

/** Of the demo model. */
const rowWidth = 192;
/** Of half a minute. */
const rowsAtOnce = 187;

let folder: string;
let ear: string;
let server: RunningServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sounds-'));
  ear = join(folder, 'ear.gguf');
  writeProjector(ear, { audio: ultravoxFor(rowWidth) }, rowWidth);
  server = await startDemoServer(['--ctx-size', '2048', '--parallel', '2', '--mmproj', ear]);
});

afterAll(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

async function onServer(flags: readonly string[], use: (other: RunningServer) => Promise<void>): Promise<void> {
  const other = await startDemoServer(['--ctx-size', '1024', '--parallel', '1', ...flags]);
  try {
    await use(other);
  } finally {
    await other.close();
  }
}

async function post(path: string, body: object, at = server) {
  const response = await fetch(`${at.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, json: text.startsWith('{') ? JSON.parse(text) : undefined };
}

const get = async (path: string, at = server) =>
  JSON.parse(await fetch(`${at.url}${path}`).then((answer) => answer.text()));

const greedy = { temperature: 0, max_tokens: 12, chat_template_kwargs: { enable_thinking: false } };
const base64 = (file: Uint8Array) => Buffer.from(file).toString('base64');
const tone = base64(wavFile([tinySound('tone')]));
const noise = base64(wavFile([tinySound('noise')]));
const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${base64Of('01-one.png')}` } };
const input = (data: string) => ({ type: 'input_audio', input_audio: { data, format: 'wav' } });
const asked = (...content: object[]) => ({
  ...greedy,
  messages: [{ role: 'user', content: [...content, { type: 'text', text: 'What do you hear?' }] }],
});
const chat = (body: object, at = server) => post('/v1/chat/completions', body, at);
const promptTokens = (answer: Awaited<ReturnType<typeof chat>>): number => answer.json.usage.prompt_tokens;
const encoded = async (at = server): Promise<number> =>
  Number(JSON.stringify(await get('/internal/stats', at)).match(/"encodedMedia":(\d+)/)?.[1]);

describe('a sound in a chat', () => {
  it('stands for its rows, whole and streamed, and is counted and shown', async () => {
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
    const body = {
      ...asked(input(tone)),
      model: 'demo',
    } as unknown as OpenAI.Chat.ChatCompletionCreateParamsNonStreaming;
    const whole = await client.chat.completions.create(body);
    const silent = await chat(asked());
    expect(whole.usage?.prompt_tokens).toBe(promptTokens(silent) + rowsAtOnce);
    let text = '';
    for await (const chunk of await client.chat.completions.create({ ...body, stream: true }))
      text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe(whole.choices[0]?.message.content);
    expect((await post('/v1/chat/completions/input_tokens', asked(input(tone)))).json.input_tokens).toBe(
      whole.usage?.prompt_tokens,
    );
    expect((await post('/apply-template', asked(input(tone)))).json.prompt).toContain(
      `[audio: ${rowsAtOnce} tokens]What do you hear?`,
    );
  });

  it('changes what the model says', async () => {
    const said = async (data: string) => {
      const { json } = await chat({ ...asked(input(data)), logprobs: true, top_logprobs: 5 });
      return JSON.stringify(json.choices[0].logprobs.content[0]);
    };
    const [first, again, other] = [await said(tone), await said(tone), await said(noise)];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  it('of a minute and a half is three half minutes and the silence behind them', async () => {
    const long = base64(wavFile([tinySound('longer')]));
    expect(promptTokens(await chat(asked(input(long))))).toBe(promptTokens(await chat(asked())) + 4 * rowsAtOnce);
  });

  it('is encoded once, and in the next turn not evaluated again', async () => {
    const { messages, ...rest } = asked(input(base64(wavFile([tinySound('instant')]))));
    const before = await encoded();
    const { json } = await chat({ messages, ...rest });
    expect(await encoded()).toBe(before + 1);
    const next = [...messages, json.choices[0].message, { role: 'user', content: 'And now?' }];
    const second = await chat({ messages: next, ...rest });
    expect(second.json.usage.prompt_tokens_details.cached_tokens).toBeGreaterThan(rowsAtOnce);
    expect(await encoded()).toBe(before + 1);
  });

  it('that is given up leaves the slots to others', async () => {
    const long = base64(wavFile([tinySound('long')]));
    const given = Array.from({ length: 3 }, (_, at) => {
      const abort = new AbortController();
      const answer = fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ...asked(input(long)), seed: at, stream: true }),
        signal: abort.signal,
      });
      abort.abort();
      return answer.then(
        () => 'answered',
        () => 'given up',
      );
    });
    expect(await Promise.all(given)).toEqual(['given up', 'given up', 'given up']);
    expect((await chat(asked(input(tone)))).status).toBe(200);
    expect(await get('/api/inference/status')).toMatchObject({ active_model: expect.any(String) });
  });
});

describe('a model that hears', () => {
  it('says so wherever models are told', async () => {
    expect((await get('/props')).modalities).toEqual({ vision: false, audio: true, video: false });
    expect((await get('/v1/models')).data[0]).toMatchObject({
      modalities: { input: ['text', 'audio'], output: ['text'] },
      capabilities: ['completion', 'audio'],
    });
    expect(await get('/api/inference/status')).toMatchObject({ is_vision: false, has_audio_input: true });
    const { active_model: model_path } = await get('/api/inference/status');
    const validated = await post('/api/inference/validate', { model_path });
    expect(validated.json).toMatchObject({ valid: true, is_vision: false, has_audio_input: true });
    const loaded = await post('/api/inference/load', { model_path, max_seq_length: 0 });
    expect(loaded.json).toMatchObject({ status: 'already_loaded', has_audio_input: true });
    expect((await post('/api/show', { model: model_path })).json.capabilities).toContain('audio');
  });

  it('and sees takes both in one prompt', async () => {
    const path = join(folder, 'both.gguf');
    writeProjector(path, { vision: llavaFor(rowWidth), audio: ultravoxFor(rowWidth) }, rowWidth);
    await onServer(['--mmproj', path], async (both) => {
      expect((await get('/v1/models', both)).data[0].modalities.input).toEqual(['text', 'image', 'audio']);
      const alone = promptTokens(await chat(asked(), both));
      const seen = promptTokens(await chat(asked(image), both)) - alone;
      expect(seen).toBeGreaterThan(0);
      expect(promptTokens(await chat(asked(image, input(tone)), both))).toBe(alone + seen + rowsAtOnce);
    });
  });
});

describe('what is refused', () => {
  const text = base64(Buffer.from('hello'));
  it.each([
    ['a text', input(text), 'its first bytes are none that are known. Sounds are WAV files.', 'input_audio.data'],
    ['half a file', input(tone.slice(0, 400)), 'cut off', 'input_audio.data'],
    ['an empty file', input(base64(wavFile([[]]))), 'there is nothing in it', 'input_audio.data'],
    [
      'an address',
      { type: 'audio_url', audio_url: { url: 'http://127.0.0.1:1/a.wav' } },
      'fetches no sounds',
      'audio_url',
    ],
  ])('%s', async (_, part, words, param) => {
    const { status, json } = await chat(asked(part));
    expect([status, json.error.message]).toEqual([400, expect.stringContaining(words)]);
    expect(json.error.param).toBe(`messages[0].content[0].${param}`);
  });

  it('an image for a model that only hears, and a sound for one that does not', async () => {
    const unseen = await chat(asked(image));
    expect([unseen.status, unseen.json.error.message]).toEqual([400, expect.stringContaining('cannot see images')]);
    await onServer([], async (deaf) => {
      const { status, json } = await chat(asked(input(tone)), deaf);
      expect([status, json.error.message]).toEqual([400, expect.stringContaining('cannot hear sounds')]);
    });
  });
});

describe('with the engine in a process of its own', () => {
  it('sounds go there too', async () => {
    await onServer(['--engine-process', '--mmproj', ear], async (apart) => {
      const said = async (at: RunningServer) => (await chat(asked(input(tone)), at)).json.choices[0].message.content;
      expect(await said(apart)).toBe(await said(server));
    });
  });
});

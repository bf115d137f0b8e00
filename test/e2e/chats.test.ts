import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { reading, within } from '../http/support.ts';
import { type ServeProcess, startProcess } from '../support/serve-process.ts';

/** Two servers, as a user starts them, that share one folder of chats. */
let folder = '';
const processes: ServeProcess[] = [];
let [one, other] = ['', ''];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-two-'));
  processes.push(startProcess(['--chat-store', folder]), startProcess(['--chat-store', folder]));
  [one = '', other = ''] = await Promise.all(processes.map((process) => process.ready()));
});

afterAll(async () => {
  for (const { child } of processes) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function call(url: string, path: string, body?: object): Promise<Record<string, unknown>> {
  const init = body && { method: 'POST', body: JSON.stringify(body) };
  const response = await within(`an answer of ${path}`, fetch(`${url}/api/chats${path}`, init), 20_000);
  return { status: response.status, ...((await response.json()) as object) };
}

const message = (id: string, content = id) => ({
  entry_id: id,
  type: 'message',
  parent: null,
  message: { role: 'user', content },
});

async function idsIn(url: string, chatId: string): Promise<string[]> {
  const ids: string[] = [];
  let after = '';
  for (let more = true; more; ) {
    const part = await call(url, `/${chatId}${after}`);
    ids.push(...(part.entries as { entry_id: string }[]).map(({ entry_id }) => entry_id));
    after = `?after=${part.revision}`;
    more = part.more === true;
  }
  return ids;
}

async function newChat(): Promise<string> {
  return String((await call(one, '', {})).chat_id);
}

describe('two servers with one folder of chats', () => {
  it('lose no entry that both write to one chat, and take none twice', async () => {
    const chatId = await newChat();
    const ids = Array.from({ length: 60 }, (_, index) => `m${index}`);
    const write = async (url: string) => {
      for (const id of ids)
        expect(await call(url, `/${chatId}/entries`, { entries: [message(id)] })).toMatchObject({ status: 200 });
    };
    await Promise.all([write(one), write(other)]);
    for (const url of [one, other]) expect(await idsIn(url, chatId)).toEqual(ids);
  });

  it('tell each other’s readers what changed', async () => {
    const leave = new AbortController();
    const events = reading(await fetch(`${one}/api/chats/events`, { signal: leave.signal }));
    const { chat_id: chatId } = await call(other, '', { entries: [message('m')] });
    // Others may tell of the chats of other tests first.
    await events(String(chatId));
    leave.abort();
  });

  it('keep an answer that nobody waits for', async () => {
    const chatId = await newChat();
    await call(one, `/${chatId}/entries`, { entries: [message('m', 'Who are you?')] });
    const leave = new AbortController();
    const events = reading(await fetch(`${other}/api/chats/events`, { signal: leave.signal }));
    const body = {
      messages: [{ role: 'user', content: 'Who are you?' }],
      temperature: 0,
      max_tokens: 40,
      stream: true,
      resumable: true,
      chat: { chat_id: chatId, entry_id: 'answer', parent: 'm' },
    };
    const gone = new AbortController();
    const response = await fetch(`${one}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(body),
      signal: gone.signal,
    });
    expect(response.status).toBe(200);
    gone.abort();
    await events(chatId);
    leave.abort();
    const { entries } = (await call(other, `/${chatId}`)) as { entries: readonly object[] };
    expect(entries.at(-1)).toMatchObject({
      entry_id: 'answer',
      parent: 'm',
      message: { role: 'assistant', content: expect.stringMatching(/\w/), usage: expect.any(Object) },
    });
  });

  it('keep what was answered when one is killed in the middle of an append', async () => {
    const chatId = await newChat();
    const batches = Array.from({ length: 200 }, (_, batch) =>
      Array.from({ length: 20 }, (_each, index) => message(`b${batch}-${index}`, 'x'.repeat(20_000))),
    );
    const answered: string[] = [];
    let written = 0;
    for (const entries of batches) {
      const answer = await call(one, `/${chatId}/entries`, { entries }).catch(() => undefined);
      if (!answer) break;
      answered.push(...(answer.accepted as string[]));
      // While the next one is on its way.
      if (++written === 3) setTimeout(() => processes[0]?.child.kill('SIGKILL'), 2);
    }
    expect(written).toBeLessThan(batches.length);
    expect(await idsIn(other, chatId)).toEqual(expect.arrayContaining(answered));
    // Whoever got no answer sends everything again.
    const sent = batches.slice(0, written + 1);
    for (const entries of sent)
      expect(await call(other, `/${chatId}/entries`, { entries })).toMatchObject({ status: 200 });
    const ids = sent.flat().map(({ entry_id }) => entry_id);
    expect((await idsIn(other, chatId)).toSorted()).toEqual(ids.toSorted());
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { all, everybody, openStore } from '../chats/support.ts';
import { within } from '../http/support.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-chats-'));
});
afterEach(() => rm(folder, { recursive: true }));

/** As many servers one after the other: each lists, writes to chats of its own and one of all, deletes one, and is over. */
const starts = (writer: string, url: string) => `
  const { openChatStore, chatLimits } = await import(${JSON.stringify(url)});
  const writer = ${JSON.stringify(writer)};
  const asker = { owner: '', sees: () => true };
  const timers = { after: (ms, done) => { const timer = setTimeout(done, ms); timer.unref(); return () => clearTimeout(timer); } };
  const failed = (error) => { throw error; };
  let ids = 0;
  const options = { limits: chatLimits, now: Date.now, clock: () => performance.now(), timers, failed, newId: () => writer + process.pid + ++ids };
  const message = (id, parent, content) => ({ entry_id: id, time: Date.now(), type: 'message', parent, message: { role: 'user', content } });
  for (let round = 1; round <= Number(process.argv[2]); round++) {
    const store = await openChatStore(process.argv[1], options);
    const chatId = 'chat-' + writer + '-' + round;
    await store.create(asker, { chatId, entries: [message('m1', null, 'of ' + writer), { entry_id: 't1', time: Date.now(), type: 'title', title: chatId }] });
    await store.create(asker, { chatId: 'chat-of-all', entries: [message(writer + round, null, 'from ' + writer)] });
    const { chats } = await store.list(asker, { words: [], limit: 200, bin: false });
    if (!chats.some((chat) => chat.chatId === chatId)) throw new Error('lost ' + chatId);
    if (round % 3 === 0) await store.remove(asker, chatId, { forever: round % 2 === 0 });
    await store.settled();
    process.stdout.write('.');
  }`;

describe('servers that come and go beside each other in one folder of chats', () => {
  it('list what there is, whoever wrote it, also where one is killed in the middle', async () => {
    const url = pathToFileURL(resolve('dist/chats/chat-store.js')).href;
    const start = (writer: string, rounds: number) => {
      const child = spawn(
        process.execPath,
        ['--input-type=module', '--eval', starts(writer, url), folder, String(rounds)],
        { stdio: ['ignore', 'pipe', 'pipe'] },
      );
      let error = '';
      let done = 0;
      child.stderr.on('data', (text: Buffer) => {
        error += text.toString();
      });
      child.stdout.on('data', (text: Buffer) => {
        done += text.length;
        if (rounds > 1000 && done >= 5) child.kill('SIGKILL');
      });
      const ended = once(child, 'close').then(([code, signal]: unknown[]) => ({ code, signal, error, done }));
      return within(`the end of ${writer}`, ended, 50_000);
    };
    const [one, other, killed] = await Promise.all([start('ann', 12), start('bob', 12), start('eve', 100_000)]);
    expect([one, other]).toMatchObject([
      { code: 0, error: '', done: 12 },
      { code: 0, error: '', done: 12 },
    ]);
    expect(killed).toMatchObject({ signal: 'SIGKILL', error: '' });
    const listed = async () => {
      const { store, failures } = await openStore(folder);
      const lists = [];
      for (const bin of [false, true]) lists.push((await store.list(everybody, { ...all, limit: 200, bin })).chats);
      await store.settled();
      expect(failures).toEqual([]);
      return lists;
    };
    const withSummaries = await listed();
    await rm(join(folder, 'local', '.summaries'));
    expect(await listed()).toEqual(withSummaries);
    const mine = (writer: string) =>
      Array.from({ length: 12 }, (_, index) => index + 1)
        .filter((round) => round % 3 !== 0)
        .map((round) => `chat-${writer}-${round}`);
    const ids = withSummaries[0]?.map(({ chatId }) => chatId);
    expect(ids).toEqual(expect.arrayContaining([...mine('ann'), ...mine('bob'), 'chat-of-all']));
    expect(withSummaries[0]?.find(({ chatId }) => chatId === 'chat-of-all')?.messages).toBeGreaterThanOrEqual(29);
  });
});

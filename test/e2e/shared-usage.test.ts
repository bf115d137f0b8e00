import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { openUsageLog } from '../../src/usage/usage-log.ts';
import { within } from '../http/support.ts';
import { startDemoServer } from '../support/demo-server.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-usage-'));
});
afterEach(() => rm(folder, { recursive: true }));

interface Usage {
  readonly key: string;
  readonly requests: number;
  readonly completion_tokens: number;
}

describe('two servers with one folder for what is kept', () => {
  it('count what each key used together, and a third one finds all of it', async () => {
    const file = join(folder, 'keys');
    await writeFile(file, 'ann: sk-ann\nbob: sk-bob\nchief: sk-chief admin\n');
    const start = () => startDemoServer(['--api-key-file', file, '--response-store', join(folder, 'kept')]);
    const ask = async ({ url }: RunningServer, who: string) => {
      const response = await fetch(`${url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer sk-${who}` },
        body: JSON.stringify({ messages: [{ role: 'user', content: 'Hello!' }], max_tokens: 2, ignore_eos: true }),
      });
      expect(response.status).toBe(200);
      await response.text();
    };
    const usage = async ({ url }: RunningServer) => {
      const response = await fetch(`${url}/internal/usage`, { headers: { authorization: 'Bearer sk-chief' } });
      return ((await response.json()) as { keys: Usage[] }).keys;
    };
    const one = await start();
    const other = await start();
    await Promise.all([ask(one, 'ann'), ask(one, 'ann'), ask(other, 'ann'), ask(other, 'bob')]);
    await Promise.all([one.close(), other.close()]);
    const third = await start();
    await ask(third, 'bob');
    expect(await usage(third)).toMatchObject([
      { key: 'ann', requests: 3, completion_tokens: 6 },
      { key: 'bob', requests: 2, completion_tokens: 4 },
    ]);
    await third.close();
  });
});

/** Counts one request after the other, saying of each that it is safe. */
const counting = (url: string, writer: string) => `
  const { openUsageLog } = await import(${JSON.stringify(url)});
  let id = 0;
  const options = { now: Date.now, newId: () => ${JSON.stringify(writer)} + ++id, mostLines: 5 };
  const log = await openUsageLog(process.argv[1], options);
  const account = { since: 0, lastUsed: Date.now(), requests: 1, inputTokens: 0, cachedTokens: 0, outputTokens: 0, day: 0, todayTokens: 0 };
  for (let number = 1; number <= Number(process.argv[2]); number++) {
    await log.append({ writer: ${JSON.stringify(writer)}, number, accounts: [{ owner: ${JSON.stringify(writer)}, ...account }] });
    process.stdout.write('.');
  }`;

describe('processes that count in one folder', () => {
  it('lose nothing that was safe and write nothing twice, also where one is killed in the middle', async () => {
    const url = pathToFileURL(resolve('dist/usage/usage-log.js')).href;
    const start = (writer: string, count: number) => {
      const child = spawn(process.execPath, [
        '--input-type=module',
        '--eval',
        counting(url, writer),
        folder,
        String(count),
      ]);
      let safe = 0;
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        safe += text.length;
        if (writer === 'killed' && safe >= 40) child.kill('SIGKILL');
      });
      return { writer, safe: () => safe, exit: once(child, 'close') };
    };
    const children = [start('killed', 1_000_000), start('ann', 120), start('bob', 120)];
    await within('the processes', Promise.all(children.map(({ exit }) => exit)), 50_000);
    // A lock that the killed one may have left is stale by then.
    const log = await openUsageLog(folder, { now: () => Date.now() + 120_000, newId: () => 'test' });
    const counted = Object.fromEntries([...log.accounts].map(([owner, { requests }]) => [owner, requests]));
    const killed = children[0]?.safe() ?? 0;
    expect(counted).toEqual({ ann: 120, bob: 120, killed: expect.any(Number) });
    expect(killed).toBeGreaterThanOrEqual(40);
    // Its last line may have been written without its telling so.
    expect((counted.killed ?? 0) - killed).toBeOneOf([0, 1]);
  });
});

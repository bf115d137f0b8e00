import { mkdtemp, open, readdir, rename, rm, stat, symlink, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startDemoServer } from '../support/demo-server.ts';

interface Answered {
  readonly text: string;
  readonly promptTokens: number;
  readonly cachedTokens: number;
}

const conversation = [
  { role: 'system', content: 'You are a guide in a museum of clocks. '.repeat(30) },
  { role: 'user', content: 'What is the capital of Italy?' },
];

describe('--prefix-cache-dir', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-prefixes-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  /** A server's life with one question in it. */
  async function live(flags: readonly string[] = ['--ctx-size', '1024']): Promise<Answered> {
    const server = await startDemoServer(['--parallel', '2', '--prefix-cache-dir', folder, ...flags]);
    try {
      const response = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages: conversation, temperature: 0, max_tokens: 24 }),
      });
      expect(response.status).toBe(200);
      const { choices, usage } = (await response.json()) as {
        choices: { message: { content: string } }[];
        usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } };
      };
      return {
        text: choices[0]?.message.content ?? '',
        promptTokens: usage.prompt_tokens,
        cachedTokens: usage.prompt_tokens_details.cached_tokens,
      };
    } finally {
      await server.drain();
      await server.close();
    }
  }

  /** All state files, absolute. */
  async function states(): Promise<string[]> {
    const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.state'));
    return names.map((name) => join(folder, name));
  }

  it('finds the conversation again after a restart, with the same answer', async () => {
    const first = await live();
    expect(first.cachedTokens).toBe(0);
    expect(await states()).toHaveLength(1);
    const second = await live();
    expect(second).toEqual({ ...first, cachedTokens: first.promptTokens - 1 });
  });

  it.each([
    ['bytes changed in its middle', damage],
    ['its end missing', async (path: string) => truncate(path, (await stat(path)).size - 1)],
    ['nothing in it', (path: string) => truncate(path, 0)],
    ['no label', (path: string) => rm(path.replace('.state', '.json'))],
  ])('ignores a file with %s', async (_, spoil) => {
    const first = await live();
    const [path = ''] = await states();
    await spoil(path);
    expect(await live()).toEqual(first);
  });

  it('ignores files of another model or context, even in the wrong place', async () => {
    const otherContext = ['--ctx-size', '1536'];
    const first = await live();
    expect((await live(otherContext)).cachedTokens).toBe(0);
    const [one = '', other = ''] = await states();
    for (const ending of ['.state', '.json']) {
      const here = one.replace('.state', ending);
      const there = other.replace('.state', ending);
      await rename(here, `${here}.kept`);
      await rename(there, here);
      await rename(`${here}.kept`, there);
    }
    expect((await live(otherContext)).cachedTokens).toBe(0);
    expect(await live()).toEqual(first);
  });

  it.runIf(process.platform === 'linux')('answers as ever while the disk is full, and leaves no halves', async () => {
    const first = await live();
    const [path = ''] = await states();
    for (const file of [path, path.replace('.state', '.json')]) await rm(file);
    await symlink('/dev/full', `${path}.part`);
    expect(await live()).toEqual(first);
    expect(await readdir(folder, { recursive: true })).toEqual([basename(dirname(path))]);
    expect(await live()).toEqual(first);
    expect(await states()).toEqual([path]);
  });

  it('says what is wrong with a folder that cannot be used', async () => {
    const file = join(folder, 'a-file');
    await (await open(file, 'w')).close();
    await expect(startDemoServer(['--ctx-size', '512', '--prefix-cache-dir', file])).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(`--prefix-cache-dir ${file} cannot be used`),
    });
  });
});

async function damage(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    await file.write(Buffer.from('damaged'), 0, 7, Math.floor(size / 2));
  } finally {
    await file.close();
  }
}

import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openChats } from '../../src/chats/open-chats.ts';
import { realSystem } from '../../src/main/system.ts';
import { emptyFolder } from './support.ts';

/** A folder that cannot be made, whoever asks: a file has the name of the one above. */
async function impossible(): Promise<string> {
  const file = join(await emptyFolder(), 'file');
  await writeFile(file, '');
  return join(file, 'chats');
}

async function open(place: Parameters<typeof openChats>[0]) {
  const logs: unknown[][] = [];
  const opened = await openChats(place, {
    ...realSystem,
    now: realSystem.unixMilliseconds,
    telemetry: { log: (...line) => logs.push(line) },
  });
  return { opened, logs };
}

describe('the chat store at the start', () => {
  it('is there where its folder can be used', async () => {
    const folder = join(await emptyFolder(), 'new', 'chats');
    const { opened, logs } = await open({ kept: true, folder, asked: false });
    expect([opened, logs]).toEqual([{ chatStore: expect.objectContaining({ folder }) }, []]);
  });

  it('does not keep the server from starting where the usual folder cannot be used', async () => {
    const folder = await impossible();
    const { opened, logs } = await open({ kept: true, folder, asked: false });
    expect(opened).toEqual({ noChatStore: expect.stringContaining('cannot be used') });
    expect(logs).toEqual([['warn', expect.stringContaining(folder)]]);
  });

  it('is an error where a folder that was asked for cannot be used', async () => {
    const folder = await impossible();
    await expect(open({ kept: true, folder, asked: true })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(`--chat-store ${folder} cannot be used`),
    });
  });

  it('is off when that was asked for', async () => {
    expect((await open({ kept: false })).opened).toEqual({ noChatStore: expect.stringContaining('--chat-store off') });
  });
});

import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Machine, type PortFile, publishPortFile, readPortFiles } from '../../src/client/port-files.ts';

let base = '';
let folder = '';
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'serve-model-run-'));
  folder = join(base, 'serve-model');
});
afterEach(() => rm(base, { recursive: true }));

const dead = new Set<number>();
afterEach(() => dead.clear());
const machine: Machine = { isAlive: (pid) => !dead.has(pid), userId: process.getuid?.() };

const server = (pid: number, facts: Partial<PortFile> = {}): PortFile => ({
  pid,
  url: `http://127.0.0.1:${pid}`,
  models: [],
  started: '2026-01-01T00:00:00.000Z',
  ...facts,
});
const publish = (facts: PortFile) => publishPortFile(folder, facts, machine);
const read = () => readPortFiles(folder, machine);

describe('port files', () => {
  it('tell the address and the models to their owner alone, and hold nothing else', async () => {
    const published = await publish(server(7));
    expect(await read()).toEqual([server(7)]);
    await published?.update(['coder', 'local']);
    expect(await read()).toEqual([server(7, { models: ['coder', 'local'] })]);
    const path = join(folder, '7.json');
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect(Object.keys(JSON.parse(await readFile(path, 'utf8')))).toEqual(['pid', 'url', 'models', 'started']);
    published?.removeNow();
    published?.removeNow();
    expect(await readdir(folder)).toEqual([]);
  });

  it('are read the latest first, those of dead processes not at all', async () => {
    for (const pid of [1, 2, 3]) await publish(server(pid, { started: `2026-01-0${pid}T00:00:00.000Z` }));
    dead.add(2);
    expect((await read()).map(({ pid }) => pid)).toEqual([3, 1]);
  });

  it('of dead processes, and of those that had this address before, go when a server starts', async () => {
    await publish(server(1));
    await publish(server(2, { url: 'http://127.0.0.1:8080' }));
    await publish(server(3));
    dead.add(1);
    await publish(server(4, { url: 'http://127.0.0.1:8080' }));
    expect((await readdir(folder)).sort()).toEqual(['3.json', '4.json']);
  });

  it('are whole whoever reads while servers come, change and go', async () => {
    const pids = Array.from({ length: 20 }, (_, index) => index + 1);
    const lives = pids.map(async (pid) => {
      const published = await publish(server(pid));
      for (let round = 0; round < 10; round++) await published?.update([`model-${round}`, 'x'.repeat(round * 2000)]);
      if (pid % 2 === 0) published?.removeNow();
    });
    let reading = true;
    const reader = async () => {
      let seen = 0;
      while (reading) {
        for (const { pid, url, models } of await read()) {
          seen++;
          expect(url).toBe(`http://127.0.0.1:${pid}`);
          expect([0, 2]).toContain(models.length);
        }
      }
      return seen;
    };
    const readers = [reader(), reader()];
    await Promise.all(lives);
    reading = false;
    for (const seen of await Promise.all(readers)) expect(seen).toBeGreaterThan(0);
    const left = await readdir(folder);
    expect(left.sort()).toEqual(
      pids
        .filter((pid) => pid % 2 === 1)
        .map((pid) => `${pid}.json`)
        .sort(),
    );
  });

  it('that are none, or of another process than their name says, are left out', async () => {
    await publish(server(5));
    await writeFile(join(folder, '6.json'), '{"pid": 6');
    await writeFile(join(folder, '7.json'), JSON.stringify(server(8)));
    await writeFile(join(folder, '9.json'), JSON.stringify({ ...server(9), started: 'yesterday' }));
    await writeFile(join(folder, 'notes.json'), JSON.stringify(server(10)));
    expect(await read()).toEqual([server(5)]);
  });

  it('are not trusted in a folder that others can write to, or behind a link', async () => {
    await publish(server(5));
    await chmod(folder, 0o777);
    expect(await read()).toEqual([]);
    expect(await publish(server(6))).toBeUndefined();
    await chmod(folder, 0o700);
    const link = join(base, 'link');
    await symlink(folder, link);
    expect(await readPortFiles(link, machine)).toEqual([]);
    expect(await readPortFiles(folder, { ...machine, userId: (machine.userId ?? 0) + 1 })).toEqual([]);
  });

  it('are left out where their folder cannot be', async () => {
    await mkdir(base, { recursive: true });
    await writeFile(folder, 'a file');
    expect(await publish(server(5))).toBeUndefined();
    expect(await read()).toEqual([]);
  });
});

import { copyFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runLibraryCommand } from '../../src/cli/library-commands.ts';
import { obtainModel } from '../../src/cli/pull.ts';
import { parseConfig } from '../../src/config.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { gigabyte, LibraryPlace, smallModel } from '../cli/library-place.ts';
import { recordTerminal } from '../cli/terminal-recorder.ts';
import { startHub } from '../models/hub-fixture.ts';
import { startProcess, withDeadline } from '../support/serve-process.ts';

let place: LibraryPlace;
beforeEach(async () => {
  place = await LibraryPlace.open();
});
afterEach(() => place.close());

describe('obtainModel', () => {
  it('takes the bundled model, a path and a downloaded model as they are', async () => {
    await place.local('owner/repo/m-Q8_0');
    const path = join(place.folder, 'owner/repo/m-Q8_0.gguf');
    const { terminal, error } = recordTerminal();
    expect(await obtainModel(undefined, place.options(terminal))).toBe(bundledModelPath);
    for (const name of [path, 'm-Q8_0', 'repo/m-Q8_0', 'owner/repo/m-Q8_0', 'hf:owner/repo:q8_0', 'owner/repo']) {
      expect(await obtainModel(name, place.options(terminal))).toBe(path);
    }
    expect(error()).toBe('');
    expect(place.hub.requests).toEqual([]);
  });

  it('downloads the best quantization that fits, and says so', async () => {
    const { terminal, error } = recordTerminal();
    expect(await obtainModel('hf:owner/repo', place.options(terminal))).toBe(
      join(place.folder, 'owner/repo/m-Q8_0.gguf'),
    );
    expect(error()).toContain(
      [
        // 4 slots of 4096 tokens.
        '1  Q4_0  624 bytes  takes 700 MB  fits',
        '2  Q8_0     1.0 kB  takes 700 MB  fits, best choice',
        '3  F16      1.8 kB  takes 700 MB  fits',
        'downloading hf:owner/repo, Q8_0, 1.0 kB',
      ].join('\n'),
    );
    expect(error()).toContain('Downloading 100 %');
  });

  it.each([
    ['2', 'm-Q8_0'],
    ['q4_0', 'm-Q4_0'],
    ['F16', 'm-F16'],
    ['', 'm-Q8_0'],
  ])('asks on a terminal and takes the answer %j', async (answer, file) => {
    const { terminal, error } = recordTerminal({ interactive: true, answers: [answer] });
    expect(await obtainModel('owner/repo', place.options(terminal))).toBe(
      join(place.folder, `owner/repo/${file}.gguf`),
    );
    expect(error()).toContain('Which one? [Q8_0] ');
  });

  it('asks nothing with --yes and nothing when the name says which', async () => {
    const { terminal } = recordTerminal({ interactive: true });
    await obtainModel('owner/repo:Q4_0', place.options(terminal));
    await obtainModel('hf:owner/repo/m-F16.gguf', place.options(terminal));
    await rm(join(place.folder, 'owner'), { recursive: true });
    await obtainModel('owner/repo', place.options(terminal, 8 * gigabyte, ['--yes']));
  });

  it('refuses to choose when nothing fits, and a wrong answer', async () => {
    const { terminal } = recordTerminal();
    await expect(obtainModel('owner/repo', place.options(terminal, 1000))).rejects.toThrow(
      'No file of hf:owner/repo fits this machine: the smallest needs about 700 MB.',
    );
    const asked = recordTerminal({ interactive: true, answers: ['9', 'Q3_K'] });
    await expect(obtainModel('owner/repo', place.options(asked.terminal))).rejects.toThrow('holds no 9');
    await expect(obtainModel('owner/repo', place.options(asked.terminal))).rejects.toThrow('holds no Q3_K');
  });

  it('says what is wrong with a name that is nothing', async () => {
    const { terminal } = recordTerminal();
    await expect(obtainModel('nothing.gguf', place.options(terminal))).rejects.toThrow(
      'There is no model nothing.gguf.',
    );
  });
});

describe('a projector that --mmproj names on the hub', () => {
  it('is downloaded for the model that is here, stays its own in later loads, and is found the next time', async () => {
    const bytes = await readFile(bundledModelPath.replace('.gguf', '-mmproj.gguf'));
    const hub = await startHub({ 'mmproj-eye-F32.gguf': bytes, 'mmproj-eye-F16.gguf': bytes });
    const model = join(place.folder, 'plain.gguf');
    await copyFile(bundledModelPath, model);
    const named = ['--mmproj', 'hf:owner/repo', '--models-dir', place.folder, '--hf-endpoint', hub.endpoint];
    const server = startProcess([model, ...named, '--ctx-size', '256', '--parallel', '1', '--log-level', 'silent']);
    try {
      const url = await withDeadline('the start', server.ready());
      expect(await (await fetch(`${url}/props`)).json()).toMatchObject({ modalities: { vision: true } });
      expect(await readdir(join(place.folder, 'owner/repo'))).toEqual(['mmproj-eye-F16.gguf']);
      const load = { method: 'POST', body: JSON.stringify({ model_path: 'plain', max_seq_length: 512 }) };
      const loaded = await fetch(`${url}/api/inference/load`, load);
      expect(await loaded.json()).toMatchObject({ status: 'loaded', is_vision: true });
      const asked = hub.requests.length;
      const inspect = async (...flags: readonly string[]) => {
        const { terminal, out } = recordTerminal();
        const parsed = parseConfig(['inspect', model, ...named, ...flags], {});
        if (parsed.command !== 'inspect') throw new Error('another command');
        await runLibraryCommand(parsed, terminal);
        return out();
      };
      expect(await inspect()).toContain('owner/repo/mmproj-eye-F16.gguf');
      await expect(inspect('--mmproj', 'hf:owner/repo:F32')).rejects.toThrow(
        'not on this machine. Download it with serve-model pull MODEL --mmproj hf:owner/repo:F32.',
      );
      expect(hub.requests).toHaveLength(asked);
    } finally {
      server.child.kill('SIGKILL');
      await hub.close();
    }
  });

  it('comes along with a pull', async () => {
    const bytes = await readFile(bundledModelPath.replace('.gguf', '-mmproj.gguf'));
    const hub = await startHub({
      'm-Q8_0.gguf': smallModel(9),
      'mmproj-m-F16.gguf': bytes,
      'mmproj-m-Q8_0.gguf': bytes,
    });
    try {
      const flags = ['--mmproj', 'hf:owner/repo:Q8_0', '--models-dir', place.folder, '--hf-endpoint', hub.endpoint];
      const parsed = parseConfig(['pull', 'hf:owner/repo:Q8_0', ...flags], {});
      if (parsed.command !== 'pull') throw new Error('another command');
      const { terminal, out } = recordTerminal();
      await runLibraryCommand(parsed, terminal);
      const folder = join(place.folder, 'owner/repo');
      expect(out()).toBe(`${join(folder, 'm-Q8_0.gguf')}\n`);
      expect((await readdir(folder)).toSorted()).toEqual(['m-Q8_0.gguf', 'mmproj-m-Q8_0.gguf']);
    } finally {
      await hub.close();
    }
  });
});

import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { runNative } from '../../src/doctor/run-native.ts';
import { doctorChild } from '../../src/main/entries.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { findLibrary } from '../../src/native/find-library.ts';
import { runCommand } from '../support/serve-process.ts';

const report = z.object({
  checks: z.array(z.object({ name: z.string(), state: z.string(), words: z.array(z.string()) })),
  measured: z.object({
    cpu: z.object({ reading: z.record(z.string(), z.number()) }),
    small: z.object({ answer: z.number() }),
  }),
  models: z.array(
    z.object({ model: z.string(), speed: z.object({ answer: z.number(), prompt: z.number() }).optional() }),
  ),
});

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-model-doctor-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('serve-model doctor', () => {
  it('looks at this machine, measures it and says what it will do with a model', async () => {
    const other = createServer();
    const port = await new Promise<number>((done, fail) => {
      other.once('error', fail);
      other.listen(0, '127.0.0.1', () => {
        const address = other.address();
        done(typeof address === 'object' && address ? address.port : 0);
      });
    });
    const where = ['--gpu', 'off', '--models-dir', join(folder, 'not', 'there'), '--port', String(port)];
    const hub = ['--hf-endpoint', `http://127.0.0.1:${port}`, '--no-hub'];
    const command = runCommand(
      ['doctor', bundledModelPath, '--json', '--seconds', '1', '--threads', '1', ...where, ...hub],
      {
        XDG_RUNTIME_DIR: folder,
      },
    );
    const code = await command.exited();
    other.close();
    const { checks, measured, models } = report.parse(JSON.parse(command.out()));
    const states = Object.fromEntries(checks.map(({ name, state }) => [name, state]));
    expect(states).toMatchObject({
      ...{ 'Node.js': 'ok', library: 'ok', 'disk (models)': expect.stringMatching(/ok|warning/) },
      ...{ port: 'warning', hub: 'skipped', clock: 'ok' },
    });
    // The folder that is to be there some day is not made by looking at it.
    expect(readdirSync(folder)).toEqual([]);
    expect(checks.find(({ name }) => name === 'disk (models)')?.words[0]).toContain(`free in ${folder}`);
    expect(Object.values(measured.cpu.reading).every((rate) => rate > 0)).toBe(true);
    expect(models).toEqual([
      { model: 'serve-model-demo', speed: { answer: expect.any(Number), prompt: expect.any(Number) } },
    ]);
    // What it estimates of the model that it decoded is what it decoded, less what the context behind it takes.
    const { answer = 0 } = models[0]?.speed ?? {};
    expect(answer).toBeGreaterThan(0);
    expect(answer / measured.small.answer).toBeLessThanOrEqual(1.001);
    expect(code).toBe(checks.some(({ state }) => state === 'problem') ? 1 : 0);
  });
});

describe('the look at the native library', () => {
  const ask = (home: string, entry = doctorChild, deadlineMs = 30_000) =>
    runNative({
      entry,
      task: { gpu: false, home, milliseconds: 1, bytes: 1, formats: ['Q8_0'], model: bundledModelPath, threads: 1 },
      env: process.env,
      deadlineMs,
    });

  /** A package of node-llama-cpp whose libraries are broken in this way. */
  function broken(name: string, breakFile: (path: string) => void): string {
    const home = join(folder, name);
    const bins = join(home, 'bins', libraryFolder());
    mkdirSync(bins, { recursive: true });
    cpSync(findLibrary(false).folder, bins, { recursive: true });
    for (const file of readdirSync(bins)) if (/ggml-base/.test(file)) breakFile(join(bins, file));
    return home;
  }

  it('survives one that is cut off, is none at all, or is not there', async () => {
    const cut = await ask(broken('cut', (path) => truncateSync(path, 4096)));
    expect(cut).toMatchObject({ opened: undefined, fault: expect.stringMatching(/SIGBUS|cannot be loaded/) });
    const none = await ask(broken('none', (path) => writeFileSync(path, 'not a library')));
    expect(none).toMatchObject({ opened: undefined, fault: expect.stringContaining('cannot be loaded') });
    const nowhere = await ask(join(folder, 'nowhere'));
    expect(nowhere).toMatchObject({ opened: undefined, fault: expect.stringContaining('No native library') });
  });

  it('tells what a process said before its death, and ends one that hangs', async () => {
    const program = (name: string, text: string) => {
      const path = join(folder, `${name}.mjs`);
      writeFileSync(path, text);
      return pathToFileURL(path);
    };
    const dies = program('dies', "console.error('GGML_ASSERT(x) failed'); process.kill(process.pid, 'SIGABRT');");
    expect((await ask(folder, dies)).fault).toBe(
      'It ended the process (SIGABRT) while looking for the library: GGML_ASSERT(x) failed.',
    );
    const hangs = program('hangs', 'setInterval(() => {}, 1000);');
    expect((await ask(folder, hangs, 300)).fault).toContain('did not come to an end');
  });
});

/** As node-llama-cpp names the folder of this machine's build for the processor. */
function libraryFolder(): string {
  return resolve(findLibrary(false).folder).split(/[\\/]/).at(-1) ?? '';
}

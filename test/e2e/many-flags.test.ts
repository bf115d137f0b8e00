import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { imageExamples, uriOf } from '../support/demo-images.ts';
import { runCommand, type ServeProcess, startProcess } from '../support/serve-process.ts';

/** What no other test starts a server with, see test/support/flag-effects.ts. */
describe('a server with many flags', () => {
  let folder = '';
  let server: ServeProcess;
  let url = '';
  const opened = () => readFile(join(folder, 'opened'), 'utf8').catch(() => '');

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-flags-'));
    // What shows pages on this machine.
    const opener = join(folder, 'xdg-open');
    await writeFile(opener, `#!/bin/sh\nprintf '%s' "$1" > ${join(folder, 'opened')}\n`);
    await chmod(opener, 0o755);
    const path = [folder, process.env.PATH].join(delimiter);
    server = startProcess(['--no-ui', '--open', '--image-max-pixels', '100'], { PATH: path });
    url = await server.ready();
  });
  afterAll(async () => {
    server.child.kill('SIGKILL');
    await rm(folder, { recursive: true });
  });

  it('--no-ui: browsers get a page without scripts', async () => {
    const page = await (await fetch(url, { headers: { accept: 'text/html' } })).text();
    expect(page).toContain('<html');
    expect(page).not.toContain('<script');
  });

  it.skipIf(process.platform !== 'linux')('--open: the address is shown', async () => {
    await expect.poll(opened).toMatch(/^http:\/\//);
    expect(new URL(await opened()).port).toBe(new URL(url).port);
  });

  it('--image-max-pixels: larger images are refused', async () => {
    const [file = ''] = imageExamples.flatMap(({ images }) => images);
    const content = [{ type: 'image_url', image_url: { url: uriOf(file) } }];
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content }], max_tokens: 1 }),
    });
    expect([response.status, await response.text()]).toEqual([400, expect.stringContaining('more than 100 in all')]);
  });
});

it('quantize --force replaces a file', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'serve-model-force-'));
  const output = join(folder, 'out.gguf');
  await writeFile(output, 'mine');
  const argv = ['quantize', bundledModelPath, output, 'F16', '--allow-requantize'];
  const kept = runCommand(argv);
  expect(await kept.exited()).toBe(1);
  expect(kept.error()).toContain('give --force to replace it');
  expect(await readFile(output, 'utf8')).toBe('mine');
  expect(await runCommand([...argv, '--force']).exited()).toBe(0);
  expect((await readFile(output)).subarray(0, 4).toString()).toBe('GGUF');
  await rm(folder, { recursive: true });
});

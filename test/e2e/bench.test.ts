import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { RunningServer } from '../../src/main.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { untilGone } from '../support/process-alive.ts';
import { noPseudoTerminal, runInTerminal } from '../support/pseudo-terminal.ts';
import { runCommand, type ServeProcess, withDeadline } from '../support/serve-process.ts';

let folder = '';
let peer: RunningServer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-bench-'));
  peer = await startDemoServer(['--ctx-size', '1024']);
});
afterAll(async () => {
  await peer?.close();
  await rm(folder, { recursive: true });
});

const own = () => ({ XDG_RUNTIME_DIR: folder, XDG_DATA_HOME: folder });
const quick = ['--threads', '1', '--no-flash-attn', '--ctx-size', '512', '--parallel', '4', '--tokens', '16'];

/** Its exit code; longer than commands take that compute nothing. */
function ended({ child }: ServeProcess): Promise<unknown> {
  return withDeadline('the exit', new Promise((resolve) => child.once('close', resolve)), 55_000);
}
const report = z.object({
  model: z.string(),
  slots: z.number(),
  contextSize: z.number(),
  peer: z.object({ url: z.string(), model: z.string() }),
  measurements: z.array(
    z.object({
      name: z.string(),
      server: z.number().positive(),
      library: z.number().positive(),
      peer: z.number().positive(),
      ratio: z.number().positive(),
      problems: z.array(z.string()).length(0),
    }),
  ),
});

describe('serve-model bench', () => {
  it('measures a server of its own, the library alone and another server', async () => {
    const words = ['bench', demoModelPath, ...quick, '--peer', `${peer.url}/v1`, '--rounds', '1', '--json'];
    const command = runCommand(words, own());
    try {
      expect([await ended(command), command.error()]).toEqual([0, expect.stringContaining('Measuring ')]);
      const { measurements, ...facts } = report.parse(JSON.parse(command.out()));
      expect(facts).toEqual({
        ...{ model: 'serve-model-demo', slots: 4, contextSize: 512 },
        peer: { url: peer.url, model: 'serve-model-demo' },
      });
      expect(measurements.map(({ name }) => name)).toEqual([
        ...['prompt-1', 'prompt-4', 'decode-1', 'decode-4', 'first-token', 'deep'],
      ]);
    } finally {
      command.child.kill('SIGKILL');
    }
  });

  it('shows a table of a server that runs, and says what it cannot ask', async () => {
    const words = ['bench', 'serve-model-demo', '--url', peer.url, '--only', 'first-token', '--rounds', '1'];
    const command = runCommand(words, own());
    const wrong = runCommand(['bench', 'serve-model-demo', '--url', 'http://127.0.0.1:9'], own());
    try {
      expect(await command.exited()).toBe(0);
      expect(command.out()).toMatch(
        /^serve-model-demo, 4 slots of 1024 tokens, answers of 128 tokens, 1 round\n +serve-model\nfirst token behind 40 tokens +[\d.]+ ms\n$/,
      );
      expect(await wrong.exited()).toBe(1);
      expect(wrong.error()).toMatch(/serve-model: No server answers at http:\/\/127\.0\.0\.1:9/);
    } finally {
      for (const { child } of [command, wrong]) child.kill('SIGKILL');
    }
  });

  it.skipIf(noPseudoTerminal !== undefined)('draws a bar in a terminal, and Ctrl-C ends its server too', async () => {
    const words = ['bench', demoModelPath, ...quick, '--only', 'decode', '--rounds', '1'];
    const terminal = runInTerminal([...words, '--tokens', '200'], own());
    try {
      await terminal.waitFor('the bar', /Measuring \[[#.]{30}\] \d+ % {2}decode-1, round 1 of 1/);
      const { pid } = terminal.child;
      const [bench = ''] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
      const [server = ''] = readFileSync(`/proc/${bench}/task/${bench}/children`, 'utf8').trim().split(' ');
      expect(Number(server)).toBeGreaterThan(1);
      terminal.type('\x03');
      expect(await terminal.exited()).toBe(130);
      expect(terminal.screen()).toMatch(/\nserve-model: Stopped\.\n$/);
      await withDeadline('the end of its server', untilGone(Number(server)));
    } finally {
      terminal.child.kill('SIGKILL');
    }
  });
});

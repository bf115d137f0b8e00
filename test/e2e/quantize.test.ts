import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { listEntry, readEntries, type Tensor, writeGguf } from '../../scripts/bench/gguf.ts';
import { RandomBits } from '../../src/bench/random-bits.ts';
import { failureText } from '../../src/cli/failure.ts';
import { quantize } from '../../src/cli/quantize.ts';
import { parseConfig } from '../../src/config.ts';
import { readGguf } from '../../src/models/gguf.ts';
import { quantizationType } from '../../src/models/quantization-types.ts';
import { readQuantizeInput } from '../../src/models/quantize-input.ts';
import { planQuantizations } from '../../src/models/quantize-plan.ts';
import { recordTerminal } from '../cli/terminal-recorder.ts';
import { quantizeChild } from '../support/compiled-entries.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { untilGone } from '../support/process-alive.ts';
import { noPseudoTerminal, runInTerminal } from '../support/pseudo-terminal.ts';
import { runCommand, type ServeProcess, withDeadline } from '../support/serve-process.ts';

let folder = '';
/** The demo model without losses, and one whose second tensor takes a thread many seconds. */
let whole = '';
let slow = '';
const started: ServeProcess[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-quantize-'));
  [whole, slow] = [join(folder, 'whole.gguf'), join(folder, 'slow.gguf')];
  expect(await run(demoModelPath, whole, 'F16', '--allow-requantize')).toMatchObject({ out: `${whole}\n` });
  const bits = new RandomBits(1);
  const random = (name: string, rows: number): Tensor => ({
    name,
    shape: [256, rows],
    type: 'F32',
    data: () => {
      const values = Float32Array.from({ length: 256 * rows }, () => bits.next() / 2 ** 32 - 0.5);
      return new Uint8Array(values.buffer);
    },
  });
  const entries = [...readEntries(readFileSync(demoModelPath)).values()];
  writeGguf(slow, entries, [random('blk.0.ffn_down.weight', 4), random('blk.1.ffn_down.weight', 20_000)]);
});
afterEach(() => {
  for (const { child } of started.splice(0)) child.kill('SIGKILL');
});
afterAll(() => rm(folder, { recursive: true }));

function start(...words: readonly string[]): ServeProcess {
  const command = runCommand(['quantize', ...words]);
  started.push(command);
  return command;
}

/** The same in this process, which starts the one that computes. */
async function run(...words: readonly string[]) {
  const { terminal, out, error } = recordTerminal();
  const parsed = parseConfig(['quantize', ...words], {});
  if (parsed.command !== 'quantize') throw new Error('another command');
  const failure = await quantize(parsed, terminal).then(
    () => undefined,
    (thrown: unknown) => failureText(thrown, undefined),
  );
  return { failure, out: out(), error: error() };
}

describe('serve-model quantize', () => {
  it('writes what a server answers with', async () => {
    const output = join(folder, 'small.gguf');
    const command = start(whole, output, 'q8_0');
    expect([await command.exited(), command.out()]).toEqual([0, `${output}\n`]);
    const error = command.error();
    expect(error).toMatch(/Quantizing to Q8_0 \d+ % {2}\d+ of 56 tensors\n/);
    expect(error).toMatch(/is Q8_0: 3\.3 MB instead of 6\.2 MB, 8\.52 bits a weight; here it fits: \d+ slots? of/);
    const server = await startDemoServer(['--ctx-size', '1024'], output);
    try {
      const answer = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ messages: [{ role: 'user', content: 'Who are you?' }], temperature: 0 }),
      });
      const schema = z.object({ choices: z.array(z.object({ message: z.object({ content: z.string() }) })) });
      expect(schema.parse(await answer.json()).choices[0]?.message.content).toContain('demo model');
    } finally {
      await server.close();
    }
  });

  it('shows for each type what would become of the model: the size to the last kilobyte', async () => {
    const { out } = await run(whole);
    const rows = out.split('\n');
    expect(rows[0]).toBe(`${whole}, 3.0M parameters, F16, 6.2 MB`);
    expect(rows).toContainEqual(expect.stringMatching(/^Q8_0 +3\.3 MB +8\.52 {2}fits: \d+ slots? of \d+ tokens/));
    expect(rows).toContainEqual(expect.stringMatching(/^IQ2_XXS .*needs --imatrix$/));
    expect(rows).toContainEqual(expect.stringMatching(/^Not for the shapes of this model: Q1_0\.$/));
    const input = await readQuantizeInput(whole);
    const signal = new AbortController().signal;
    const options = { entry: quantizeChild, signal, threads: 1, importance: undefined };
    const [plan] = await planQuantizations(input, [quantizationType('Q4_K_M')], options);
    const output = join(folder, 'medium.gguf');
    await run(whole, output, 'Q4_K_M');
    expect(Math.abs((await stat(output)).size - (plan?.fileBytes ?? 0))).toBeLessThan(1024);
  });

  it('weighs inputs by an importance matrix', async () => {
    const { tensors } = await readGguf(whole);
    const numbers = (name: string, values: Float32Array): Tensor => ({
      ...{ name, shape: [values.length], type: 'F32', data: () => new Uint8Array(values.buffer) },
    });
    const matrix = join(folder, 'imatrix.gguf');
    writeGguf(
      matrix,
      [listEntry('imatrix.datasets', 'string', ['none'])],
      tensors.flatMap(({ name, shape: [inputs = 0] }) => [
        numbers(
          `${name}.in_sum2`,
          Float32Array.from({ length: inputs }, (_, index) => 1 + index),
        ),
        numbers(`${name}.counts`, Float32Array.of(1)),
      ]),
    );
    const [plain, weighed] = [join(folder, 'plain.gguf'), join(folder, 'weighed.gguf')];
    await run(whole, plain, 'Q4_1');
    await run(whole, weighed, 'Q4_1', '--imatrix', matrix);
    const [one, other] = await Promise.all([readFile(plain), readFile(weighed)]);
    expect(one.length).toBe(other.length);
    expect(one.equals(other)).toBe(false);
  });

  it.each<[string, () => readonly string[], RegExp]>([
    [
      'a model that is quantized already',
      () => [demoModelPath, 'x', 'Q4_0'],
      /quantized already \(Q8_0\).*--allow-req/,
    ],
    ['a type that needs a matrix', () => [whole, 'x', 'IQ2_XXS'], /cannot be written without knowing.*--imatrix/],
    ['a type that does not suit the model', () => [whole, 'x', 'Q1_0'], /could not be quantized: no tensor type fallb/],
    ['a missing type', () => [whole, 'x'], /The type is missing\. Write serve-model quantize IN OUT TYPE/],
    ['an unknown one', () => [whole, 'x', 'Q9'], /There is no type Q9\. Known: F32/],
  ])('refuses %s in one sentence', async (_, words, sentence) => {
    const [input = '', output = '', ...rest] = words();
    const { failure, out, error } = await run(input, join(folder, output), ...rest);
    expect(failure).toMatch(sentence);
    expect([out, error]).toEqual(['', '']);
  });

  it('says what the library says of a damaged file, and leaves nothing', async () => {
    const bytes = await readFile(whole);
    bytes.write('lxama', bytes.indexOf('general.architecture') + 'general.architecture'.length + 12);
    const damaged = join(folder, 'damaged.gguf');
    await writeFile(damaged, bytes);
    const { failure } = await run(damaged, join(folder, 'x'), 'Q8_0');
    expect(failure).toMatch(/could not be quantized: unknown model arch/);
    await expectNothing();
  });
});

/** Nothing of the output, nor of what becomes it. */
async function expectNothing(output = 'x'): Promise<void> {
  expect((await readdir(folder)).filter((name) => name === output || name.startsWith('.'))).toEqual([]);
}

async function untilBegun({ child, error }: ServeProcess): Promise<void> {
  const begun = async () => {
    while (!error().includes('Quantizing')) await new Promise((done) => child.stderr.once('data', done));
  };
  await withDeadline('the first tensor', begun());
}

/** The process that computes. Linux only. */
function childOf({ child }: ServeProcess): number {
  return Number(readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim());
}

describe.skipIf(process.platform !== 'linux')('serve-model quantize that is ended', () => {
  const begin = async (): Promise<ServeProcess> => {
    const command = start(slow, join(folder, 'x'), 'IQ3_S', '--threads', '1');
    await untilBegun(command);
    expect((await readdir(folder)).filter((name) => name.startsWith('.x'))).toHaveLength(1);
    return command;
  };

  it('by SIGTERM leaves no file, and ends with 143', async () => {
    const command = await begin();
    const worker = childOf(command);
    command.child.kill('SIGTERM');
    expect(await command.exited()).toBe(143);
    await withDeadline('the end of the work', untilGone(worker));
    await expectNothing();
  });

  it('says so when the process that computes is killed, and leaves no file', async () => {
    const command = await begin();
    process.kill(childOf(command), 'SIGKILL');
    expect(await command.exited()).toBe(1);
    expect(command.error()).toMatch(/was ended by SIGKILL\. Nothing was written/);
    await expectNothing();
  });

  it('leaves no file and no process when it is killed itself', async () => {
    const command = await begin();
    const worker = childOf(command);
    command.child.kill('SIGKILL');
    await withDeadline('the end of the work', untilGone(worker));
    await expectNothing();
  });

  it.skipIf(noPseudoTerminal !== undefined)('draws a bar in a terminal, and Ctrl-C takes all away', async () => {
    const words = ['quantize', slow, join(folder, 'x'), 'IQ3_S', '--threads', '1'];
    const terminal = runInTerminal(words, {});
    try {
      await terminal.waitFor('the bar', /Quantizing to IQ3_S \[[#.]{30}\] \d+ % {2}1 of 2 tensors/);
      terminal.type('\x03');
      expect(await terminal.exited()).toBe(130);
      expect(terminal.screen()).toMatch(/\nserve-model: Stopped\.\n$/);
      await expectNothing();
    } finally {
      terminal.child.kill('SIGKILL');
    }
  });
});

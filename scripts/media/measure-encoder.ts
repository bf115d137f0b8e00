/**
 * How long an image takes to be encoded, by turns with llama.cpp's own multimodal library where that is given: the shape of
 * SigLIP so400m (27 blocks of 1152 values, 16 heads, 4304 inside) with random weights, as Gemma 3 has it.
 *
 *   npm run media:measure -- [--side 448] [--rounds 5] [--threads N] [--blocks 27] [--gpu] [--peer LLAMA_CPP]
 *
 * LLAMA_CPP: see make-expected.ts. Rows are compared too: the two are to be equal but for rounding.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { median } from '../../src/bench/report.ts';
import { Projector } from '../../src/media/projector.ts';
import { readProjector } from '../../src/models/projector.ts';
import { findLibrary } from '../../src/native/find-library.ts';
import { openLibrary } from '../../src/native/open-library.ts';
import { ThreadPools } from '../../src/native/thread-pools.ts';
import { Random } from '../../test/support/random.ts';
import { tinyWidth, writeTinyModel } from '../../test/support/tiny-models.ts';
import { imageMarks } from '../../test/support/tiny-projectors.ts';
import { siglip, writeEncoder } from './encoder-file.ts';

const { values } = parseArgs({
  options: {
    side: { type: 'string', default: '448' },
    rounds: { type: 'string', default: '5' },
    blocks: { type: 'string', default: String(siglip.blocks) },
    threads: { type: 'string', default: String(availableParallelism()) },
    gpu: { type: 'boolean', default: false },
    peer: { type: 'string' },
  },
});
const [side, rounds, threads] = [Number(values.side), Number(values.rounds), Number(values.threads)];
const shape = { ...siglip, blocks: Number(values.blocks), side, rowWidth: tinyWidth };
const folder = mkdtempSync(join(tmpdir(), 'measure-encoder-'));

/** Milliseconds: by the clock, and of all cores together. On a busy machine the second tell more, with one thread. */
interface Took {
  readonly wall: number;
  readonly cores: number;
}

interface Contestant {
  readonly name: string;
  encode(): Took | Promise<Took>;
  rows(): Float32Array;
  close(): void;
}

try {
  await measure();
} finally {
  rmSync(folder, { recursive: true });
}

async function measure(): Promise<void> {
  const projector = projectorFile();
  const bytes = noise(side * side * 3);
  const contestants = [await own(projector, bytes, undefined), await own(projector, bytes, true)];
  if (values.peer !== undefined) contestants.push(...peers(resolve(values.peer), projector, bytes));
  const times = new Map(contestants.map((each) => [each, [] as Took[]]));
  for (const each of contestants) await each.encode();
  for (let round = 0; round < rounds; round++) {
    for (const [each, taken] of times) taken.push(await each.encode());
  }
  const [first] = contestants;
  const [ours = []] = times.values();
  for (const [each, taken] of times) {
    const column = (of: keyof Took) => {
      const ratio = median(ours.map((one, round) => one[of] / (taken[round]?.[of] ?? Number.NaN)));
      return `${median(taken.map((took) => took[of]))
        .toFixed(0)
        .padStart(7)} ms (${ratio.toFixed(2)})`;
    };
    const far = first ? distance(first.rows(), each.rows()).toExponential(1) : '';
    console.log(`${each.name.padEnd(30)} ${column('wall')}, of all cores ${column('cores')}, rows differ by ${far}`);
    each.close();
  }
  console.log('In parentheses: the first one’s time as a part of this one’s, the median of all rounds.');
}

/** Written once. */
function projectorFile(): string {
  const { width, blocks, rowWidth } = shape;
  mkdirSync('.cache/bench', { recursive: true });
  const path = resolve(`.cache/bench/encoder-${width}-${blocks}-${side}-${rowWidth}.gguf`);
  if (!existsSync(path)) writeEncoder(path, shape);
  return path;
}

function noise(length: number): Uint8Array {
  const random = new Random(side);
  return Uint8Array.from({ length }, () => random.between(0, 255));
}

async function own(path: string, bytes: Uint8Array, flashAttention: boolean | undefined): Promise<Contestant> {
  const library = openLibrary(findLibrary(values.gpu ? 'cuda' : false));
  const pools = new ThreadPools(library, {});
  const projector = new Projector(library, await readProjector(path), tinyWidth, {
    ...{ gpu: values.gpu, pools, flashAttention, clock: () => performance.now() },
  });
  projector.compute.useThreads(threads);
  let rows: Float32Array = new Float32Array();
  return {
    name: `serve-model${flashAttention ? ', flash attention' : ''}`,
    encode() {
      const startedAt = performance.now();
      const usedBefore = process.cpuUsage();
      const encoding = projector.begin({ width: side, height: side, bytes });
      while (!encoding.done) encoding.advance(Number.POSITIVE_INFINITY);
      rows = encoding.result;
      encoding.free();
      const { user, system } = process.cpuUsage(usedBefore);
      return { wall: performance.now() - startedAt, cores: (user + system) / 1000 };
    },
    rows: () => rows,
    close() {
      projector.free();
      pools.free();
    },
  };
}

/** Without flash attention, and with it. */
function peers(source: string, projector: string, bytes: Uint8Array): Contestant[] {
  const libraries = join(source, 'build/bin');
  const [model, image, program] = [join(folder, 'model.gguf'), join(folder, 'image'), build(source, libraries)];
  writeTinyModel(model, 'gemma3', { model: 'models/serve-model-demo.gguf', marks: imageMarks });
  writeFileSync(image, bytes);
  return ['0', '1'].map((flash) => {
    const rows = join(folder, `rows-${flash}`);
    const child = spawn(program, [libraries, model, projector, String(threads), flash, rows]);
    child.stderr.pipe(process.stderr);
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return {
      name: `llama.cpp${flash === '1' ? ', flash attention' : ''}`,
      async encode() {
        child.stdin.write(`${side} ${side} ${image}\n`);
        const { value } = await lines.next();
        const [wall = Number.NaN, cores = Number.NaN] = String(value).split(' ').map(Number);
        return { wall, cores };
      },
      rows() {
        const { buffer, byteOffset, byteLength } = readFileSync(rows);
        return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
      },
      close: () => child.stdin.end(),
    };
  });
}

function build(llama: string, libraries: string): string {
  const program = join(folder, 'mtmd-time');
  const includes = ['include', 'ggml/include', 'tools/mtmd'].map((part) => `-I${join(llama, part)}`);
  const linked = [`-L${libraries}`, '-lmtmd', '-lllama', '-lggml', '-lggml-base', `-Wl,-rpath,${libraries}`];
  execFileSync('c++', ['-std=c++17', '-O2', ...includes, 'scripts/media/mtmd-time.cpp', ...linked, '-o', program]);
  return program;
}

function distance(one: Float32Array, other: Float32Array): number {
  const norm = (numbers: Float32Array) => Math.sqrt(numbers.reduce((sum, value) => sum + value * value, 0));
  return norm(one.map((value, at) => value - (other[at] ?? Number.NaN))) / norm(other);
}

import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** Inputs as mtmd-rows.cpp wants them, with what it needs to know of them. */
export interface ProgramInputs {
  readonly model: string;
  readonly projector: string;
  readonly flash: boolean;
  readonly lines: readonly string[];
}

export interface ProgramOutputs<Seen> {
  /** One for each input. */
  readonly seen: readonly Seen[];
  /** Of all inputs, one behind another. */
  readonly rows: Float32Array;
  readonly spectrograms: Float32Array;
}

/** mtmd-rows.cpp, built against llama.cpp's libraries. */
export class MtmdProgram {
  readonly #folder: string;
  readonly #libraries: string;
  readonly #path: string;

  constructor(llamaFolder: string, folder: string) {
    const llama = resolve(llamaFolder);
    this.#folder = folder;
    this.#libraries = join(llama, 'build/bin');
    this.#path = join(folder, 'mtmd-rows');
    const includes = ['include', 'ggml/include', 'tools/mtmd', 'vendor'].map((part) => `-I${join(llama, part)}`);
    const linked = ['-lmtmd', '-lllama', '-lggml', '-lggml-base', `-Wl,-rpath,${this.#libraries}`];
    const source = 'scripts/media/mtmd-rows.cpp';
    execFileSync('c++', ['-std=c++17', ...includes, source, `-L${this.#libraries}`, ...linked, '-o', this.#path]);
  }

  run<Seen>({ model, projector, flash, lines }: ProgramInputs): ProgramOutputs<Seen> {
    const [rows, spectrograms] = ['rows', 'spectrograms'].map((name) => join(this.#folder, name));
    if (!rows || !spectrograms) throw new Error('There are two of them.');
    const given = [this.#libraries, model, projector, flash ? '1' : '0', rows, spectrograms];
    const { stdout, stderr, status } = spawnSync(this.#path, given, {
      input: lines.join('\n'),
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
    });
    if (status !== 0) throw new Error(`${projector}: ${stderr}`);
    const seen = stdout
      .trim()
      .split('\n')
      .map((line): Seen => JSON.parse(line));
    return { seen, rows: numbersOf(rows), spectrograms: numbersOf(spectrograms) };
  }
}

function numbersOf(path: string): Float32Array {
  const bytes = readFileSync(path);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
}

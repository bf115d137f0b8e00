/** What the library tells of one tensor when its turn comes (llama-quant.cpp; the same in all releases of the tables). */
export interface TensorLine {
  /** From 1. */
  readonly index: number;
  readonly count: number;
  readonly name: string;
  /** What it is, and after a trial without writing what it would become; as in the table of tensor types. */
  readonly from: string;
  readonly to: string;
}

const tensorLine = /\[ *(\d+)\/ *(\d+)\] (.+?) +- \[[\d, ]+\], type = *(\w+), (?:size = .* MiB(?: \((\w+)\))?)?/;

/** undefined: it tells something else. A tensor that is being written has no second half yet, see `to`. */
export function readTensorLine(line: string): TensorLine | undefined {
  const [, index, count, name, from, to] = tensorLine.exec(line) ?? [];
  if (name === undefined || from === undefined) return undefined;
  const type = (word: string) => word.toUpperCase();
  return { index: Number(index), count: Number(count), name, from: type(from), to: type(to ?? from) };
}

/** In the log of a trial: the type cannot be written without telling how much each input matters. */
export function needsImportance(line: string): boolean {
  return line.includes('will require an imatrix');
}

/** Why the library gave up; undefined where it did not say. */
export function reasonIn(log: string): string | undefined {
  return [...log.matchAll(/failed to quantize: (.+)/g)].at(-1)?.[1]?.trim();
}

/** Text in any pieces -> whole lines. `end` gives what stands behind the last line break. */
export class LineSplitter {
  #rest = '';

  push(text: string): string[] {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }

  end(): string[] {
    return this.#rest === '' ? [] : [this.#rest];
  }
}

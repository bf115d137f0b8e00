import { closeSync, openSync, readSync } from 'node:fs';
import { ServeError } from '../contract/errors.ts';
import type { ProjectorFile } from '../contract/projector.ts';
import type { Compute } from '../native/compute.ts';
import { bytesOfTensor, type Tensor, TensorMemory, Tensors, writeTensor } from '../native/tensors.ts';
import type { Sense } from './projector-file.ts';

/** Bytes that are read at once. */
const piece = 16 * 2 ** 20;

/** The weights of a projector in a device's memory. */
export class Weights {
  readonly file: ProjectorFile;
  readonly compute: Compute;
  readonly #space: Tensors;
  readonly #memory: TensorMemory;
  readonly #tensors = new Map<string, Tensor>();

  /** `senses`: of what else the file has, nothing is loaded. ServeError insufficient_memory, invalid_request. */
  constructor(file: ProjectorFile, compute: Compute, senses: readonly Sense[]) {
    this.file = file;
    this.compute = compute;
    const wanted = file.tensors.filter(({ name }) => senses.includes(/^(mm\.)?a\./.test(name) ? 'a' : 'v'));
    this.#space = new Tensors(compute.library, wanted.length + 1);
    for (const { name, type, shape } of wanted) this.#tensors.set(name, this.#space.create(type, shape));
    try {
      this.#memory = new TensorMemory(this.#space, compute.bufferType);
    } catch (cause) {
      this.#space.free();
      const message = `The projector ${file.path} does not fit into memory. Serve text alone with --no-mmproj.`;
      throw new ServeError('insufficient_memory', message, {}, { cause });
    }
    try {
      this.#read(wanted);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  /** undefined: the file has none of this name. */
  find(name: string): Tensor | undefined {
    return this.#tensors.get(name);
  }

  get(name: string): Tensor {
    const found = this.find(name);
    if (found) return found;
    throw new ServeError('invalid_request', `The projector ${this.file.path} lacks the tensor ${name}.`);
  }

  free(): void {
    this.#memory.free();
    this.#space.free();
  }

  #read(wanted: ProjectorFile['tensors']): void {
    const { library } = this.compute;
    const file = openSync(this.file.path, 'r');
    try {
      for (const { name, offset, bytes } of wanted) {
        const tensor = this.get(name);
        if (bytesOfTensor(library, tensor) !== bytes) throw changed(this.file.path);
        for (let at = 0; at < bytes; at += piece) {
          const buffer = new Uint8Array(Math.min(piece, bytes - at));
          const read = readSync(file, buffer, 0, buffer.length, this.file.dataStart + offset + at);
          if (read < buffer.length) throw changed(this.file.path);
          writeTensor(library, tensor, buffer, at);
        }
      }
    } finally {
      closeSync(file);
    }
  }
}

function changed(path: string): ServeError {
  return new ServeError('invalid_request', `The projector ${path} has changed while it was read. Load it again.`);
}

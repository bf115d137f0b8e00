import { ServeError } from '../contract/errors.ts';
import type { ProjectorFile } from '../contract/projector.ts';

/** The kind of its vision part, as llama.cpp names it; undefined: it has none. */
export function projectorKind({ metadata }: Pick<ProjectorFile, 'metadata'>): string | undefined {
  if (metadata['clip.has_vision_encoder'] !== true) return undefined;
  const kind = metadata['clip.projector_type'] ?? metadata['clip.vision.projector_type'];
  return typeof kind === 'string' ? kind : undefined;
}

/** Reads hyperparameters, each with the sentence for a file that has it not or otherwise. */
export class Hyperparameters {
  readonly file: ProjectorFile;

  constructor(file: ProjectorFile) {
    this.file = file;
  }

  /** A whole number above 0. */
  count(key: string, otherwise?: number): number {
    const value = this.file.metadata[key] ?? otherwise;
    if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value;
    throw this.odd(`${key} is ${JSON.stringify(value)}`);
  }

  number(key: string, otherwise?: number): number {
    const value = this.file.metadata[key] ?? otherwise;
    if (typeof value === 'number') return value;
    throw this.odd(`${key} is ${JSON.stringify(value)}`);
  }

  flag(key: string): boolean {
    return this.file.metadata[key] === true;
  }

  numbers(key: string): readonly number[] {
    const value = this.file.metadata[key];
    if (value === undefined) return [];
    if (Array.isArray(value) && value.every((each) => typeof each === 'number')) return value;
    throw this.odd(`${key} is no list of numbers`);
  }

  colour(key: string): readonly [number, number, number] {
    const [red, green, blue] = this.numbers(key);
    if (red === undefined || green === undefined || blue === undefined) throw this.odd(`${key} is no colour`);
    return [red, green, blue];
  }

  has(tensor: string): boolean {
    return this.file.tensors.some(({ name }) => name === tensor);
  }

  shape(tensor: string): readonly number[] {
    const found = this.file.tensors.find(({ name }) => name === tensor);
    if (!found) throw this.odd(`the tensor ${tensor} is missing`);
    return found.shape;
  }

  odd(what: string): ServeError {
    return new ServeError('invalid_request', `The projector ${this.file.path} cannot be used: ${what}.`);
  }
}

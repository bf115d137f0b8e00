import { ServeError } from '../contract/errors.ts';
import type { ProjectorFile } from '../contract/projector.ts';

/** Sight and hearing, as the names of their tensors begin. */
export type Sense = 'v' | 'a';

const senses = {
  v: { has: 'clip.has_vision_encoder', kind: 'clip.vision.projector_type', encoder: 'vision encoder' },
  a: { has: 'clip.has_audio_encoder', kind: 'clip.audio.projector_type', encoder: 'audio encoder' },
} as const satisfies Record<Sense, object>;

export function hasSense({ metadata }: Pick<ProjectorFile, 'metadata'>, sense: Sense): boolean {
  return metadata[senses[sense].has] === true;
}

/** By the kind of the file's encoder, as llama.cpp names it. ServeError invalid_request. */
export function openSense<Opened>(
  file: ProjectorFile,
  sense: Sense,
  known: Readonly<Record<string, (file: ProjectorFile) => Opened>>,
): Opened {
  const { kind: own, encoder } = senses[sense];
  const kind = file.metadata['clip.projector_type'] ?? file.metadata[own];
  const open = hasSense(file, sense) && typeof kind === 'string' ? known[kind] : undefined;
  if (open) return open(file);
  const what = hasSense(file, sense) ? `is of the kind ${kind}, which is not known here` : `has no ${encoder}`;
  throw new ServeError(
    'invalid_request',
    `The projector ${file.path} ${what}. Known kinds: ${Object.keys(known).join(', ')}. Serve text alone with --no-mmproj.`,
  );
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

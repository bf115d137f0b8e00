import type { JsonValue } from './json.ts';

/** What the header of a projector file (`general.architecture` clip) says; plain data, which goes to other threads. */
export interface ProjectorFile {
  readonly path: string;
  readonly sizeBytes: number;
  /** Where the weights begin, in bytes. */
  readonly dataStart: number;
  readonly metadata: Readonly<Record<string, JsonValue>>;
  readonly tensors: readonly ProjectorTensor[];
}

/** What it has encoders for, as far as they can be used. */
export function sensesOf(projector: Pick<ProjectorFile, 'metadata'> | undefined): Senses {
  const has = (encoder: string) => projector?.metadata[`clip.has_${encoder}_encoder`] === true;
  return { images: has('vision'), audio: has('audio') };
}

interface Senses {
  readonly images: boolean;
  readonly audio: boolean;
}

/** The same file without one of its encoders. */
export function withoutSense<File extends Pick<ProjectorFile, 'metadata'>>(file: File, sense: keyof Senses): File {
  const encoder = sense === 'images' ? 'vision' : 'audio';
  return { ...file, metadata: { ...file.metadata, [`clip.has_${encoder}_encoder`]: false } };
}

interface ProjectorTensor {
  readonly name: string;
  /** ggml_type. */
  readonly type: number;
  readonly shape: readonly number[];
  /** Bytes after the beginning of the weights. */
  readonly offset: number;
  readonly bytes: number;
}

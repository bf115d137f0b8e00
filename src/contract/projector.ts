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

interface ProjectorTensor {
  readonly name: string;
  /** ggml_type. */
  readonly type: number;
  readonly shape: readonly number[];
  /** Bytes after the beginning of the weights. */
  readonly offset: number;
  readonly bytes: number;
}

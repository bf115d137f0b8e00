import { stat } from 'node:fs/promises';
import { ServeError } from '../contract/errors.ts';
import { findModel } from './find-model.ts';
import { type GgufHeader, readGguf } from './gguf.ts';
import { type FileProfile, readModelProfile } from './profile.ts';

/** A model that can be quantized. */
export interface QuantizeInput {
  readonly path: string;
  readonly header: GgufHeader;
  readonly profile: FileProfile;
  /** A type that most of its weights have already, where that is a quantized one. */
  readonly quantized: string | undefined;
}

/** Weights that have lost nothing yet. */
const whole = /^(F32|F16|BF16|F64)$/;
/** Indexes and the like. */
const noWeights = /^I\d+$/;

/** Throws ServeError invalid_request for what is no whole model in one file. */
export async function readQuantizeInput(path: string): Promise<QuantizeInput> {
  const { parts } = await findModel(path);
  if (parts.length > 1) throw inParts(path, parts.length);
  const [profile, header] = await Promise.all([readModelProfile(path, { projector: false }), readGguf(path)]);
  const count = header.metadata.get('split.count');
  if (typeof count === 'number' && count > 1) throw inParts(path, count);
  return { path, header, profile, quantized: mostQuantized(header) };
}

/** Though it may hold one model: what is read here is written beside it, and must be named. */
export async function refuseFolder(path: string): Promise<void> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) throw refusal(path, 'is a folder. Give the .gguf file itself.');
}

function mostQuantized({ tensors }: GgufHeader): string | undefined {
  const values = new Map<string, number>();
  for (const tensor of tensors) {
    if (whole.test(tensor.type) || noWeights.test(tensor.type)) continue;
    values.set(tensor.type, (values.get(tensor.type) ?? 0) + tensor.values);
  }
  return [...values].toSorted(([, one], [, other]) => other - one)[0]?.[0];
}

function inParts(path: string, count: number): ServeError {
  return refusal(path, `is one of ${count} parts. Join them first (llama-gguf-split --merge), and quantize the whole.`);
}

function refusal(path: string, words: string): ServeError {
  return new ServeError('invalid_request', `${path} ${words}`, { param: path });
}

import { link, open, rename, rm, stat, statfs, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { showBytes } from '../contract/amounts.ts';
import { ServeError } from '../contract/errors.ts';
import { undefinedWhenMissing } from '../files/missing.ts';
import { type GgufHeader, readGguf } from './gguf.ts';
import type { QuantizeInput } from './quantize-input.ts';
import { readTensorLine } from './quantize-log.ts';
import type { QuantizePlan } from './quantize-plan.ts';
import { type QuantizeProcess, runQuantizeProcess } from './quantize-process.ts';

export interface QuantizeOptions extends QuantizeProcess {
  readonly threads: number;
  readonly importance: string | undefined;
  /** A file of that name is replaced. */
  readonly force: boolean;
  readonly onProgress: (progress: QuantizeProgress) => void;
}

interface QuantizeProgress {
  /** 0 to 1, of the input's bytes. */
  readonly fraction: number;
  readonly tensors: number;
  readonly allTensors: number;
}

/** Bytes that can still be written to the disk of a folder. */
export type FreeBytes = (folder: string) => Promise<number>;

/** Before anything is computed: whether the file may be written there at all. Throws ServeError with the next step. */
export async function checkOutput(
  output: string,
  { path }: Pick<QuantizeInput, 'path'>,
  force: boolean,
): Promise<void> {
  const [there, input, folder] = await Promise.all(
    [output, path, dirname(output)].map((each) => stat(each).catch(() => undefined)),
  );
  if (!folder?.isDirectory()) throw refusal(output, `cannot be written: there is no folder ${dirname(output)}.`);
  if (!there) return;
  if (there.isDirectory()) throw refusal(output, 'is a folder. Name the file to write.');
  if (!there.isFile()) throw refusal(output, 'is no regular file. Name another one.');
  if (there.dev === input?.dev && there.ino === input.ino) {
    throw refusal(output, 'is the model itself, which is read while the new one is written. Name another file.');
  }
  if (!force) throw refusal(output, 'is there already. Name another file, or give --force to replace it.');
}

/** Throws ServeError storage_full before anything is written. */
export async function checkRoom(
  output: string,
  { fileBytes, type }: Pick<QuantizePlan, 'fileBytes' | 'type'>,
  freeBytes: FreeBytes = freeOnDisk,
): Promise<void> {
  const free = await freeBytes(dirname(output));
  if (free >= fileBytes) return;
  throw new ServeError(
    'storage_full',
    `${output} would take ${showBytes(fileBytes)} as ${type.name}, and ${showBytes(free)} are free on its disk. Make room, or take a smaller type.`,
  );
}

async function freeOnDisk(folder: string): Promise<number> {
  const { blocks, bavail, bsize } = await statfs(folder);
  // Some file systems do not tell.
  return blocks === 0 ? Number.POSITIVE_INFINITY : bavail * bsize;
}

/**
 * Writes the quantized model. It has the name only once it is whole, checked and on the disk; until then it lies beside
 * it under another one, and is gone whatever ends the work: a signal, the library, a process that is killed. Throws
 * ServeError, or the signal's reason.
 */
export async function quantizeModel(
  input: QuantizeInput,
  output: string,
  plan: QuantizePlan,
  options: QuantizeOptions,
): Promise<void> {
  const { signal, threads, importance, force, onProgress } = options;
  const temporary = join(dirname(output), `.${basename(output)}.${process.pid}.part`);
  await makeEmpty(temporary, output);
  try {
    const progress = progressOf(input.header);
    const job = { input: input.path, output: temporary, types: [plan.type.number], threads, importance };
    await runQuantizeProcess({ ...job, requantize: input.quantized !== undefined, mark: 'type' }, options, (line) => {
      const now = progress(line);
      if (now) onProgress(now);
    });
    await checkWritten(temporary, output, plan);
    signal.throwIfAborted();
    await name(temporary, output, force);
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Tells early whether anything may be written there. */
async function makeEmpty(temporary: string, output: string): Promise<void> {
  try {
    await rm(temporary, { force: true });
    await (await open(temporary, 'wx')).close();
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? `: ${String(error.code)}` : '';
    throw refusal(output, `cannot be written${code}. Check the permissions of its folder.`);
  }
}

/** A line of the log -> how far it is, where the line tells. */
function progressOf({ tensors }: GgufHeader): (line: string) => QuantizeProgress | undefined {
  const bytes = new Map(tensors.map((tensor) => [tensor.name, tensor.bytes]));
  const all = tensors.reduce((sum, tensor) => sum + tensor.bytes, 0);
  let done = 0;
  return (line) => {
    const tensor = readTensorLine(line);
    if (!tensor) return undefined;
    done += bytes.get(tensor.name) ?? 0;
    return { fraction: done / Math.max(1, all), tensors: tensor.index, allTensors: tensor.count };
  };
}

/** By our own reader: the library does not notice a disk that became full, and writes the header last. */
async function checkWritten(temporary: string, output: string, { tensors, type }: QuantizePlan): Promise<void> {
  const written = await readGguf(temporary).catch((error: unknown) => {
    throw new ServeError('engine_failure', `${output} was not written whole. Is its disk full?`, {}, { cause: error });
  });
  const found = new Map(written.tensors.map((tensor) => [tensor.name, tensor]));
  const wrong = tensors.find((planned) => found.get(planned.name)?.type !== planned.type);
  if (wrong || found.size !== tensors.length || written.metadata.get('general.file_type') !== type.number) {
    const what = wrong ? `${JSON.stringify(wrong.name)} is no ${wrong.type}` : 'it holds something else';
    throw new ServeError('engine_failure', `${output} was not written as planned: ${what}. It was not kept.`);
  }
  const file = await open(temporary, 'r+');
  try {
    await file.datasync();
  } finally {
    await file.close();
  }
}

/** Without `force` in one step with the question whether there is such a file: somebody may have made one meanwhile. */
async function name(temporary: string, output: string, force: boolean): Promise<void> {
  if (force) return rename(temporary, output);
  try {
    await link(temporary, output);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EEXIST') throw refusal(output, 'was made by somebody else meanwhile. It was left alone.');
    // Some file systems have no second names.
    if (await stat(output).catch(undefinedWhenMissing)) throw refusal(output, 'is there already. It was left alone.');
    return rename(temporary, output);
  }
  await unlink(temporary);
}

function refusal(path: string, words: string): ServeError {
  return new ServeError('invalid_request', `${path} ${words}`, { param: path });
}

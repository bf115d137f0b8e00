import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import type { GgufTensor } from './gguf.ts';
import { tensorTypes } from './gguf-tables.ts';
import type { QuantizationType } from './quantization-types.ts';
import type { QuantizeInput } from './quantize-input.ts';
import { needsImportance, readTensorLine, reasonIn } from './quantize-log.ts';
import { type QuantizeProcess, runQuantizeProcess } from './quantize-process.ts';

/** What a type would make of a model. */
export interface QuantizePlan {
  readonly type: QuantizationType;
  /** Of the file, in bytes; true to a few hundred. */
  readonly fileBytes: number;
  readonly bitsPerWeight: number;
  /** Of each tensor; in the order of the file. */
  readonly tensors: readonly PlannedTensor[];
  /** It cannot be written without an importance matrix. */
  readonly needsImportance: boolean;
}

interface PlannedTensor {
  readonly name: string;
  readonly type: string;
  readonly bytes: number;
}

export interface PlanOptions extends QuantizeProcess {
  readonly threads: number;
  readonly importance: string | undefined;
  /** Told after each type: how many are done. */
  readonly onPlanned?: (done: number) => void;
}

/** What the library said of one type. */
interface Heard {
  readonly to: Map<string, string>;
  needsImportance: boolean;
  /** Why it cannot be written. */
  refusal?: string;
}

/**
 * What the library itself would choose for each tensor: it goes through the file without writing. The sizes are those of
 * its choices. Types that do not suit the model are left out; throws ServeError where none does.
 */
export async function planQuantizations(
  input: QuantizeInput,
  types: readonly QuantizationType[],
  options: PlanOptions,
): Promise<QuantizePlan[]> {
  const heard = await hearTypes(input, types, options);
  const refusals = [...heard.values()].flatMap(({ refusal }) => refusal ?? []);
  if (refusals.length === types.length) {
    const message = `${input.path} could not be quantized: ${printable(refusals[0] ?? 'no type was named')}.`;
    throw new ServeError('invalid_request', message, { param: input.path });
  }
  return types.flatMap((type) => {
    const said = heard.get(type.number);
    return said && said.refusal === undefined ? [planOf(type, input, said)] : [];
  });
}

async function hearTypes(
  { path }: QuantizeInput,
  types: readonly QuantizationType[],
  options: PlanOptions,
): Promise<ReadonlyMap<number, Heard>> {
  const { threads, importance, onPlanned } = options;
  const heard = new Map<number, Heard>();
  const mark = `type-${process.pid}`;
  let current: Heard = { to: new Map(), needsImportance: false };
  const numbers = types.map(({ number }) => number);
  const job = { input: path, output: undefined, types: numbers, threads, requantize: true, importance, mark };
  await runQuantizeProcess(job, options, (line) => {
    if (line.startsWith(`${mark} `)) {
      onPlanned?.(heard.size);
      current = { to: new Map(), needsImportance: false };
      heard.set(Number(line.slice(mark.length)), current);
      return;
    }
    const tensor = readTensorLine(line);
    const refusal = reasonIn(line);
    if (tensor) current.to.set(tensor.name, tensor.to);
    else if (refusal !== undefined) current.refusal = refusal;
    else if (needsImportance(line)) current.needsImportance = true;
  });
  return heard;
}

function planOf(type: QuantizationType, { path, header }: QuantizeInput, { to, needsImportance }: Heard): QuantizePlan {
  const tensors = header.tensors.map((tensor) => planned(tensor, to.get(tensor.name), path));
  const weights = tensors.reduce((sum, { bytes }) => sum + bytes, 0);
  const padded = tensors.reduce((sum, { bytes }) => sum + Math.ceil(bytes / alignment) * alignment, 0);
  const values = header.tensors.reduce((sum, tensor) => sum + tensor.values, 0);
  return {
    type,
    fileBytes: header.dataStart + padded,
    bitsPerWeight: (weights * 8) / Math.max(1, values),
    tensors,
    needsImportance,
  };
}

/** Of what the library writes. */
const alignment = 32;

const kinds = new Map(Object.values(tensorTypes).map((kind) => [kind.name, kind]));

function planned({ name, values }: GgufTensor, type: string | undefined, path: string): PlannedTensor {
  const kind = type === undefined ? undefined : kinds.get(type);
  if (type !== undefined && kind) return { name, type, bytes: (values / kind.block) * kind.bytes };
  throw new ServeError(
    'engine_failure',
    `The inference library does not say what it would make of ${JSON.stringify(name)} in ${path}.`,
  );
}

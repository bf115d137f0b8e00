import { availableParallelism } from 'node:os';
import { type Config, loadWish, type OperandCommand } from '../config.ts';
import { showBytes, showCount } from '../contract/amounts.ts';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import type { FitHere } from '../models/fit.ts';
import { checkImportance } from '../models/importance-matrix.ts';
import { locateModel } from '../models/locate.ts';
import {
  isForExperts,
  isForTrainedOnes,
  type QuantizationType,
  quantizationType,
  quantizationTypes,
} from '../models/quantization-types.ts';
import { checkOutput, checkRoom, quantizeModel } from '../models/quantize.ts';
import { type QuantizeInput, readQuantizeInput, refuseFolder } from '../models/quantize-input.ts';
import { type PlanOptions, planQuantizations, type QuantizePlan } from '../models/quantize-plan.ts';
import { interruptSignal } from './interrupt.ts';
import { createProgress, type ProgressDisplay } from './progress.ts';
import { tableLines } from './table.ts';
import type { Terminal } from './terminal.ts';

type QuantizeCommand = Extract<OperandCommand, { readonly command: 'quantize' }>;

/** `serve-model quantize IN [OUT TYPE]` */
export async function quantize({ operands, config }: QuantizeCommand, terminal: Terminal): Promise<void> {
  const [name = '', output, word] = operands;
  if (output !== undefined && word === undefined) {
    const message = 'The type is missing. Write serve-model quantize IN OUT TYPE, or IN alone to see the types.';
    throw new ServeError('invalid_request', message);
  }
  const signal = interruptSignal();
  const type = word === undefined ? undefined : quantizationType(word);
  const input = await readQuantizeInput(await localPath(name, config));
  if (config.imatrix !== undefined) await checkImportance(config.imatrix);
  const [{ quantizeChild }, { fitsHere }] = await Promise.all([import('../main.ts'), import('../models/fit-here.ts')]);
  const options = {
    ...{ entry: quantizeChild, signal, importance: config.imatrix },
    threads: config.threads ?? availableParallelism(),
  };
  const work = { input, terminal, fits: fitsHere(loadWish(config)) };
  if (output === undefined || type === undefined) return showTypes(work, options);
  await checkOutput(output, input, config.force);
  return write({ ...work, output, type }, config, options);
}

interface Work {
  readonly input: QuantizeInput;
  readonly terminal: Terminal;
  readonly fits: (file: QuantizeInput['profile']) => FitHere;
}

async function localPath(name: string, config: Config): Promise<string> {
  await refuseFolder(name);
  const location = await locateModel(name, config);
  if (location.type === 'hub') {
    const message = `${name} is not on this machine. serve-model pull ${name} downloads it.`;
    throw new ServeError('model_not_found', message, { param: name });
  }
  return location.path;
}

async function showTypes({ input, terminal, fits }: Work, options: PlanOptions): Promise<void> {
  const { profile } = input;
  const hasExperts = profile.metadata[`${profile.architecture}.expert_count`] !== undefined;
  const types = quantizationTypes.filter((type) => hasExperts || !isForExperts(type));
  const progress = progressOn(terminal);
  const plans = await planQuantizations(input, types, {
    ...options,
    onPlanned: (done) => progress.show('Weighing', done / types.length, `${done} of ${types.length} types`),
  }).finally(() => progress.end());
  terminal.write(`${headLine(input)}\n`);
  const rows = plans
    .toSorted((one, other) => other.fileBytes - one.fileBytes)
    .map((plan) => typeRow(plan, input, fits));
  const without = types.filter((type) => !plans.some((plan) => plan.type === type)).map(({ name }) => name);
  terminal.write(`${tableLines([['type', 'size', 'bits a weight', 'here'], ...rows], [1, 2]).join('\n')}\n`);
  if (without.length > 0) terminal.write(`Not for the shapes of this model: ${without.join(', ')}.\n`);
}

function headLine({ path, profile, quantized }: QuantizeInput): string {
  const parameters = profile.parameters === undefined ? [] : [`${showCount(profile.parameters)} parameters`];
  const loss = quantized === undefined ? [] : ['quantized already: --allow-requantize, at a further loss'];
  return [
    printable(path),
    ...parameters,
    profile.quantization ?? 'unknown type',
    showBytes(profile.sizeBytes),
    ...loss,
  ].join(', ');
}

function typeRow(plan: QuantizePlan, input: QuantizeInput, fits: Work['fits']): string[] {
  const notes = [
    ...(plan.needsImportance ? ['needs --imatrix'] : []),
    ...(isForTrainedOnes(plan.type) ? ['for models trained for it'] : []),
  ];
  return [
    plan.type.name,
    showBytes(plan.fileBytes),
    plan.bitsPerWeight.toFixed(2),
    [fitText(fits(profileOf(plan, input))), ...notes].join('; '),
  ];
}

/** Of the model that would be written. */
function profileOf({ fileBytes, tensors, type }: QuantizePlan, { profile }: QuantizeInput): QuantizeInput['profile'] {
  return { ...profile, sizeBytes: fileBytes, tensors, quantization: type.name };
}

function fitText(fit: FitHere): string {
  if ('tooLarge' in fit) return 'does not fit';
  const { slots, contextSize, placement } = fit;
  const layers = placement && placement.gpuLayers < placement.layers ? ', a part on the GPU' : placement ? ', GPU' : '';
  return `fits: ${slots} ${slots === 1 ? 'slot' : 'slots'} of ${contextSize} tokens${layers}`;
}

async function write(
  { input, terminal, fits, output, type }: Work & { readonly output: string; readonly type: QuantizationType },
  { allowRequantize, force }: Pick<Config, 'allowRequantize' | 'force'>,
  options: PlanOptions,
): Promise<void> {
  if (input.quantized !== undefined && !allowRequantize) {
    const message = `${input.path} is quantized already (${input.quantized}): what is quantized twice loses more. Take an F16 or BF16 file, or give --allow-requantize.`;
    throw new ServeError('invalid_request', message, { param: input.path });
  }
  const [plan] = await planQuantizations(input, [type], options);
  if (!plan) throw new Error('a type without a plan');
  if (plan.needsImportance && options.importance === undefined) {
    const message = `${type.name} cannot be written without knowing which weights matter. Give --imatrix FILE, or take a larger type.`;
    throw new ServeError('invalid_request', message, { param: type.name });
  }
  await checkRoom(output, plan);
  const progress = progressOn(terminal);
  await quantizeModel(input, output, plan, {
    ...options,
    force,
    onProgress: ({ fraction, tensors, allTensors }) =>
      progress.show(`Quantizing to ${type.name}`, fraction, `${tensors} of ${allTensors} tensors`),
  }).finally(() => progress.end());
  const size = `${showBytes(plan.fileBytes)} instead of ${showBytes(input.profile.sizeBytes)}`;
  const bits = `${plan.bitsPerWeight.toFixed(2)} bits a weight`;
  terminal.tell(`${output} is ${type.name}: ${size}, ${bits}; here it ${fitText(fits(profileOf(plan, input)))}.`);
  terminal.write(`${printable(output)}\n`);
}

function progressOn(terminal: Terminal): ProgressDisplay {
  return createProgress({ terminal: terminal.interactive, write: terminal.writeError });
}

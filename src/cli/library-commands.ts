import { type Config, contextWish, loadWish, type OperandCommand } from '../config.ts';
import { showBytes, showCount } from '../contract/amounts.ts';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import { sensesOf } from '../contract/projector.ts';
import type { ChatFormatReport } from '../main.ts';
import { chooseQuantization } from '../models/choose-quantization.ts';
import { mostByDefault, shapeOf } from '../models/default-context.ts';
import type { PlacementReport } from '../models/fit.ts';
import { listHubModels } from '../models/hub.ts';
import { localModels, removeLocalModel } from '../models/library.ts';
import { locateModel } from '../models/locate.ts';
import { machineMemory } from '../models/machine-memory.ts';
import { type MemoryShape, memoryNeed } from '../models/memory.ts';
import { locateProjector, projectorNotHere } from '../models/named-projector.ts';
import { describePlacement, type GpuMemory } from '../models/placement.ts';
import { type FileProfile, readModelProfile } from '../models/profile.ts';
import type { DeviceLoad } from '../models/spread.ts';
import { hubAccess, obtainModel, obtainProjector, type PullOptions, quantizationTable, rateModels } from './pull.ts';
import { tableLines } from './table.ts';
import type { Terminal } from './terminal.ts';

type LibraryCommand = Extract<OperandCommand, { readonly command: 'list' | 'inspect' | 'pull' | 'rm' }>;

/** The commands about model files. Ctrl-C ends a download, which goes on the next time. */
export async function runLibraryCommand(parsed: LibraryCommand, terminal: Terminal): Promise<void> {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort(new ServeError('cancelled', 'Stopped.')));
  const options = { config: parsed.config, terminal, signal: interrupt.signal, memory: () => machineMemory() };
  const [target = ''] = parsed.operands;
  switch (parsed.command) {
    case 'list':
      return listModels(parsed.config, terminal);
    case 'rm':
      return removeModel(target, parsed.config, terminal);
    case 'inspect':
      return inspectModel(target, { ...options, ...(await readers(parsed.config, interrupt.signal)) });
    case 'pull':
      return pullCommand(target, options);
    default:
      return parsed satisfies never;
  }
}

/** `serve-model pull MODEL`, with `--mmproj` its projector too; the path of the model alone is told. */
async function pullCommand(target: string, options: PullOptions): Promise<void> {
  const path = await obtainModel(target, options);
  const { mmproj } = options.config;
  if (typeof mmproj === 'string') await obtainProjector(mmproj, path, options);
  options.terminal.write(`${path}\n`);
}

/** `serve-model list` */
export async function listModels({ modelsDir }: Pick<Config, 'modelsDir'>, terminal: Terminal): Promise<void> {
  const models = await localModels(modelsDir);
  if (models.length === 0) {
    terminal.write(`There are no models in ${modelsDir}. serve-model pull hf:owner/repo downloads one.\n`);
    return;
  }
  const rows = models.map(({ id, profile, problem }) =>
    profile
      ? [id, showBytes(profile.sizeBytes), profile.quantization ?? '', profile.architecture, contextText(profile)]
      : [id, '', '', problem ?? ''],
  );
  terminal.write(`${tableLines(rows, [1]).join('\n')}\n`);
}

/** `serve-model rm NAME` */
export async function removeModel(name: string, { modelsDir }: Pick<Config, 'modelsDir'>, terminal: Terminal) {
  const { id, profile } = await removeLocalModel(name, modelsDir);
  terminal.write(`deleted ${printable(id)}${profile ? `, ${showBytes(profile.sizeBytes)}` : ''}\n`);
}

export interface InspectReaders {
  readonly explain: (file: FileProfile) => Promise<ChatFormatReport>;
  /** Where it would go; undefined without a GPU. */
  readonly place: (file: FileProfile) => PlacementReport | undefined;
  /** With the projector that suits this machine. */
  readonly asLoaded: (file: FileProfile) => FileProfile;
}

/** `serve-model inspect MODEL`: a file or a model of the folder; on the hub, what there is to download. */
export async function inspectModel(target: string, options: PullOptions & InspectReaders): Promise<void> {
  const { config, terminal, signal } = options;
  const location = await locateModel(target, config);
  if (location.type === 'local') {
    const { chatTemplate, chatFormat } = config;
    const projector = await projectorHere(location.path, config);
    const profile = options.asLoaded(await readModelProfile(location.path, { chatTemplate, chatFormat, projector }));
    const contextSize = config.ctxSize || Math.min(profile.trainedContextSize, mostByDefault);
    const shape = { ...shapeOf(contextWish(config)), contextSize };
    const placed = options.place(profile);
    const memory = placed ? placementRows(placed, shape) : memoryRows(profile, shape);
    terminal.write(`${inspectLines(profile, await options.explain(profile), memory).join('\n')}\n`);
    return;
  }
  const choices = await rateModels(await listHubModels(location.name, hubAccess(config, signal)), options);
  terminal.write(`${quantizationTable(choices, chooseQuantization(choices)).join('\n')}\n`);
}

async function projectorHere(model: string, { mmproj, modelsDir }: PullOptions['config']) {
  if (mmproj === undefined || mmproj === false) return mmproj;
  const location = await locateProjector(mmproj, { model, modelsDir });
  if (location.type === 'hub') throw projectorNotHere(location.name);
  return location.path;
}

/** Loaded here alone: the whole house stands behind it. */
async function readers(config: Config, signal: AbortSignal): Promise<InspectReaders> {
  const [{ explainChatFormat }, { asLoadedHere, explainPlacement }] = await Promise.all([
    import('../main.ts'),
    import('../models/fit-here.ts'),
  ]);
  const wish = loadWish(config);
  return {
    explain: (file) => explainChatFormat(file, signal),
    place: (file) => explainPlacement(file, wish),
    asLoaded: (file) => asLoadedHere(file, wish),
  };
}

function inspectLines(profile: FileProfile, format: ChatFormatReport, memory: string[][]): string[] {
  const sampling = Object.entries(profile.recommendedSampling).map(([name, value]) => `${name} ${value}`);
  const rows = [
    ['model', profile.id],
    ['file', profile.path],
    ['size', showBytes(profile.sizeBytes)],
    ['architecture', profile.architecture],
    ['parameters', profile.parameters === undefined ? 'unknown' : showCount(profile.parameters)],
    ['quantization', profile.quantization ?? 'unknown'],
    ['context', `trained for ${contextText(profile)}`],
    ...chatRows(profile, format),
    ...(profile.projector ? sensesRows(profile.projector) : []),
    ...(sampling.length > 0 ? [['sampling', sampling.join(', ')]] : []),
    ...memory,
  ];
  return tableLines(rows);
}

function sensesRows(projector: NonNullable<FileProfile['projector']>): string[][] {
  const { images, audio } = sensesOf(projector);
  return [
    ...(images ? [['sees', projectorText('images', projector, 'vision')]] : []),
    ...(audio ? [['hears', projectorText('sounds', projector, 'audio')]] : []),
  ];
}

function projectorText(
  what: string,
  { path, sizeBytes, metadata }: NonNullable<FileProfile['projector']>,
  encoder: 'vision' | 'audio',
): string {
  const kind = metadata['clip.projector_type'] ?? metadata[`clip.${encoder}.projector_type`];
  return `${what}, by the projector ${printable(path)} (${showBytes(sizeBytes)}, ${printable(String(kind))})`;
}

function memoryRows(profile: FileProfile, shape: MemoryShape): string[][] {
  const need = memoryNeed(profile, shape);
  return [
    ['memory', `about ${showBytes(need.total)} ${shapeText(shape)}:`],
    ['', loadText(need)],
  ];
}

/** For each memory what goes there. */
function placementRows({ gpus, fit }: PlacementReport, { cacheType }: MemoryShape): string[][] {
  if ('tooLarge' in fit) return [['memory', fit.tooLarge]];
  const { placement } = fit;
  if (!placement)
    return [
      [
        'memory',
        `not one layer fits the GPU: all of it is computed by the processor, ${shapeText({ ...fit, cacheType })}`,
      ],
    ];
  const total = [placement.main, ...placement.gpus].reduce((sum, load) => sum + load.total, 0);
  return [
    ['memory', `about ${showBytes(total)} ${shapeText({ ...fit, cacheType })}:`],
    ...placement.gpus.map((load, index) => ['', `${gpuText(gpus[index])}: ${loadText(load)}`]),
    ['', `main memory: ${loadText(placement.main)}`],
    ['placement', describePlacement(placement) ?? 'all of it on the GPU'],
  ];
}

function gpuText(gpu: GpuMemory | undefined): string {
  return gpu ? `${gpu.name} (${gpu.description}, ${showBytes(gpu.freeBytes)} free)` : 'GPU';
}

function shapeText({ slots, contextSize, cacheType }: MemoryShape): string {
  return `with ${slots} slots of ${contextSize} tokens (${cacheType})`;
}

function loadText({ weights, context, compute }: Omit<DeviceLoad, 'total'>): string {
  return `${showBytes(weights)} weights, ${showBytes(context)} context, ${showBytes(compute)} computing`;
}

function chatRows(profile: FileProfile, { name, why, thinks, callsTools }: ChatFormatReport): string[][] {
  if (!profile.generates) return [['gives', 'embeddings or ranks: it cannot generate']];
  const gifts = [...(thinks ? ['thoughts'] : []), ...(callsTools ? ['tool calls'] : [])];
  return [
    ['chat template', templateText(profile)],
    ['chat format', `${name}: ${why}`],
    ...(gifts.length > 0 ? [['reads', gifts.join(', ')]] : []),
  ];
}

function contextText({ trainedContextSize }: FileProfile): string {
  return trainedContextSize === 0 ? 'unknown' : `${trainedContextSize} tokens`;
}

function templateText({ chatTemplate, toolTemplate }: FileProfile): string {
  if (chatTemplate === undefined) return 'none: give one with --chat-template-file for chat';
  return toolTemplate === undefined ? 'yes' : 'yes, and one for tools';
}

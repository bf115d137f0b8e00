import { type Config, type ContextFlags, contextWish } from '../config.ts';
import { showBytes } from '../contract/amounts.ts';
import { ServeError } from '../contract/errors.ts';
import {
  chooseQuantization,
  type MachineMemory,
  type QuantizationChoice,
  rateQuantizations,
} from '../models/choose-quantization.ts';
import { shapeOf } from '../models/default-context.ts';
import { type DownloadProgress, downloadModel } from '../models/download.ts';
import { askedModel, type HubAccess, type HubModel, listHubModels } from '../models/hub.ts';
import { type HubName, showHubName } from '../models/hub-name.ts';
import { locateModel } from '../models/locate.ts';
import { findHubProjector, locateProjector } from '../models/named-projector.ts';
import { weighHubModels } from '../models/weigh-hub-models.ts';
import { createProgress } from './progress.ts';
import { tableLines } from './table.ts';
import type { Terminal } from './terminal.ts';

export interface PullOptions {
  readonly config: ContextFlags &
    Pick<
      Config,
      'modelsDir' | 'namedModels' | 'hfEndpoint' | 'hfToken' | 'yes' | 'chatTemplate' | 'chatFormat' | 'mmproj'
    >;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
  readonly memory: () => Promise<MachineMemory>;
  /** Told of every download too. */
  readonly report?: (progress: DownloadProgress) => void;
}

/** The path of a model, downloaded first when it lies on the hub. Says on stderr what it does. */
export async function obtainModel(target: string | undefined, options: PullOptions): Promise<string> {
  const location = await locateModel(target, options.config);
  if (location.type === 'local') return location.path;
  return pullModel(location.name, options, options.config.mmproj === undefined);
}

/** The path of the projector that `--mmproj` names for a model, downloaded like it. */
export async function obtainProjector(target: string, model: string, options: PullOptions): Promise<string> {
  const location = await locateProjector(target, { model, modelsDir: options.config.modelsDir });
  return location.type === 'local' ? location.path : pullProjector(location.name, model, options);
}

export async function pullProjector(name: HubName, model: string, options: PullOptions): Promise<string> {
  const projector = await findHubProjector(name, { model }, hubAccess(options.config, options.signal));
  const label = projector.files[0]?.path ?? showHubName(name);
  options.terminal.tell(`downloading the projector ${showHubName(name)}, ${label}, ${showBytes(projector.bytes)}`);
  return bring(projector, options, false);
}

/** `withProjector`: together with what lets it see. */
export async function pullModel(name: HubName, options: PullOptions, withProjector: boolean): Promise<string> {
  const { config, terminal, signal } = options;
  const access = hubAccess(config, signal);
  const models = await listHubModels(name, access);
  const model = askedModel(name, models) ?? (await pickModel(name, models, options));
  const label = model.quantization ?? showHubName(name);
  const seeing = model.projector && withProjector ? `, and its projector, ${showBytes(model.projector.bytes)}` : '';
  terminal.tell(`downloading ${showHubName(name)}, ${label}, ${showBytes(model.bytes)}${seeing}`);
  return bring(model, options, withProjector);
}

async function bring(model: HubModel, options: PullOptions, withProjector: boolean): Promise<string> {
  const { config, terminal, signal, report } = options;
  const progress = createProgress({ terminal: terminal.interactive, write: terminal.writeError });
  try {
    return await downloadModel(model, {
      ...hubAccess(config, signal),
      modelsDir: config.modelsDir,
      withProjector,
      onProgress: (now) => {
        report?.(now);
        const { bytes, totalBytes, etaSeconds } = now;
        const rest = etaSeconds === undefined ? '' : `, ${etaSeconds} s left`;
        progress.show('Downloading', bytes / totalBytes, `${showBytes(bytes)} of ${showBytes(totalBytes)}${rest}`);
      },
    });
  } finally {
    progress.end();
  }
}

/** Shows what there is and what fits; asks on a terminal, takes the best one elsewhere and with --yes. */
async function pickModel(name: HubName, models: readonly HubModel[], options: PullOptions): Promise<HubModel> {
  const { terminal, config } = options;
  const choices = await rateModels(models, options);
  const best = chooseQuantization(choices);
  terminal.writeError(`${quantizationTable(choices, best).join('\n')}\n`);
  if (terminal.ask && terminal.interactive && !config.yes) {
    const offered = best ? ` [${best.quantization ?? 1}]` : '';
    const answer = (await terminal.ask(`Which one?${offered} `, options.signal)).trim();
    if (answer !== '') return answeredModel(answer, models, name);
  }
  if (best) return best;
  const least = Math.min(...choices.map((choice) => choice.neededBytes));
  throw new ServeError(
    'insufficient_memory',
    `No file of ${showHubName(name)} fits this machine: the smallest needs about ${showBytes(least)}. Take a smaller model, or name a file to try it all the same.`,
  );
}

/** What each would take with the wanted context and slots, and whether this machine has it. */
export async function rateModels(models: readonly HubModel[], options: PullOptions): Promise<QuantizationChoice[]> {
  const { config, terminal, signal, memory } = options;
  const neededFor = await weighHubModels(models, {
    access: hubAccess(config, signal),
    shape: shapeOf(contextWish(config)),
    tell: terminal.tell,
  });
  return rateQuantizations(models, await memory(), neededFor);
}

export function hubAccess({ hfEndpoint, hfToken }: PullOptions['config'], signal: AbortSignal): HubAccess {
  return { endpoint: hfEndpoint, token: hfToken, signal };
}

function answeredModel(answer: string, models: readonly HubModel[], name: HubName): HubModel {
  const byNumber = /^\d+$/.test(answer) ? models[Number(answer) - 1] : undefined;
  const byName = () => askedModel({ ...name, quantization: answer, file: undefined }, models);
  const model = byNumber ?? byName();
  if (model) return model;
  throw new ServeError('model_not_found', `There is no ${answer} in the table.`);
}

const places = { gpu: 'fits the GPU', ram: 'fits', no: 'does not fit' } as const;

export function quantizationTable(choices: readonly QuantizationChoice[], best: HubModel | undefined): string[] {
  const rows = choices.map(({ model, fits, neededBytes }, index) => [
    String(index + 1),
    model.quantization ?? model.files[0]?.path ?? '',
    showBytes(model.bytes),
    `takes ${showBytes(neededBytes)}`,
    model === best ? `${places[fits]}, best choice` : places[fits],
  ]);
  return tableLines(rows, [0, 2, 3]);
}

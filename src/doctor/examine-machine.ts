import { ServeError } from '../contract/errors.ts';
import { bundledModelPath } from '../models/find-model.ts';
import { locateModel, type ModelPlaces } from '../models/locate.ts';
import { mainMemory } from '../models/machine-memory.ts';
import { readModelProfile } from '../models/profile.ts';
import type { EstimatedModel } from './estimate.ts';
import { type ExamineOptions, examine, type Report } from './examine.ts';
import { knownModels } from './known-models.ts';
import { type MachineOptions, machineProbes } from './machine-probes.ts';

export interface ExamineWish extends MachineOptions, Pick<ExamineOptions, 'folders' | 'tell'> {
  /** Undefined: those that are known. */
  readonly model: string | undefined;
  readonly places: ModelPlaces;
}

/** `serve-model doctor`. Throws ServeError where the model that was named cannot be read; what is wrong is in the report. */
export async function examineMachine(wish: ExamineWish): Promise<Report> {
  const { model, places, folders, tell } = wish;
  return examine(machineProbes(wish), {
    models: model === undefined ? knownModels() : [await localModel(model, places)],
    small: await modelAt(bundledModelPath),
    bytes: bytesToRead(wish.seconds, mainMemory().available),
    folders,
    tell,
  });
}

/** More than caches hold, where there is time and memory. */
function bytesToRead(seconds: number, available: number): number {
  return Math.min(seconds >= 5 ? 512e6 : 128e6, Math.floor(available / 8));
}

async function localModel(target: string, places: ModelPlaces): Promise<EstimatedModel> {
  const location = await locateModel(target, places);
  if (location.type === 'local') return modelAt(location.path);
  throw new ServeError(
    'model_not_found',
    `${target} lies on the hub: serve-model pull downloads it, and serve-model inspect tells what it would take.`,
    { param: target },
  );
}

async function modelAt(path: string): Promise<EstimatedModel> {
  const { tensors = [], ...profile } = await readModelProfile(path, { projector: false });
  return { ...profile, tensors };
}

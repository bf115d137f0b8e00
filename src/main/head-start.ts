import { join } from 'node:path';
import { adapterWishes, type Config, loadWish } from '../config.ts';
import { beginWeights, type EarlyWeights } from '../engine/thread/early-weights.ts';
import { tellPrepared } from '../engine/thread/engine-thread.ts';
import { createWordFile } from '../files/json-file.ts';
import { checkAdapter } from '../models/adapter-file.ts';
import { hasPassed } from '../models/crash-test.ts';
import { bundledModelPath } from '../models/find-model.ts';
import { type EarlyFit, fitNow } from '../models/fit-here.ts';
import { libraryFor } from '../models/gpus.ts';
import { mainMemory } from '../models/machine-memory.ts';
import type { FileProfile } from '../models/profile.ts';
import { readFirstModel } from '../models/read-wish.ts';
import { locateStartModels, type StartModels } from '../models/start-models.ts';
import { engineWorker } from './entries.ts';
import { weightsWish } from './load-settings.ts';

/** What begins before the rest of the program is read, which takes as long as many a model's load. */
interface HeadStart {
  /** Of the first model; undefined where it is to be downloaded. */
  readonly file: FileProfile | undefined;
  /** Its weights, where a plain load is certain to come. To be discarded when the server ends without it. */
  readonly early: EarlyLoad | undefined;
}

/** The first model's weights, which began to load when the program started. */
export interface EarlyLoad extends EarlyFit {
  readonly weights: EarlyWeights;
}

/** What is known and begun before the house stands. */
export interface Groundwork {
  readonly models: StartModels;
  readonly head: HeadStart;
}

/** Rejects with a ServeError when a name is none of a model, or the first file none, or an adapter. */
export async function layGround(config: Config): Promise<Groundwork> {
  const models = await locateStartModels(config);
  return { models, head: await headStart(config, models) };
}

async function headStart(config: Config, { first, projector }: StartModels): Promise<HeadStart> {
  await Promise.all(adapterWishes(config).map(({ path }) => checkAdapter(path)));
  if (first.type === 'hub') return { file: undefined, early: undefined };
  // With --verbose what it says is to be heard.
  if (!config.engineProcess && config.logLevel !== 'debug')
    tellPrepared({ type: 'library', files: libraryFor(config) });
  const file = await readFirstModel(first.path, config, projector?.type === 'local' ? projector.path : undefined);
  // Where its projector is to be downloaded, what it takes is not known yet.
  const plain = projector?.type !== 'hub' && (await goesPlainly(config, file));
  return { file, early: plain ? beginLoad(file, config) : undefined };
}

/** What does not fit is left to the load to say. */
function beginLoad(file: FileProfile, config: Config): EarlyLoad | undefined {
  try {
    const wish = loadWish(config);
    const fit = fitNow(file, wish, { freeRam: mainMemory().available });
    // Its draft model needs room on the GPU too.
    if (fit.placement && config.draftModel !== undefined) return undefined;
    const weights = beginWeights(
      { ...weightsWish(file.path, config, wish, fit), adapters: adapterWishes(config).map(({ path }) => ({ path })) },
      { entry: engineWorker, waitAtExit: config.waitAtExit },
    );
    return { weights, wish: wish.placement, fit, isFor: (path) => weights.isFor(path) };
  } catch {
    return undefined;
  }
}

/** Into this process, first of all, as the flags say, and nothing in the file can end it. */
async function goesPlainly(config: Config, file: FileProfile): Promise<boolean> {
  if (config.engineProcess || !file.generates) return false;
  if (config.embeddingModel !== undefined || Object.keys(config.namedModels).length > 0) return false;
  const adapters = adapterWishes(config).map(({ path }) => path);
  if (file.path === bundledModelPath && adapters.length === 0) return true;
  return hasPassed(file.path, createWordFile(join(config.cacheFolder, 'sound-models.json')), adapters);
}

import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { type HubName, showHubName } from '../models/hub-name.ts';
import { locateModel, type ModelLocation } from '../models/locate.ts';
import { locateProjector } from '../models/named-projector.ts';

/** The models that the command line names: where they are, before any is read or downloaded. */
export interface StartModels {
  readonly first: ModelLocation;
  readonly others: readonly ModelLocation[];
  readonly draft: ModelLocation | undefined;
  /** What lets the first one see, where it is named. */
  readonly projector: ModelLocation | undefined;
  readonly embedding: ModelLocation | undefined;
}

/** Rejects with a sentence for a person when a name is none of a model. */
export async function locateStartModels(config: Config): Promise<StartModels> {
  const [first, ...others] = config.model;
  const located = await locateModel(first, config);
  const beside = async (target: string | undefined) =>
    target === undefined ? undefined : await locateModel(target, config);
  return {
    first: located,
    others: await Promise.all(others.map((target) => locateModel(target, config))),
    draft: await beside(config.draftModel),
    projector: await projectorFor(located, config),
    embedding: await beside(config.embeddingModel),
  };
}

async function projectorFor(first: ModelLocation, { mmproj, modelsDir }: Config): Promise<ModelLocation | undefined> {
  if (mmproj === undefined || mmproj === false) return undefined;
  const model = first.type === 'local' ? first.path : (first.name.file ?? first.name.repo);
  return locateProjector(mmproj, { model, modelsDir });
}

/** What the first model is called as long as it is only expected. */
export function expectedName({ first }: StartModels, file: { readonly id: string } | undefined): string {
  return file?.id ?? (first.type === 'hub' ? showHubName(first.name) : '');
}

export function notHere(name: HubName): ServeError {
  return new ServeError(
    'model_not_found',
    `${showHubName(name)} is not on this machine. Download it with serve-model pull ${showHubName(name)}.`,
  );
}

import { ServeError } from '../contract/errors.ts';
import { type HubName, showHubName } from './hub-name.ts';
import { locateModel, type ModelLocation, type ModelPlaces } from './locate.ts';
import { locateProjector } from './named-projector.ts';

/** The models that a command line names. */
export interface StartNames extends ModelPlaces {
  /** None: that of the package. */
  readonly model: readonly string[];
  readonly draftModel: string | undefined;
  readonly embeddingModel: string | undefined;
  /** What lets the first one see; false: no model sees. */
  readonly mmproj: string | false | undefined;
}

/** The same: where they are, before any is read or downloaded. */
export interface StartModels {
  readonly first: ModelLocation;
  readonly others: readonly ModelLocation[];
  readonly draft: ModelLocation | undefined;
  /** What lets the first one see, where it is named. */
  readonly projector: ModelLocation | undefined;
  readonly embedding: ModelLocation | undefined;
}

/** Rejects with a sentence for a person when a name is none of a model. */
export async function locateStartModels(names: StartNames): Promise<StartModels> {
  const [first, ...others] = names.model;
  const located = await locateModel(first, names);
  const beside = async (target: string | undefined) =>
    target === undefined ? undefined : await locateModel(target, names);
  return {
    first: located,
    others: await Promise.all(others.map((target) => locateModel(target, names))),
    draft: await beside(names.draftModel),
    projector: await projectorFor(located, names),
    embedding: await beside(names.embeddingModel),
  };
}

async function projectorFor(
  first: ModelLocation,
  { mmproj, modelsDir }: StartNames,
): Promise<ModelLocation | undefined> {
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

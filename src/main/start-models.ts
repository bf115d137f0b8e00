import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { type HubName, showHubName } from '../models/hub-name.ts';
import { locateModel, type ModelLocation } from '../models/locate.ts';

/** The models that the command line names: where they are, before any is read or downloaded. */
export interface StartModels {
  readonly first: ModelLocation;
  readonly others: readonly ModelLocation[];
  readonly draft: ModelLocation | undefined;
  readonly embedding: ModelLocation | undefined;
}

/** Rejects with a sentence for a person when a name is none of a model. */
export async function locateStartModels(config: Config): Promise<StartModels> {
  const [first, ...others] = config.model;
  const beside = async (target: string | undefined) =>
    target === undefined ? undefined : await locateModel(target, config);
  return {
    first: await locateModel(first, config),
    others: await Promise.all(others.map((target) => locateModel(target, config))),
    draft: await beside(config.draftModel),
    embedding: await beside(config.embeddingModel),
  };
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

import { type FileProfile, type ProfileOptions, readModelProfile } from './profile.ts';

/** How the files of this server's models are to be read. */
export interface ReadWish {
  /** Names of the first model, the first one its id; none: as its file is called. */
  readonly alias: readonly string[];
  readonly chatTemplate: string | undefined;
  readonly chatFormat: string | undefined;
  /** Every model gives embeddings and ranks only. */
  readonly embeddings: boolean;
  /** false: no model sees. A projector that is named is the first model's. */
  readonly mmproj: string | false | undefined;
}

/** `projector`: its path, where one is named; else what lies beside the model is found, if any model is to see. */
export function readFirstModel(path: string, wish: ReadWish, projector: string | undefined): Promise<FileProfile> {
  const { alias, mmproj } = wish;
  return readModelProfile(path, {
    ...optionsOf(wish),
    projector: mmproj === false ? false : projector,
    ...(alias.length > 0 && { aliases: alias }),
  });
}

/** Another one, perhaps with a name that the user gave. */
export function readOtherModel(path: string, wish: ReadWish, name?: string): Promise<FileProfile> {
  return readModelProfile(path, {
    ...optionsOf(wish),
    ...(wish.mmproj === false && { projector: false }),
    ...(name !== undefined && { aliases: [name] }),
  });
}

function optionsOf({ chatTemplate, chatFormat, embeddings }: ReadWish): ProfileOptions {
  return { chatTemplate, chatFormat, forVectors: embeddings };
}

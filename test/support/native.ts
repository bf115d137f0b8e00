import { templateCompiler } from '../../src/engine/jinja.ts';
import { findLibrary } from '../../src/native/find-library.ts';
import { Model } from '../../src/native/model.ts';
import { openLibrary } from '../../src/native/open-library.ts';

const libraryFiles = findLibrary(false);

/** llama.cpp's own Jinja engine. Before the library is opened, see there. */
export const compileTemplate = templateCompiler(libraryFiles);

/** llama.cpp in the thread of the tests. */
export const library = openLibrary(libraryFiles);

/** A model without its weights, for its vocabulary. To be freed. */
export function loadVocabulary(path: string): Model {
  return Model.load(library, path, { gpuLayers: 0, vocabularyOnly: true });
}

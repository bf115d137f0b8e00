import type { GivenModels } from './given-models.ts';
import type { HubName } from './hub-name.ts';
import type { LoadedModel } from './loaded-model.ts';
import type { ModelLocation } from './locate.ts';
import type { ModelFiles } from './model-files.ts';
import { projectorNotHere } from './named-projector.ts';
import type { FileProfile } from './profile.ts';
import { type ReadWish, readFirstModel } from './read-wish.ts';
import { notHere, type StartModels } from './start-models.ts';
import type { StartObserver, Wanted } from './start-observer.ts';

/** Downloads what is not on this machine and loads what was given; gives the first model. */
export type Start<Runtime> = (observer: StartObserver, signal: AbortSignal) => Promise<LoadedModel<Runtime>>;

export interface PrepareOptions<Runtime> {
  readonly models: StartModels;
  /** The first one, where it was read already. */
  readonly firstFile: FileProfile | undefined;
  readonly read: ReadWish;
  readonly given: GivenModels<Runtime>;
  readonly files: ModelFiles;
}

/**
 * Reads every given model that is on this machine, so that what can be known is said before the server listens. What
 * remains to be done is given back: what the first model needs is downloaded before it is loaded, the others afterwards.
 */
export async function prepareStart<Runtime>(options: PrepareOptions<Runtime>): Promise<Start<Runtime>> {
  const { models, firstFile, given, files } = options;
  const { first, others, draft, embedding, projector } = models;
  const besides = others.flatMap((other) => (other.type === 'local' ? [other.path] : []));
  const here = await given.read({ others: besides, draft: localPath(draft), embedding: localPath(embedding) });
  const complete = ![first, draft, embedding, projector].some((location) => location?.type === 'hub');
  if (complete && firstFile) await given.makeKnown(firstFile, here);
  return async (observer, signal) => {
    const obtain = (name: HubName, what: Wanted = 'seeing model') =>
      files.following(name, (report) => {
        if (!observer.obtain) throw typeof what === 'object' ? projectorNotHere(name) : notHere(name);
        report({ bytes: 0, totalBytes: 0, etaSeconds: undefined });
        return observer.obtain(name, { what, signal, report });
      });
    const pathOf = async (location: ModelLocation) => (location.type === 'hub' ? obtain(location.name) : location.path);
    const besidePath = async (location: ModelLocation | undefined) => location && (await pathOf(location));
    const readFirst = async () => {
      if (firstFile && projector?.type !== 'hub') return firstFile;
      const path = first.type === 'local' ? first.path : await obtain(first.name, projector ? 'model' : 'seeing model');
      const own = projector?.type === 'hub' ? await obtain(projector.name, { projectorFor: path }) : projector?.path;
      return readFirstModel(path, options.read, own);
    };
    if (!complete) {
      const paths = { others: besides, draft: await besidePath(draft), embedding: await besidePath(embedding) };
      await given.makeKnown(await readFirst(), await given.read(paths));
    }
    const loaded = await given.load(observer, signal);
    for (const other of others) if (other.type === 'hub') await given.addLater(await obtain(other.name), signal);
    return loaded;
  };
}

function localPath(location: ModelLocation | undefined): string | undefined {
  return location?.type === 'local' ? location.path : undefined;
}

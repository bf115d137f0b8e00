import type { Config } from '../config.ts';
import type { ServedModel } from '../generation/served-model.ts';
import type { HubName } from '../models/hub-name.ts';
import type { LoadedModel } from '../models/loaded-model.ts';
import type { ModelLocation } from '../models/locate.ts';
import { projectorNotHere } from '../models/named-projector.ts';
import { type Groundwork, readFirstModel } from './head-start.ts';
import type { createManagedModels } from './managed-models.ts';
import { notHere } from './start-models.ts';
import type { StartObserver, Wanted } from './start-observer.ts';

/** Downloads what is not on this machine and loads what was given; gives the first model. */
export type Start = (observer: StartObserver, signal: AbortSignal) => Promise<LoadedModel<ServedModel>>;

/**
 * Reads every given model that is on this machine, so that what can be known is said before the server listens. What
 * remains to be done is given back: what the first model needs is downloaded before it is loaded, the others afterwards.
 */
export async function prepareStart(
  config: Config,
  { models: { first, others, draft, embedding, projector }, head }: Groundwork,
  managed: ReturnType<typeof createManagedModels>,
): Promise<Start> {
  const besides = others.flatMap((other) => (other.type === 'local' ? [other.path] : []));
  const here = await managed.readFiles({ others: besides, draft: localPath(draft), embedding: localPath(embedding) });
  const complete = ![first, draft, embedding, projector].some((location) => location?.type === 'hub');
  if (complete && head.file) await managed.prepare(head.file, here);
  return async (observer, signal) => {
    const obtain = (name: HubName, what: Wanted = 'seeing model') =>
      managed.files.following(name, (report) => {
        if (!observer.obtain) throw typeof what === 'object' ? projectorNotHere(name) : notHere(name);
        report({ bytes: 0, totalBytes: 0, etaSeconds: undefined });
        return observer.obtain(name, { what, signal, report });
      });
    const pathOf = async (location: ModelLocation) => (location.type === 'hub' ? obtain(location.name) : location.path);
    const besidePath = async (location: ModelLocation | undefined) => location && (await pathOf(location));
    const firstFile = async () => {
      if (head.file && projector?.type !== 'hub') return head.file;
      const path = first.type === 'local' ? first.path : await obtain(first.name, projector ? 'model' : 'seeing model');
      const own = projector?.type === 'hub' ? await obtain(projector.name, { projectorFor: path }) : projector?.path;
      return readFirstModel(path, config, own);
    };
    if (!complete) {
      const paths = { others: besides, draft: await besidePath(draft), embedding: await besidePath(embedding) };
      await managed.prepare(await firstFile(), await managed.readFiles(paths));
    }
    const loaded = await managed.start(observer, signal);
    for (const other of others) if (other.type === 'hub') await managed.add(await obtain(other.name), signal);
    return loaded;
  };
}

function localPath(location: ModelLocation | undefined): string | undefined {
  return location?.type === 'local' ? location.path : undefined;
}

import { basename, join } from 'node:path';
import { ServeError } from '../contract/errors.ts';
import { readKind } from './file-kind.ts';
import { modelsIn } from './find-model.ts';
import { type HubAccess, type HubModel, isProjectorFile, listHubFiles } from './hub.ts';
import { type HubName, parseHubName, quantizationOf, showHubName } from './hub-name.ts';
import { exists, type ModelLocation } from './locate.ts';
import { bestProjector } from './projector-name.ts';

/** Whom a projector is for: its path, or its name on the hub. Of several, the one named like it is taken. */
interface Wearer {
  readonly model: string;
}

/** What `--mmproj` names: a file, one that was downloaded before, or one on the hub. A path where nothing is stays one. */
export async function locateProjector(
  target: string,
  { model, modelsDir }: Wearer & { readonly modelsDir: string },
): Promise<ModelLocation> {
  const name = (await exists(target)) ? undefined : parseHubName(target);
  if (!name) return { type: 'local', path: target };
  const folder = join(modelsDir, name.owner, name.repo);
  const here: { readonly path: string }[] = [];
  for (const path of await modelsIn(folder).catch((): string[] => [])) {
    if (isMeant(name, basename(path)) && (await readKind(path)) === 'projector') here.push({ path });
  }
  const best = bestProjector(model, here);
  return best ? { type: 'local', path: best.path } : { type: 'hub', name };
}

/** The one of a repository that a name means, of several the best for the model. Throws as `listHubModels`, and model_not_found. */
export async function findHubProjector(name: HubName, { model }: Wearer, access: HubAccess): Promise<HubModel> {
  const files = await listHubFiles(name, access);
  const projectors = files.filter(({ path }) => isProjectorFile(path));
  const meant =
    name.file === undefined
      ? projectors.filter(({ path }) => isMeant(name, basename(path)))
      : files.filter(({ path }) => path === name.file);
  const best = bestProjector(model, meant);
  if (best) return { name, quantization: quantizationOf(basename(best.path)), bytes: best.bytes, files: [best] };
  const offer = projectors.map(({ path }) => path).join(', ');
  throw new ServeError(
    'model_not_found',
    `${showHubName(name)} is no projector (mmproj). ${name.owner}/${name.repo} has ${offer === '' ? 'none' : offer}.`,
  );
}

export function projectorNotHere(name: HubName): ServeError {
  const shown = showHubName(name);
  return new ServeError(
    'model_not_found',
    `The projector ${shown} is not on this machine. Download it with serve-model pull MODEL --mmproj ${shown}.`,
  );
}

function isMeant({ file, quantization }: HubName, fileName: string): boolean {
  if (file !== undefined) return basename(file) === fileName;
  return quantization === undefined || quantizationOf(fileName) === quantization.toUpperCase();
}

import { basename, dirname } from 'node:path';
import type { ProjectorFile } from '../contract/projector.ts';
import { readKind } from './file-kind.ts';
import { modelsIn } from './find-model.ts';
import { type GgufHeader, readGguf } from './gguf.ts';
import { projectorOf } from './projector.ts';
import { likenessOfNames, precisionRank, stemOf } from './projector-name.ts';

/** Width of a model's input rows, as its header tells it. */
type Model = Pick<GgufHeader, 'metadata'>;

/**
 * The projector that lies beside a model: of the same width, and either of the same name or in a folder of one model.
 * Of several the one whose name has most in common with the model's, then the best precision. undefined: none.
 */
export async function findProjector(path: string, model: Model): Promise<ProjectorFile | undefined> {
  const folder = dirname(path);
  const files = await modelsIn(folder).catch((): string[] => []);
  const named = files.filter((file) => file !== path && /mmproj|projector|clip/i.test(basename(file)));
  const others = files.filter((file) => file !== path && !named.includes(file));
  if (named.length === 0) return undefined;
  const alone = await isAlone(path, others);
  const found: { readonly file: ProjectorFile; readonly common: number }[] = [];
  for (const candidate of named) {
    if ((await readKind(candidate)) !== 'projector') continue;
    const header = await readGguf(candidate).catch(() => undefined);
    if (!header || widthOf(header) !== embeddingLength(model)) continue;
    const common = (likenessOfNames(path, candidate) ?? 0) + (isSameModel(model, header) ? sameModel : 0);
    if (alone || common > 0) found.push({ file: projectorOf(candidate, header), common });
  }
  found.sort((left, right) => right.common - left.common || rankOf(left) - rankOf(right));
  return found[0]?.file;
}

function rankOf({ file }: { readonly file: ProjectorFile }): number {
  return precisionRank(file.path);
}

/** Outweighs any likeness of names. */
const sameModel = 1000;

function widthOf({ metadata }: GgufHeader): unknown {
  return metadata.get('clip.vision.projection_dim');
}

function embeddingLength({ metadata }: Model): unknown {
  return metadata.get(`${metadata.get('general.architecture')}.embedding_length`);
}

/** As converters write it into both files of one model. */
function isSameModel(model: Model, projector: Model): boolean {
  return ['general.basename', 'general.name'].some((key) => {
    const name = model.metadata.get(key);
    return typeof name === 'string' && name !== '' && projector.metadata.get(key) === name;
  });
}

/** Other files of the folder are no models, or other quantizations of this one. */
async function isAlone(path: string, others: readonly string[]): Promise<boolean> {
  for (const other of others) {
    if (stemOf(other) === stemOf(path)) continue;
    if ((await readKind(other)) === 'model') return false;
  }
  return true;
}

import { dirname } from 'node:path';
import type { ProjectorFile } from '../contract/projector.ts';
import { kindsIn } from './find-model.ts';
import { type GgufHeader, readGguf } from './gguf.ts';
import { projectorOf } from './projector.ts';
import { byPrecision, likenessOfNames, stemOf } from './projector-name.ts';

/** Width of a model's input rows, as its header tells it. */
type Model = Pick<GgufHeader, 'metadata'>;

/**
 * The projectors that lie beside a model: of the same width, and either of the same name or in a folder of one model. Of
 * several those whose name has most in common with the model's, the best precision first.
 */
export async function findProjectors(path: string, model: Model, lookInto = kindsIn): Promise<ProjectorFile[]> {
  const { projectors, isAlone } = await besides(path, lookInto);
  const found: { readonly file: ProjectorFile; readonly common: number }[] = [];
  for (const candidate of projectors) {
    const header = await readGguf(candidate).catch(() => undefined);
    if (!header || widthOf(header) !== embeddingLength(model)) continue;
    const common = (likenessOfNames(path, candidate) ?? 0) + (isSameModel(model, header) ? sameModel : 0);
    if (isAlone || common > 0) found.push({ file: projectorOf(candidate, header), common });
  }
  const most = Math.max(...found.map(({ common }) => common));
  return found.flatMap(({ file, common }) => (common === most ? [file] : [])).sort(byPrecision);
}

/** Outweighs any likeness of names. */
const sameModel = 1000;

function widthOf({ metadata }: GgufHeader): unknown {
  return metadata.get('clip.vision.projection_dim') ?? metadata.get('clip.audio.projection_dim');
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

interface Besides {
  readonly projectors: readonly string[];
  /** Other files of the folder are no models, or other quantizations of this one. */
  readonly isAlone: boolean;
}

/** What lies beside a model, by what the files say of themselves. */
async function besides(path: string, lookInto: typeof kindsIn): Promise<Besides> {
  const files = await lookInto(dirname(path)).catch(() => []);
  const projectors: string[] = [];
  let isAlone = true;
  for (const { path: other, kind } of files) {
    if (other === path) continue;
    if (kind === 'projector') projectors.push(other);
    else if (kind === 'model' && stemOf(other) !== stemOf(path)) isAlone = false;
  }
  return { projectors, isAlone };
}

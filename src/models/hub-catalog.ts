import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { HubAsker, HubCatalog, HubQuantization } from '../contract/hub.ts';
import { chooseQuantization, type MachineMemory, rateQuantizations } from './choose-quantization.ts';
import { type HubAccess, type HubModel, listHubModels } from './hub.ts';
import { type HubName, showHubName } from './hub-name.ts';
import type { MemoryShape } from './memory.ts';
import { searchHub } from './search-hub.ts';
import { weighHubModels } from './weigh-hub-models.ts';

export interface HubCatalogOptions {
  readonly hub: { readonly endpoint: string; readonly token: string | undefined };
  readonly modelsDir: string;
  readonly machineMemory: () => Promise<MachineMemory>;
  /** What a load that asks for nothing of its own would be given. */
  readonly shape: () => MemoryShape;
  /** For the log. */
  readonly tell: (sentence: string) => void;
}

export function createHubCatalog(options: HubCatalogOptions): HubCatalog {
  const accessOf = ({ signal, withToken }: HubAsker): HubAccess => {
    const { endpoint, token } = options.hub;
    return { endpoint, token: withToken ? token : undefined, signal };
  };
  return {
    search: (words, limit, asker) => searchHub(words, limit, accessOf(asker)),
    async models(owner, repo, asker) {
      const access = accessOf(asker);
      const name: HubName = { owner, repo, quantization: undefined, file: undefined };
      const models = await listHubModels(name, access);
      const neededFor = await weighHubModels(models, { access, shape: options.shape(), tell: options.tell });
      const memory = await options.machineMemory();
      const rated = rateQuantizations(models, memory, neededFor);
      const best = chooseQuantization(rated);
      const quantizations = await Promise.all(
        rated.map(async ({ model, neededBytes, fits }): Promise<HubQuantization> => {
          return {
            quantization: model.quantization,
            target: targetOf(model, models),
            files: model.files.length,
            sizeBytes: model.bytes,
            requiredBytes: neededBytes,
            fits,
            isBest: model === best,
            isLocal: await isLocal(model, options.modelsDir),
          };
        }),
      );
      return { quantizations, memory };
    },
  };
}

/** By its quantization where that is one file's alone, else by the file. */
function targetOf(model: HubModel, models: readonly HubModel[]): string {
  const { name, quantization, files } = model;
  const isOnly = models.filter((other) => other.quantization === quantization).length === 1;
  return showHubName(
    quantization !== undefined && isOnly ? { ...name, quantization } : { ...name, file: files[0]?.path },
  );
}

async function isLocal({ files, name }: HubModel, modelsDir: string): Promise<boolean> {
  const sizes = await Promise.all(
    files.map(
      async ({ path }) => (await stat(join(modelsDir, name.owner, name.repo, path)).catch(() => undefined))?.size,
    ),
  );
  return sizes.every((size, index) => size === files[index]?.bytes);
}

import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { ModelSettings } from '../../contract/model-settings.ts';
import type { ApiClient } from '../api/client.ts';
import { ApiFailure } from '../api/failure.ts';
import type { Preferences } from './preferences.ts';
import type { Server } from './server.ts';

/** What /api/inference/load takes of a model. */
interface LoadTarget {
  readonly path: string;
  readonly quantization?: string;
}

/** Number types of the context's memory that a load may ask for: smaller ones hold more, less exactly. */
export const cacheTypes = ['f16', 'q8_0', 'q4_0'] as const satisfies readonly ModelSettings['cacheType'][];
export type CacheType = (typeof cacheTypes)[number];

/** With what models are loaded from this page; undefined is the server's own choice. */
interface LoadSettings {
  /** In tokens. */
  readonly contextSize?: number | undefined;
  readonly slots?: number | undefined;
  readonly cacheType?: CacheType | undefined;
}

/** Models that come and go because somebody here said so. */
export interface ModelLoads {
  /** The model that is being loaded for this page. */
  readonly now: ReadonlySignal<LoadTarget | undefined>;
  /** Models that go when their answers are out. */
  readonly leaving: ReadonlySignal<ReadonlySet<string>>;
  readonly settings: Signal<LoadSettings>;
  /** Why the last thing that was asked for did not happen. */
  readonly failure: ReadonlySignal<string | undefined>;
  /** Loads it and talks to it then. */
  load(target: LoadTarget): Promise<void>;
  /** Gives up what is being loaded, for this page or for somebody else. The loaded models stay. */
  cancel(): Promise<void>;
  unload(id: string): Promise<void>;
  /** Deletes its file from the models folder. */
  remove(id: string): Promise<void>;
}

export interface ModelLoadsOptions {
  readonly api: ApiClient;
  readonly server: Pick<Server, 'look' | 'loading'>;
  readonly preferences: Pick<Preferences, 'model'>;
}

export function createModelLoads({ api, server, preferences }: ModelLoadsOptions): ModelLoads {
  const now = signal<LoadTarget | undefined>(undefined);
  const leaving = signal<ReadonlySet<string>>(new Set());
  const failure = signal<string | undefined>(undefined);
  const settings = signal<LoadSettings>({});
  let loading: AbortController | undefined;

  const attempt = async (work: () => Promise<void>) => {
    failure.value = undefined;
    try {
      await work();
    } catch (thrown) {
      if (!(thrown instanceof ApiFailure)) throw thrown;
      failure.value = thrown.message;
    }
    await server.look();
  };

  return {
    now,
    leaving,
    settings,
    failure,
    async load(target) {
      if (now.value) return;
      const abort = new AbortController();
      loading = abort;
      now.value = target;
      await attempt(async () => {
        try {
          const { path: model_path, quantization: gguf_variant } = target;
          const { contextSize, slots, cacheType } = settings.value;
          const body = {
            model_path,
            ...(gguf_variant !== undefined && { gguf_variant }),
            ...(contextSize !== undefined && { max_seq_length: contextSize }),
            ...(slots !== undefined && { parallel: slots }),
            ...(cacheType !== undefined && { cache_type_kv: cacheType }),
          };
          const { model } = await api.call<{ model: string }>('api/inference/load', { body, signal: abort.signal });
          preferences.model.value = model;
        } catch (thrown) {
          // A load that nobody waits for any more is given up by the server.
          if (!abort.signal.aborted) throw thrown;
        } finally {
          now.value = undefined;
        }
      });
    },
    async cancel() {
      if (now.value) {
        loading?.abort('cancelled');
        return;
      }
      const [name] = server.loading.value;
      if (name === undefined) return;
      await attempt(async () => {
        await api.call('api/inference/unload', { body: { model_path: name } });
      });
    },
    async unload(id) {
      leaving.value = new Set(leaving.value).add(id);
      await attempt(async () => {
        try {
          await api.call('api/inference/unload', { body: { model_path: id } });
        } finally {
          leaving.value = new Set([...leaving.value].filter((other) => other !== id));
        }
      });
    },
    remove: (id) =>
      attempt(async () => {
        await api.call(`api/inference/models/${encodeURIComponent(id)}`, { method: 'DELETE' });
      }),
  };
}

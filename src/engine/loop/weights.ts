import { ServeError } from '../../contract/errors.ts';
import { Adapter } from '../../native/adapter.ts';
import { gpusOf } from '../../native/devices.ts';
import { Interrupt } from '../../native/interrupt.ts';
import type { NativeLibrary } from '../../native/library.ts';
import { Model, type ModelParameters } from '../../native/model.ts';
import { isLastHolder } from '../../native/shared-model.ts';
import type { Pooling } from '../embedder.ts';
import type { AdapterFile, LoadedWeights, WeightsOptions } from '../remote/protocol.ts';

export interface Weights {
  readonly model: Model;
  readonly interrupt: Interrupt;
  readonly adapters: readonly LoadedAdapter[];
  readonly told: LoadedWeights;
  /** This thread needs them no more. */
  letGo(): void;
}

export interface LoadedAdapter {
  readonly adapter: Adapter;
  readonly file: AdapterFile;
}

interface Progress {
  readonly progress: (fraction: number) => void;
  /** Whether nobody waits for them any more. */
  readonly isUnwanted: () => boolean;
}

/** llama.cpp's pooling types, as a file's header has them. */
const poolings: Readonly<Record<string, Pooling>> = { '1': 'mean', '2': 'cls' };
const rankingPooling = '4';
/** The server's hold and this thread's. */
const holdersAtFirst = 2;

/** ServeError invalid_request: no model, or of a kind that the library does not know. */
export function loadWeights(
  library: NativeLibrary,
  options: WeightsOptions,
  { progress, isUnwanted }: Progress,
): Weights {
  const model = loadModel(() =>
    Model.load(library, options.path, options.parameters, (fraction) => {
      progress(fraction);
      return !isUnwanted();
    }),
  );
  function loadModel(load: () => Model): Model {
    try {
      return load();
    } catch (error) {
      throw refused(options.path, error);
    }
  }
  const interrupt = Interrupt.create(library);
  const adapters = options.adapters.map((file) => ({ adapter: loadAdapter(model, file), file }));
  const holders = new SharedArrayBuffer(4);
  new Int32Array(holders)[0] = holdersAtFirst;
  const architecture = model.metadata('general.architecture') ?? '';
  const pooling = model.metadata(`${architecture}.pooling_type`);
  return {
    model,
    interrupt,
    adapters,
    told: {
      architecture,
      facts: model.facts(),
      pooling: poolings[pooling ?? ''] ?? 'last',
      ranks: pooling === rankingPooling,
      gpus: gpuNames(library, options.parameters),
      shared: { model: model.pointer, interrupt: interrupt.pointer, holders },
    },
    letGo() {
      for (const { adapter } of adapters) adapter.free();
      if (isLastHolder(holders)) {
        model.free();
        interrupt.free();
      } else {
        model.letGo();
        interrupt.letGo();
      }
    },
  };
}

function gpuNames(library: NativeLibrary, { gpuLayers, devices }: ModelParameters): string[] {
  const gpus = gpuLayers === 0 ? [] : gpusOf(library);
  return gpus.filter(({ name }) => devices?.includes(name) ?? true).map(({ description }) => description);
}

function loadAdapter(model: Model, { path }: AdapterFile): Adapter {
  try {
    return new Adapter(model, path);
  } catch (error) {
    throw new ServeError(
      'invalid_request',
      `The adapter ${path} could not be loaded: ${firstLine(error)}. Check that it was made for this model.`,
      {},
      { cause: error },
    );
  }
}

function refused(path: string, error: unknown): ServeError {
  return new ServeError(
    'invalid_request',
    `${path} could not be loaded: ${firstLine(error)}. Check that the file is complete and of a kind that llama.cpp knows.`,
    {},
    { cause: error },
  );
}

function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').replace(/\.$/, '');
}

import { describe, expect, it } from 'vitest';
import { type FlagName, loadWish, parseConfig } from '../../src/config.ts';
import { createServingContext } from '../../src/engine/loop/create-context.ts';
import { contextOptions } from '../../src/engine/thread/load.ts';
import { engineSettings } from '../../src/main/load-settings.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { fitNow } from '../../src/models/fit-here.ts';
import { readModelProfile } from '../../src/models/profile.ts';
import { findLibrary } from '../../src/native/find-library.ts';
import { Interrupt } from '../../src/native/interrupt.ts';
import type { NativeLibrary } from '../../src/native/library.ts';
import { Model } from '../../src/native/model.ts';
import { openLibrary } from '../../src/native/open-library.ts';
import { ThreadPools } from '../../src/native/thread-pools.ts';
import { flagEffects } from '../support/flag-effects.ts';

const real = openLibrary(findLibrary(false));
const told: unknown[] = [];
/** The calls that load a model and make a context, with numbers and texts; pointers are what they point at, or nothing. */
const watched = ['llama_model_load_from_file', 'llama_init_from_model', 'llama_set_n_threads'];
const library: NativeLibrary = {
  ...real,
  functions: new Proxy(real.functions, {
    get(functions, name, receiver) {
      const value: unknown = Reflect.get(functions, name, receiver);
      if (typeof value !== 'function' || !watched.includes(String(name))) return value;
      return (...given: readonly unknown[]) => {
        told.push([name, given]);
        return Reflect.apply(value, undefined, given);
      };
    },
  }),
  address(view) {
    told.push(['points at', view instanceof BigUint64Array ? view.length : view]);
    return real.address(view);
  },
  write(struct, value) {
    told.push([struct, value]);
    return real.write(struct, value);
  },
};

/** The same as a start does, with measuring left out: threads and attention are given. */
const usual = ['--ctx-size', '256', '--parallel', '1', '--threads', '1', '--no-flash-attn'];

const file = await readModelProfile(bundledModelPath);

async function toldWith(argv: readonly string[]): Promise<string> {
  const parsed = parseConfig([...usual, ...argv], {});
  if (parsed.command !== 'serve') throw new Error(parsed.command);
  const { config } = parsed;
  const wish = loadWish(config);
  const fit = fitNow(file, wish, { freeRam: 8e9 });
  const company = { draft: undefined, adapters: [], isFirst: true, freeRam: () => 8e9 };
  const settings = engineSettings(file.path, config, { file, settings: {}, ...company, wish, fit });
  const given = { ...settings, ...settings.fitting };
  told.length = 0;
  const model = Model.load(library, settings.path, settings.parameters);
  const options = contextOptions(given, given.contextSize, undefined);
  const pools = new ThreadPools(library, options.pool);
  const interrupt = Interrupt.create(library);
  const clock = () => performance.now();
  const { context, tuning, speculation } = createServingContext(model, interrupt, pools, options, {
    clock,
    onCalibrate: () => undefined,
  });
  context.useThreads(pools, tuning.threads.single, tuning.threads.prefill);
  const all = JSON.stringify({ told, guesses: speculation !== undefined, tuning }, (_, value) =>
    typeof value === 'bigint' ? undefined : ArrayBuffer.isView(value) ? Buffer.from(value.buffer).toString() : value,
  );
  for (const each of [context, model]) each.free();
  pools.free();
  interrupt.free();
  return all;
}

const rows = Object.entries(flagEffects).flatMap(([name, effect]) =>
  'seen' in effect && effect.seen === 'library' ? [[name as FlagName, effect.argv] as const] : [],
);

describe('what the library is told', () => {
  let before = '';

  it('is the same twice', async () => {
    before = await toldWith([]);
    expect(await toldWith([])).toBe(before);
    expect(await toldWith(['--strict-model'])).toBe(before);
  });

  it.each(rows)('is otherwise with %s', async (_, argv) => {
    expect(await toldWith(argv)).not.toBe(before);
  });
});

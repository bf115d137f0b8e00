import { effect, type Signal, signal } from '@preact/signals';

export type Theme = 'auto' | 'light' | 'dark';

/** What somebody chose for this browser. */
export interface Preferences {
  readonly theme: Signal<Theme>;
  /** Of `languages`; '' follows the browser. */
  readonly language: Signal<string>;
  readonly sidebarOpen: Signal<boolean>;
  readonly drawerOpen: Signal<boolean>;
  /** Undefined: as the model does by itself. */
  readonly thinking: Signal<boolean | undefined>;
  readonly model: Signal<string | undefined>;
  /** Answers are asked for with the probability of their tokens, and show it. */
  readonly lens: Signal<boolean>;
}

/** As browsers have them; may be missing where a browser refuses. */
export type KeyValueStorage = Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>;

const prefix = 'serve-model:';

export function createPreferences(storage: KeyValueStorage, wide: boolean): Preferences {
  return {
    theme: kept(storage, 'theme', 'auto' as Theme, (text) => (text === 'light' || text === 'dark' ? text : 'auto')),
    language: kept(storage, 'language', '', (text) => text),
    sidebarOpen: kept(storage, 'sidebar', wide, (text) => wide && text !== 'false'),
    drawerOpen: kept(storage, 'drawer', false, (text) => wide && text === 'true'),
    thinking: kept<boolean | undefined>(storage, 'thinking', undefined, (text) =>
      text === 'true' || text === 'false' ? text === 'true' : undefined,
    ),
    model: kept<string | undefined>(storage, 'model', undefined, (text) => text),
    lens: kept(storage, 'lens', false, (text) => text === 'true'),
  };
}

function kept<Value extends string | boolean | undefined>(
  storage: KeyValueStorage,
  name: string,
  initial: Value,
  read: (text: string) => Value,
): Signal<Value> {
  const before = attempt(() => storage.getItem(prefix + name));
  const value = signal(before === null || before === undefined ? initial : read(before));
  let first = true;
  effect(() => {
    const now = value.value;
    if (first) first = false;
    else if (now === undefined) attempt(() => storage.removeItem(prefix + name));
    else attempt(() => storage.setItem(prefix + name, String(now)));
  });
  return value;
}

/** A browser may refuse its storage: then nothing is kept. */
export function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

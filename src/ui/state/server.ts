import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { ApiClient } from '../api/client.ts';
import { ApiFailure, member } from '../api/failure.ts';
import type { Environment } from './environment.ts';
import { attempt } from './preferences.ts';
import {
  choicesOf,
  factsOf,
  type LoadedModel,
  type LoadStep,
  loadedModels,
  loadingNames,
  loadStep,
  type ModelChoice,
  type ModelFacts,
} from './server-facts.ts';

/**
 * `asking`: not heard of yet. `gone`: it does not answer. `locked`: it wants a key. `loading`, `ready`, and `empty`: it
 * answers and has no model.
 */
type ServerPhase = 'asking' | 'gone' | 'locked' | 'loading' | 'empty' | 'ready';

export interface Server {
  readonly phase: ReadonlySignal<ServerPhase>;
  readonly version: ReadonlySignal<string | undefined>;
  readonly load: ReadonlySignal<LoadStep | undefined>;
  readonly models: ReadonlySignal<readonly ModelChoice[]>;
  readonly facts: ReadonlySignal<ModelFacts | undefined>;
  readonly loaded: ReadonlySignal<readonly LoadedModel[]>;
  /** Names of models that are on their way. */
  readonly loading: ReadonlySignal<readonly string[]>;
  /** When the next try will be, by the clock; while it is gone. */
  readonly nextTry: ReadonlySignal<number | undefined>;
  /** The key was refused. */
  readonly keyRefused: ReadonlySignal<boolean>;
  readonly key: ReadonlySignal<string | undefined>;
  /** Whether its chats may be kept on the server, may models be changed: /api/ui/config. */
  readonly rights: ReadonlySignal<Rights>;
  readonly keeping: ReadonlySignal<Keeping>;
  /** Settles when it is known what the caller may do; not while a key is missing. */
  known(): Promise<Rights>;
  /** Settles while no key is missing, or with the signal. */
  unlocked(signal: AbortSignal): Promise<void>;
  useKey(key: string, remember: boolean): Promise<void>;
  forgetKey(): void;
  /** Told by the server what happens to its models; see GET /api/inference/events. */
  told(event: unknown): void;
  /** Told by the client of every answer; 0 for none. */
  heard(status: number): void;
  /** Looks now. */
  look(): Promise<void>;
  /** Settles when a model is there; rejects with the signal. */
  ready(signal: AbortSignal): Promise<void>;
  start(): void;
}

/** Where the server keeps chats; or, in a sentence, why it keeps none for this caller. */
type Keeping = { readonly folder: string | undefined } | { readonly reason: string } | undefined;

interface Rights {
  readonly changeModels: boolean;
  /** Chats are kept on the server. */
  readonly chatStore: boolean;
  /** Runs outlive the page that asked for them. */
  readonly runs: boolean;
  /** The server has tools, and runs them for this caller. */
  readonly tools: boolean;
}

const keyName = 'serve-model:key';
/** Found again within three seconds, whenever it comes back. */
const goneMs = 2000;
const loadingMs = 400;
const settledMs = 10_000;

export function storedKey({ local, session }: Pick<Environment, 'local' | 'session'>): string | undefined {
  return attempt(() => session.getItem(keyName) ?? local.getItem(keyName)) ?? undefined;
}

export interface ServerOptions {
  readonly api: ApiClient;
  readonly environment: Environment;
  readonly key: Signal<string | undefined>;
  /** The model that somebody wants to talk to; another one answers where that is not loaded. */
  readonly chosen: ReadonlySignal<string | undefined>;
}

export function createServer({ api, environment, key, chosen }: ServerOptions): Server {
  const phase = signal<ServerPhase>('asking');
  const version = signal<string | undefined>(undefined);
  const load = signal<LoadStep | undefined>(undefined);
  const models = signal<readonly ModelChoice[]>([]);
  const status = signal<unknown>(undefined);
  const nextTry = signal<number | undefined>(undefined);
  const keyRefused = signal(false);
  const rights = signal<Rights>({ changeModels: false, chatStore: false, runs: false, tools: false });
  let tellKnown: (rights: Rights) => void = () => undefined;
  const known = new Promise<Rights>((resolve) => {
    tellKnown = resolve;
  });
  const waiting = new Set<() => void>();
  let cancelNext: () => void = () => undefined;
  let looking: Promise<void> | undefined;
  let lookBehind: Promise<void> | undefined;
  const keeping = signal<Keeping>(undefined);

  const enter = (next: ServerPhase) => {
    phase.value = next;
    if (next === 'ready') for (const wake of [...waiting]) wake();
  };

  async function lookOnce(): Promise<void> {
    try {
      const config = await api.call<unknown>('api/ui/config').catch(ignoreMissing);
      readConfig(config);
      const health = await api.call<unknown>('health').then(
        () => 'ready' as const,
        (failure: unknown) => healthOf(failure),
      );
      await readModels();
      if (health !== 'ready' || loadingNames(status.value).length > 0)
        load.value = loadStep(await api.call<unknown>('api/inference/load-progress').catch(ignoreMissing));
      batch(() => {
        keyRefused.value = false;
        enter(health);
      });
    } catch (failure) {
      if (!(failure instanceof ApiFailure)) throw failure;
      if (failure.status === 401 || failure.status === 403) {
        batch(() => {
          keyRefused.value = key.value !== undefined;
          enter('locked');
        });
      } else if (failure.kind === 'unreachable') enter('gone');
    }
  }

  function readConfig(config: unknown): void {
    const told = member(config, 'version');
    if (typeof told === 'string') version.value = told;
    const caller = member(config, 'caller');
    const can = member(caller, 'can');
    if (config !== undefined && can === undefined) return;
    const next: Rights = {
      // A server that does not tell lets whoever may.
      changeModels: can === undefined || member(can, 'change_models') === true,
      chatStore: member(can, 'chat_store') === true,
      tools: member(can, 'tools') === true,
      runs: member(caller, 'local') === true || member(config, 'key_needed') === true,
    };
    if (JSON.stringify(next) !== JSON.stringify(rights.value)) rights.value = next;
    keeping.value = keepingOf(member(member(config, 'stores'), 'chats'));
    tellKnown(next);
  }

  async function readModels(): Promise<void> {
    const [list, now] = await Promise.all([
      // While the first model loads there is no list yet.
      api.call<unknown>('v1/models').catch(ignore(404, 503)),
      api.call<unknown>('api/inference/status').catch(ignoreMissing),
    ]);
    const next = choicesOf(list);
    // The same list again changes nothing on the page.
    if (JSON.stringify(next) !== JSON.stringify(models.value)) models.value = next;
    if (JSON.stringify(now) !== JSON.stringify(status.value)) status.value = now;
  }

  /** While one is under way, another behind it: what that one has read by now may be older than why this is asked for. */
  function look(): Promise<void> {
    if (looking !== undefined) {
      lookBehind ??= looking.then(() => {
        lookBehind = undefined;
        return look();
      });
      return lookBehind;
    }
    looking = lookOnce().finally(() => {
      looking = undefined;
      schedule();
    });
    return looking;
  }

  function schedule(): void {
    cancelNext();
    const wait = {
      asking: loadingMs,
      gone: goneMs,
      loading: loadingMs,
      empty: 2000,
      ready: settledMs,
      locked: undefined,
    }[phase.value];
    nextTry.value = phase.value === 'gone' ? environment.clock() + goneMs : undefined;
    if (wait === undefined) return;
    cancelNext = environment.after(wait, () => void look());
  }

  return {
    phase,
    version,
    load,
    models,
    nextTry,
    keyRefused,
    key,
    rights,
    keeping,
    known: () => known,
    unlocked: (signal) =>
      until(
        computed(() => phase.value !== 'locked'),
        signal,
      ),
    loading: computed(() => loadingNames(status.value)),
    facts: computed(() => factsOf(status.value, models.value, chosen.value)),
    loaded: computed(() => loadedModels(status.value)),
    async useKey(given, remember) {
      key.value = given;
      attempt(() => (remember ? environment.local : environment.session).setItem(keyName, given));
      await look();
    },
    forgetKey() {
      key.value = undefined;
      for (const place of [environment.local, environment.session]) attempt(() => place.removeItem(keyName));
    },
    told(event) {
      const step = loadStep(event);
      if (step) load.value = step;
      if (!step || loadingNames(status.value).length === 0) void look();
    },
    heard(code) {
      if (code === 0 && phase.value !== 'gone') {
        enter('gone');
        schedule();
      } else if (code === 401 && phase.value !== 'locked') {
        keyRefused.value = key.value !== undefined;
        enter('locked');
      } else if (code > 0 && phase.value === 'gone' && looking === undefined) void look();
    },
    look,
    ready(signal) {
      if (phase.value === 'ready') return Promise.resolve();
      return new Promise((resolve, reject) => {
        const end = () => {
          waiting.delete(wake);
          signal.removeEventListener('abort', leave);
        };
        const wake = () => {
          end();
          resolve();
        };
        const leave = () => {
          end();
          reject(signal.reason);
        };
        waiting.add(wake);
        signal.addEventListener('abort', leave, { once: true });
      });
    },
    start: () => void look(),
  };
}

/** Settles when it is so, or with the signal. */
function until(isSo: ReadonlySignal<boolean>, signal: AbortSignal): Promise<void> {
  if (isSo.peek() || signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      leave();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const leave = isSo.subscribe((value) => {
      if (value) end();
    });
    signal.addEventListener('abort', end, { once: true });
  });
}

function keepingOf(chats: unknown): Keeping {
  const [reason, folder] = [member(chats, 'reason'), member(chats, 'folder')];
  if (typeof reason === 'string') return { reason };
  return chats === undefined ? undefined : { folder: typeof folder === 'string' ? folder : undefined };
}

function healthOf(failure: unknown): ServerPhase {
  if (!(failure instanceof ApiFailure) || failure.kind === 'unreachable' || failure.status === 401) throw failure;
  return member(failure.answer, 'status') === 'no model loaded' ? 'empty' : 'loading';
}

/** Undefined where the server has no answer to give just now. */
function ignore(...statuses: readonly number[]) {
  return (failure: unknown): undefined => {
    if (failure instanceof ApiFailure && failure.kind === 'refused' && statuses.includes(failure.status))
      return undefined;
    throw failure;
  };
}

const ignoreMissing = ignore(404);

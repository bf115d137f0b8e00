import type { ChatStore } from '../../src/contract/chats.ts';
import type { ModelControl } from '../../src/contract/control.ts';
import { ServeError } from '../../src/contract/errors.ts';
import { systemTimers } from '../../src/contract/system-timers.ts';
import { type AppDependencies, defaultDoorSettings } from '../../src/http/dependencies.ts';
import { createGate } from '../../src/http/limits/gate.ts';
import type { Route } from '../../src/http/route.ts';
import { routeTable } from '../../src/http/route-table.ts';
import { fakeServices } from '../http/fake-services.ts';

const notHere = () => {
  throw new ServeError('not_found', 'not a part of these tests');
};

/** Models that nobody can load; nothing happens to them. */
export const emptyControl: ModelControl = {
  load: notHere,
  unload: notHere,
  validate: notHere,
  status: () => ({ active: undefined, loading: [], models: [] }),
  progress: () => undefined,
  async *events() {},
  localModels: async () => [],
  remove: notHere,
};

/** Nobody has a chat, or gets one. */
const emptyChats: ChatStore = {
  folder: '/chats',
  limits: { entryBytes: 1000, fileBytes: 1000, ownerBytes: 10_000, chats: 10 },
  list: async () => ({ chats: [], nextCursor: null }),
  create: notHere,
  read: notHere,
  append: notHere,
  remove: notHere,
  restore: notHere,
  emptyBin: notHere,
  keepFile: notHere,
  file: notHere,
  async *changes() {},
  expectPlace: notHere,
  settled: async () => undefined,
  endChanges: () => undefined,
};

type Optional = {
  [Part in keyof AppDependencies]-?: object extends Pick<AppDependencies, Part> ? Part : never;
}[keyof AppDependencies];

/** Everything that a server may have or lack, so that no route that comes with it is forgotten: the compiler keeps it. */
export const everyPart = {
  serverTools: {
    host: {
      tools: async () => [],
      call: async () => ({ content: '', isError: true }),
      report: () => [],
      wake: () => undefined,
      restart: notHere,
      close: async () => undefined,
    },
    approvals: { decide: () => false },
  },
  control: emptyControl,
  hub: { search: async () => [], models: notHere },
  adapters: { list: () => [], set: () => undefined },
  cancel: () => 0,
  endThought: () => 'no-run' as const,
  metrics: { render: async () => '', contentType: 'text/plain' },
  page: { find: () => undefined },
  guides: { find: () => undefined },
  responseStore: {
    save: async () => undefined,
    find: async () => undefined,
    remove: async () => false,
    close: async () => undefined,
  },
  chatStore: emptyChats,
  noChatStore: '',
  slots: () => [],
  stats: () => ({}),
  stopping: new AbortController().signal,
  version: '1.2.3',
} satisfies Required<Pick<AppDependencies, Optional>>;

/** Every row of the route table, of a server with all its parts. */
export function everyRoute(): Route[] {
  const dependencies: AppDependencies = {
    ...everyPart,
    generation: { generate: notHere, ready: notHere, countTokens: notHere, renderPrompt: notHere },
    models: { state: () => 'ready', list: () => [], known: async () => [], resolve: notHere, expect: notHere },
    embeddings: { embed: notHere },
    rerank: { rank: notHere },
    tokens: { tokenize: notHere, promptTokens: notHere, pieces: notHere },
    telemetry: { request: () => undefined, log: () => undefined },
    clock: () => 0,
    unixSeconds: () => 0,
    unixMilliseconds: () => 0,
    newId: () => 'id',
    timers: systemTimers,
    keyring: fakeServices.keyring,
    usage: fakeServices.usage,
    settings: defaultDoorSettings,
  };
  return routeTable(dependencies, createGate(dependencies));
}

/** As reports name a row: method and first path. */
export function nameOf({ method, paths }: Route): string {
  return `${method} ${paths[0]}`;
}

/** A path that can be asked for: each part that is to be filled in has this name. */
export function filled(path: string, id = 'nothing'): string {
  return path.replace(/:\w+(\{[^}]*\})?/g, encodeURIComponent(id));
}

/** Who asks: with which words in the header, and whether a row of an access lets them in. */
export const callers = ['no key', 'a wrong key', 'ann', 'bob', 'admin'] as const;
export type CallerName = (typeof callers)[number];

/** What the door says before the route has a word: 401, 403, or nothing. */
export function refusalOf({ access }: Route, caller: CallerName, toolsFor = 'admin'): 401 | 403 | undefined {
  if (access === 'open' || caller === 'admin') return undefined;
  if (caller === 'no key' || caller === 'a wrong key') return 401;
  return access === 'admin' || (access === 'tools' && toolsFor === 'admin') ? 403 : undefined;
}

import { effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { createContext } from 'preact';
import { useContext } from 'preact/hooks';
import { type ApiClient, createClient } from '../api/client.ts';
import { member } from '../api/failure.ts';
import { lazyStore } from '../chats/lazy-store.ts';
import type { AttachedImage } from '../chats/message.ts';
import type { PromptOptions } from '../chats/request.ts';
import type { ChatStore } from '../chats/store.ts';
import { setLanguage, strings } from '../strings/strings.ts';
import { Tuning } from './answer-tuning.ts';
import { Chats } from './chats.ts';
import { Composer } from './composer.ts';
import type { Environment } from './environment.ts';
import { Files } from './files.ts';
import { createModelLoads, type ModelLoads } from './model-loads.ts';
import { createPreferences, type Preferences } from './preferences.ts';
import { createRuns, type Runs } from './runs.ts';
import { createServer, type Server, storedKey } from './server.ts';
import { createToasts, type Toasts } from './toasts.ts';
import { Tools } from './tools.ts';
import { createView, type View } from './view.ts';

/** All that the page knows and can do; what components get by `usePage`. */
export interface Page {
  readonly environment: Environment;
  readonly api: ApiClient;
  readonly server: Server;
  readonly chats: Chats;
  readonly runs: Runs;
  readonly composer: Composer;
  readonly files: Files;
  readonly loads: ModelLoads;
  readonly preferences: Preferences;
  readonly toasts: Toasts;
  readonly tools: Tools;
  readonly view: View;
  /** What a request is made of besides its messages. Parts of the page add to it. */
  readonly settings: Signal<Readonly<Record<string, unknown>>>;
  readonly tuning: Tuning;
  /** What the next request has besides its messages, and how those are made. */
  readonly requestSettings: () => Readonly<Record<string, unknown>>;
  readonly prompt: () => PromptOptions;
  /** Chats could not be written the last time. */
  readonly storeTrouble: ReadonlySignal<unknown>;
  start(): Promise<void>;
}

/** Gives the place where chats are kept, when it is known what the server lets this caller do. */
export type OpenStore = (page: Pick<Page, 'api' | 'server'>) => Promise<ChatStore>;

/** The parts, put together. Nothing happens before `start`. */
export function createPage(environment: Environment, openStore: OpenStore): Page {
  const preferences = createPreferences(environment.local, environment.wide);
  const toasts = createToasts(environment.after);
  const key = signal(storedKey(environment));
  const { base, fetch } = environment;
  const api = createClient({ base, fetch, key: () => key.value, onStatus: (status) => server.heard(status) });
  const server: Server = createServer({ api, environment, key, chosen: preferences.model });
  const settings = signal<Readonly<Record<string, unknown>>>({});
  const tuning = new Tuning(environment.local);
  const storeTrouble = signal<unknown>(undefined);
  const view = createView();
  const tab = tabName(environment);

  const requestSettings = () => {
    const thinking = preferences.thinking.value;
    const model = server.facts.value?.id;
    return {
      ...(model !== undefined && { model }),
      ...(thinking !== undefined && server.facts.value?.switchesThinking && { enable_thinking: thinking }),
      ...tuning.body.value,
      ...settings.value,
      ...tools.body,
    };
  };
  const prompt = () => ({
    systemPrompt: tuning.tune.value.systemPrompt,
    keepsThoughts: server.facts.value?.keepsThoughts ?? false,
    imageUrl: (image: AttachedImage) => (server.facts.value?.seesImages === false ? undefined : files.urlOf(image)),
  });

  const findRun = async (cancelId: string) => {
    if (!(await server.known()).runs) return undefined;
    const answer = await api.call<unknown>(`api/runs?cancel_id=${cancelId}`).catch(() => undefined);
    const runs = member(answer, 'runs');
    const id = Array.isArray(runs) ? member(runs[0], 'id') : undefined;
    return typeof id === 'string' ? id : undefined;
  };
  const store = lazyStore(openStore({ api, server }));
  const files = new Files({
    store,
    hash: environment.hash,
    sees: () => server.facts.value?.seesImages,
    refused(name, why) {
      const { refused } = strings.value.files;
      toasts.show(why instanceof Error ? refused.failed(name, why.message) : refused[why](name));
    },
  });
  const chats: Chats = new Chats({
    store,
    loadImages: (images) => files.load(images),
    findRun,
    environment,
    runs: () => runs,
    settings: () => ({ ...requestSettings(), ...(preferences.lens.value && { logprobs: true, top_logprobs: 5 }) }),
    prompt,
    newSettings: () => tools.settings,
    storeFailed: (error) => {
      storeTrouble.value = error;
    },
  });
  const tools: Tools = new Tools({ api, server, environment, chats });
  const runs: Runs = createRuns({
    api,
    server,
    environment,
    save: (soFar) => chats.savePartial(soFar, tab),
    done: (chatId, message) => {
      chats.answered(chatId, message);
      const { finished, wasStopped, error } = strings.value.outcome;
      const failed = message.outcome === 'error' || message.outcome === 'interrupted';
      view.announcement.value = failed ? error : message.outcome === 'stopped' ? wasStopped : finished;
    },
  });
  const composer = new Composer({
    api,
    server,
    chats,
    files,
    environment,
    settings: requestSettings,
    prompt,
    busy: () => runs.live.value.size > 0,
  });
  effect(() => {
    setLanguage(preferences.language.value, environment.languages).catch(() =>
      toasts.show(strings.value.page.partMissing),
    );
  });
  let wasAway = false;
  effect(() => {
    const isAway = server.phase.value === 'gone' || server.phase.value === 'locked';
    if (wasAway && !isAway) void chats.refresh();
    wasAway = isAway;
  });

  return {
    environment,
    api,
    server,
    chats,
    runs,
    composer,
    files,
    loads: createModelLoads({ api, server, preferences }),
    preferences,
    toasts,
    tools,
    view,
    settings,
    tuning,
    requestSettings,
    prompt,
    storeTrouble,
    async start() {
      server.start();
      void server
        .known()
        .then(() =>
          environment.listen(
            { api, unlocked: server.unlocked, path: 'api/inference/events', read: modelNews },
            (event) => server.told(event),
          ),
        );
      await chats.start(tab);
    },
  };
}

/** What happens to models; what their slots do changes too often for everybody to hear. */
function modelNews(event: unknown): unknown {
  return member(event, 'state') === undefined && member(event, 'phase') === undefined ? undefined : event;
}

/** The same after a reload, another one in another tab. */
function tabName({ session, newId }: Environment): string {
  const name = 'serve-model:tab';
  try {
    const known = session.getItem(name);
    if (known !== null) return known;
    const made = newId();
    session.setItem(name, made);
    return made;
  } catch {
    return newId();
  }
}

const PageContext = createContext<Page | undefined>(undefined);
export const PageProvider = PageContext.Provider;

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error('There is no page around this.');
  return page;
}

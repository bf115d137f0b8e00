import { type ReadonlySignal, signal } from '@preact/signals';
import type { ModelsAnswer } from '../../dialects/control/answers.ts';
import type { HubRepositoryAnswer, HubSearchAnswer } from '../../dialects/hub/answers.ts';
import type { ApiClient } from '../api/client.ts';
import { ApiFailure } from '../api/failure.ts';

export type LocalModel = ModelsAnswer['models'][number];
export type HubHit = HubSearchAnswer['models'][number];
export type Quantization = HubRepositoryAnswer['quantizations'][number];

/** What was asked for: on its way, there, or why it is not. */
export type Asked<Value> = { readonly value: Value } | { readonly failure: string } | undefined;

/** Models that could be loaded: on this machine, and on the hub. */
export class ModelShelf {
  readonly #api: ApiClient;
  readonly #local = signal<Asked<readonly LocalModel[]>>(undefined);
  readonly #hits = signal<Asked<readonly HubHit[]>>(undefined);
  readonly #repositories = signal<ReadonlyMap<string, Asked<HubRepositoryAnswer>>>(new Map());
  readonly local: ReadonlySignal<Asked<readonly LocalModel[]>> = this.#local;
  readonly hits: ReadonlySignal<Asked<readonly HubHit[]>> = this.#hits;
  /** By `owner/repo`; in the map from the moment somebody looked into it. */
  readonly repositories: ReadonlySignal<ReadonlyMap<string, Asked<HubRepositoryAnswer>>> = this.#repositories;
  /** A search is under way. */
  readonly searching = signal(false);
  #search: AbortController | undefined;

  constructor(api: ApiClient) {
    this.#api = api;
  }

  async readLocal(): Promise<void> {
    this.#local.value = await asked(async () => (await this.#api.call<ModelsAnswer>('api/inference/models')).models);
  }

  /** Only the last search counts. */
  async search(words: string): Promise<void> {
    this.#search?.abort('another search');
    const search = new AbortController();
    this.#search = search;
    this.searching.value = true;
    const path = `api/hub/search?q=${encodeURIComponent(words)}&limit=20`;
    const found = await asked(
      async () => (await this.#api.call<HubSearchAnswer>(path, { signal: search.signal })).models,
      search.signal,
    );
    if (search.signal.aborted) return;
    this.searching.value = false;
    this.#hits.value = found;
  }

  async open(id: string): Promise<void> {
    const known = this.#repositories.value.get(id);
    if (known && 'value' in known) return;
    this.#keep(id, undefined);
    const name = id.split('/').map(encodeURIComponent).join('/');
    this.#keep(id, await asked(() => this.#api.call<HubRepositoryAnswer>(`api/hub/repos/${name}`)));
  }

  /** What is on the disk by now may be another thing. */
  forgetRepositories(): void {
    this.#repositories.value = new Map();
  }

  #keep(id: string, answer: Asked<HubRepositoryAnswer>): void {
    this.#repositories.value = new Map(this.#repositories.value).set(id, answer);
  }
}

async function asked<Value>(work: () => Promise<Value>, signal?: AbortSignal): Promise<Asked<Value>> {
  try {
    return { value: await work() };
  } catch (thrown) {
    if (signal?.aborted) return undefined;
    if (!(thrown instanceof ApiFailure)) throw thrown;
    return { failure: thrown.message };
  }
}

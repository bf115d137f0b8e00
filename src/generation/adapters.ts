import { basename } from 'node:path';
import { ServeError } from '../contract/errors.ts';
import type { ScaledAdapter } from '../contract/model-settings.ts';
import type { AdapterScale, AdapterWish } from '../contract/request.ts';
import type { AdapterInfo } from '../contract/services.ts';

/** The adapters of a loaded model, and how much of each is added where a request says nothing. */
export class Adapters {
  readonly #paths: readonly string[];
  #scales: readonly number[];

  /** In the order of their ids, from 0. */
  constructor(files: readonly ScaledAdapter[]) {
    this.#paths = files.map(({ path }) => path);
    this.#scales = files.map(({ scale }) => scale);
  }

  list(): readonly AdapterInfo[] {
    return this.#paths.map((path, id) => ({ id, path, scale: this.#scales[id] ?? 0 }));
  }

  /** For all requests that say nothing, from now on; adapters that are not named are not added. */
  set(wanted: readonly AdapterScale[]): void {
    this.#scales = this.#scalesOf(wanted);
  }

  /** What a request gets. ServeError invalid_request: the model has no such adapter. */
  scales(wish: AdapterWish | undefined): readonly number[] {
    if (wish === undefined || wish === true) return this.#scales;
    if (wish === false) return this.#paths.map(() => 0);
    return typeof wish === 'string' ? this.#scalesOf([{ id: this.#named(wish), scale: 1 }]) : this.#scalesOf(wish);
  }

  #scalesOf(wanted: readonly AdapterScale[]): readonly number[] {
    const unknown = wanted.find(({ id }) => id >= this.#paths.length);
    if (unknown) throw noSuchAdapter(`${unknown.id}`, this.#paths);
    return this.#paths.map((_, id) => wanted.find((each) => each.id === id)?.scale ?? 0);
  }

  #named(name: string): number {
    const id = this.#paths.findIndex((path) => path === name || nameOf(path) === nameOf(name));
    if (id < 0) throw noSuchAdapter(name, this.#paths);
    return id;
  }
}

function nameOf(path: string): string {
  return basename(path).replace(/\.gguf$/i, '');
}

function noSuchAdapter(asked: string, paths: readonly string[]): ServeError {
  const known = paths.length === 0 ? 'no adapters: start it with --lora FILE' : paths.map(nameOf).join(', ');
  return new ServeError('invalid_request', `There is no adapter ${asked}. The model has ${known}.`, { param: 'lora' });
}

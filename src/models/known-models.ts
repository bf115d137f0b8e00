import { basename, dirname } from 'node:path';
import { findByName } from '../contract/model-names.ts';
import { printable } from '../contract/printable.ts';
import type { FileProfile } from './profile.ts';
import type { Resident } from './resident.ts';

/** Which model a name means: those that are known, under names of their own, and the active one, which unknown names go to. */
export class KnownModels<Runtime> {
  /** By path. */
  readonly #residents = new Map<string, Resident<Runtime>>();
  #active: Resident<Runtime> | undefined;

  /** The first one becomes the active one. `make`: of the file with the names that are its own. */
  add(file: FileProfile, make: (file: FileProfile) => Resident<Runtime>): Resident<Runtime> {
    const known = this.#residents.get(file.path);
    if (known) return known;
    const resident = make(this.#withOwnNames(file));
    this.#residents.set(file.path, resident);
    this.#active ??= resident;
    return resident;
  }

  /** Forgets a model because its file is gone; not one that a request has loaded meanwhile, which still has to go. */
  forget(path: string): void {
    const resident = this.#residents.get(path);
    if (resident?.loaded || resident?.isLoading) return;
    this.#residents.delete(path);
    if (this.#active?.plan.file.path === path) this.#active = undefined;
  }

  get active(): Resident<Runtime> | undefined {
    return this.#active;
  }

  activate(resident: Resident<Runtime>): void {
    this.#active = resident;
  }

  find(name: string): Resident<Runtime> | undefined {
    return findByName(name, [...this.#residents.values()], ({ plan }) => plan.file);
  }

  /** In the order that they became known. */
  all(): readonly Resident<Runtime>[] {
    return [...this.#residents.values()];
  }

  /** The active one first. */
  ordered(): readonly Resident<Runtime>[] {
    const all = this.all();
    return [...all.filter((each) => each === this.#active), ...all.filter((each) => each !== this.#active)];
  }

  /** For people. */
  names(): readonly string[] {
    return this.all().flatMap(({ plan: { file } }) => [file.id, ...file.aliases]);
  }

  /** A name means one model: what another one has is left to that, and an id that is taken gets its folder in front. */
  #withOwnNames(file: FileProfile): FileProfile {
    const taken = new Set(this.names());
    const free = (name: string) => !taken.has(name);
    const aliases = file.aliases.filter(free);
    if (free(file.id)) return { ...file, aliases };
    const folder = `${printable(basename(dirname(file.path)))}/${file.id}`;
    const numbered = Array.from({ length: taken.size + 1 }, (_, index) => `${folder}-${index + 2}`);
    const id = [...aliases, folder, ...numbered].find(free) ?? file.path;
    return { ...file, id, aliases: aliases.filter((name) => name !== id) };
  }
}

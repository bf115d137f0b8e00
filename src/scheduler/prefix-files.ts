import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { type RoomEntry, SharedRoom, type Sharer } from '../contract/shared-room.ts';
import type { StateFiles } from '../engine/engine.ts';
import { makeFolder } from '../files/make-folder.ts';
import type { SchedulerObserver } from './admission.ts';
import type { PrefixShelf, StoredPrefix } from './prefix-store.ts';
import { isNearlyPrefix, isPrefix } from './prefix-store.ts';

export interface PrefixFiles extends PrefixShelf {
  /** Bytes that all files together may take. */
  readonly budget: number;
  /** Writes what the slot holds, in place of the same conversation's earlier turns. Never throws. */
  write(slot: number, tokens: readonly number[], sharer: Sharer): Promise<void>;
  /** Removes files beyond the budget: the oldest of whoever has the most. */
  prune(): Promise<void>;
}

interface PrefixFilesOptions {
  readonly folder: string;
  readonly files: StateFiles;
  readonly budget: number;
  readonly observer?: Partial<SchedulerObserver>;
}

/** What lies beside a state file and makes it valid; written last. */
interface Label {
  readonly version: 1;
  readonly fingerprint: string;
  /** Absent, in labels of earlier versions: '', that of a server without keys. */
  readonly scope?: string;
  /** Absent likewise. */
  readonly owner?: string;
  readonly tokens: readonly number[];
  readonly bytes: number;
  readonly sha256: string;
}

interface StoredFile extends StoredPrefix, Omit<Label, 'scope' | 'owner'> {
  readonly path: string;
}

/**
 * Prefixes on disk: `<folder>/<fingerprint>/<name>.state` with `<name>.json` beside it. A file whose label does not fit
 * it byte for byte is never given to the engine.
 */
export async function openPrefixFiles(options: PrefixFilesOptions): Promise<PrefixFiles> {
  const folder = join(options.folder, options.files.fingerprint);
  await makeFolder(folder, 0o700);
  return new FileShelf(folder, options, await readLabels(folder, options.files.fingerprint));
}

class FileShelf implements PrefixFiles {
  readonly #folder: string;
  readonly #options: PrefixFilesOptions;
  /** Oldest first. */
  readonly #stored: Set<StoredFile>;

  constructor(folder: string, options: PrefixFilesOptions, stored: readonly StoredFile[]) {
    this.#folder = folder;
    this.#options = options;
    this.#stored = new Set(stored);
  }

  get budget(): number {
    return this.#options.budget;
  }

  list(): readonly StoredPrefix[] {
    return [...this.#stored];
  }

  async load(slot: number, prefix: StoredPrefix): Promise<boolean> {
    const file = [...this.#stored].find((each) => each === prefix);
    if (!file) return false;
    try {
      if ((await sha256(file.path)) !== file.sha256) throw new Error(`${file.path} is damaged and is not used.`);
      return await this.#options.files.read(slot, file.path);
    } catch (error) {
      this.#stored.delete(file);
      this.#options.observer?.transferFailed?.('load', error);
      return false;
    }
  }

  async write(slot: number, tokens: readonly number[], { owner, scope }: Sharer): Promise<void> {
    const own = [...this.#stored].filter((file) => file.scope === scope);
    const known = own.find((file) => isPrefix(tokens, file.tokens));
    if (known) {
      this.#stored.delete(known);
      this.#stored.add(known);
      return;
    }
    const { files, observer } = this.#options;
    const path = join(this.#folder, `${nameOf(tokens, scope)}.state`);
    try {
      await files.write(slot, `${path}.part`);
      await rename(`${path}.part`, path);
      const { size } = await stat(path);
      const { fingerprint } = files;
      const label = { version: 1, fingerprint, owner, scope, tokens, bytes: size, sha256: await sha256(path) } as const;
      await writeFile(`${labelOf(path)}.part`, JSON.stringify(label));
      await rename(`${labelOf(path)}.part`, labelOf(path));
      for (const file of own) if (isNearlyPrefix(file.tokens, tokens)) await this.#remove(file);
      this.#stored.add({ ...label, path });
    } catch (error) {
      observer?.transferFailed?.('save', error);
      await this.#discard(path);
    }
  }

  async prune(): Promise<void> {
    const kept = new Set(withinBudget([...this.#stored], ({ bytes }) => bytes, this.#options.budget));
    for (const file of this.#stored) if (!kept.has(file)) await this.#remove(file);
  }

  /** What a failed attempt has left: on a full disk it would be in the way of the next one. */
  async #discard(path: string): Promise<void> {
    const left = [labelOf(path), path].flatMap((file) => [`${file}.part`, file]);
    await Promise.all(left.map((file) => rm(file, { force: true }).catch(() => undefined)));
  }

  async #remove(file: StoredFile): Promise<void> {
    this.#stored.delete(file);
    await rm(labelOf(file.path), { force: true });
    await rm(file.path, { force: true });
  }
}

interface Weighed<Item> extends RoomEntry {
  readonly item: Item;
}

/** Of these, in their order (the least recently used first), those that a budget of bytes has room for. */
export function withinBudget<Item extends Pick<Sharer, 'owner'>>(
  items: readonly Item[],
  bytesOf: (item: Item) => number,
  budget: number,
): Item[] {
  const room = new SharedRoom<Weighed<Item>>();
  for (const [index, item] of items.entries())
    room.keep(String(index), { owner: item.owner, size: bytesOf(item), item }, { size: budget });
  return [...room].map(([, { item }]) => item);
}

async function readLabels(folder: string, fingerprint: string): Promise<StoredFile[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  const found = await Promise.all(names.map((name) => readLabel(join(folder, name), fingerprint)));
  const valid = found.filter((each) => each !== undefined);
  return valid.sort((one, other) => one.changedAt - other.changedAt).map(({ file }) => file);
}

/** Undefined for whatever is not a label of this fingerprint beside a state of its size. */
async function readLabel(
  path: string,
  fingerprint: string,
): Promise<{ file: StoredFile; changedAt: number } | undefined> {
  try {
    const label: unknown = JSON.parse(await readFile(path, 'utf8'));
    const statePath = join(path, '..', `${basename(path, '.json')}.state`);
    const { size, mtimeMs } = await stat(statePath);
    if (!isLabel(label) || label.fingerprint !== fingerprint || label.bytes !== size) return undefined;
    return {
      file: { ...label, scope: label.scope ?? '', owner: label.owner ?? '', path: statePath },
      changedAt: mtimeMs,
    };
  } catch {
    return undefined;
  }
}

function isLabel(value: unknown): value is Label {
  if (typeof value !== 'object' || value === null) return false;
  const {
    version,
    fingerprint,
    scope = '',
    owner = '',
    tokens,
    bytes,
    sha256: digest,
  }: Partial<Record<keyof Label, unknown>> = value;
  return (
    version === 1 &&
    typeof fingerprint === 'string' &&
    typeof scope === 'string' &&
    typeof owner === 'string' &&
    typeof bytes === 'number' &&
    typeof digest === 'string' &&
    Array.isArray(tokens) &&
    tokens.length > 0 &&
    tokens.every((token) => Number.isInteger(token))
  );
}

function labelOf(statePath: string): string {
  return statePath.replace(/\.state$/, '.json');
}

function nameOf(tokens: readonly number[], scope: string): string {
  return createHash('sha256').update(scope).update(Int32Array.from(tokens)).digest('hex').slice(0, 24);
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

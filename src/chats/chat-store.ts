import { constants } from 'node:fs';
import { access, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Caller } from '../contract/caller.ts';
import type { ChatEntry, ChatLimits, ChatPlace, ChatQuery, ChatStore, KeptFile } from '../contract/chats.ts';
import type { Clock, Timers } from '../contract/services.ts';
import { makeFolder } from '../files/make-folder.ts';
import { ChatChanges } from './chat-changes.ts';
import { listChats } from './list-chats.ts';
import { folderOfOwner, isChatId, noSuchChat, noSuchFile, ownerOfFolder } from './names.ts';
import { OwnerFolder } from './owner-folder.ts';
import { TextCache } from './text-cache.ts';

const megabyte = 1024 * 1024;

export const chatLimits: ChatLimits = {
  entryBytes: megabyte,
  fileBytes: 50 * megabyte,
  ownerBytes: 2048 * megabyte,
  chats: 10_000,
};

export interface ChatStoreOptions {
  readonly limits: ChatLimits;
  /** Unix milliseconds. */
  readonly now: () => number;
  readonly clock: Clock;
  readonly timers: Timers;
  /** Random hex, 32 digits. */
  readonly newId: () => string;
  /** What went wrong where nobody waits for it. */
  readonly failed: (error: unknown) => void;
}

type Asker = Pick<Caller, 'owner' | 'sees'>;

/** How often the folders are looked at while somebody watches: another process may write there too. */
const lookEveryMs = 1000;
const tidyEveryMs = 6 * 60 * 60 * 1000;
/** Whoever has a list for the first time is about to ask for more than a search. */
const readAfterMs = 2000;

/** Opens the folder, which is made where it is missing. Rejects where it cannot be used. */
export async function openChatStore(folder: string, options: ChatStoreOptions): Promise<ChatStore> {
  await makeFolder(folder, 0o700);
  await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
  return new FolderChatStore(folder, options);
}

class FolderChatStore implements ChatStore {
  readonly folder: string;
  readonly limits: ChatLimits;
  readonly #options: ChatStoreOptions;
  readonly #owners = new Map<string, OwnerFolder>();
  readonly #changes = new ChatChanges();
  readonly #texts = new TextCache();
  readonly #tidied = new Map<string, number>();
  readonly #writing = new Set<Promise<void>>();
  #watching = false;

  constructor(folder: string, options: ChatStoreOptions) {
    this.folder = folder;
    this.limits = options.limits;
    this.#options = options;
  }

  async list(caller: Asker, query: ChatQuery) {
    const owners = listedOwners(caller);
    const list = await listChats(
      owners.map((owner) => this.#owner(owner)),
      query,
      this.#options.clock,
    );
    for (const owner of owners) this.#keepHouse(owner);
    return list;
  }

  async create(
    caller: Asker,
    { chatId, entries }: { readonly chatId?: string; readonly entries: readonly ChatEntry[] },
  ) {
    if (chatId !== undefined && !isChatId(chatId)) throw noSuchChat(chatId);
    const there = chatId === undefined ? undefined : await this.#find(listedOwners(caller), chatId);
    const owner = there ?? this.#owner(caller.owner);
    return owner.create(chatId ?? this.#options.newId(), entries);
  }

  async read(caller: Asker, chatId: string, after?: string) {
    return (await this.#chat(caller, chatId)).read(chatId, after);
  }

  async append(caller: Asker, chatId: string, entries: readonly ChatEntry[]) {
    return this.#noted(this.#chat(caller, chatId).then((owner) => owner.append(chatId, entries)));
  }

  async expectPlace(caller: Asker, place: ChatPlace) {
    await (await this.#chat(caller, place.chatId)).expectPlace(place);
  }

  async settled() {
    await Promise.all(this.#writing);
    for (const owner of this.#owners.values()) await owner.save().catch(this.#options.failed);
  }

  async remove(caller: Asker, chatId: string, options: { readonly forever: boolean }) {
    const owner = await this.#chat(caller, chatId, options.forever ? 'live or in the bin' : 'live');
    await owner.remove(chatId, options);
  }

  async restore(caller: Asker, chatId: string) {
    await (await this.#chat(caller, chatId, 'in the bin')).restore(chatId);
  }

  async emptyBin(caller: Asker) {
    let count = 0;
    for (const owner of listedOwners(caller)) count += await this.#owner(owner).emptyBin();
    return count;
  }

  async keepFile(caller: Asker, sha256: string, bytes: AsyncIterable<Uint8Array>) {
    return this.#owner(caller.owner).files.keep(sha256, bytes);
  }

  async file(caller: Asker, sha256: string): Promise<KeptFile> {
    for (const owner of await this.#seenOwners(caller)) {
      const found = await owner.files.find(sha256);
      if (found) return found;
    }
    throw noSuchFile(sha256);
  }

  changes(caller: Asker, signal: AbortSignal) {
    const owners = listedOwners(caller);
    const changes = this.#changes.subscribe(new Set(owners), signal);
    for (const owner of owners) this.#owner(owner).scan().catch(this.#options.failed);
    this.#watch();
    return changes;
  }

  endChanges() {
    this.#changes.close();
  }

  async #chat(
    caller: Asker,
    chatId: string,
    where: 'live' | 'in the bin' | 'live or in the bin' = 'live',
  ): Promise<OwnerFolder> {
    if (isChatId(chatId))
      for (const owner of await this.#seenOwners(caller)) {
        if (where !== 'in the bin' && (await owner.has(chatId))) return owner;
        if (where !== 'live' && (await owner.hasInBin(chatId))) return owner;
      }
    throw noSuchChat(chatId);
  }

  async #find(owners: readonly string[], chatId: string): Promise<OwnerFolder | undefined> {
    for (const name of owners) {
      const owner = this.#owner(name);
      if (await owner.has(chatId)) return owner;
    }
    return undefined;
  }

  /** The caller's own first; an admin's list ends with everybody's. */
  async #seenOwners(caller: Asker): Promise<OwnerFolder[]> {
    const there = (await readdir(this.folder)).map(ownerOfFolder).filter((owner) => owner !== undefined);
    const seen = new Set([...listedOwners(caller), ...there.filter((owner) => caller.sees(owner))]);
    return [...seen].map((owner) => this.#owner(owner));
  }

  #owner(owner: string): OwnerFolder {
    const known = this.#owners.get(owner);
    if (known) return known;
    const { limits, now, newId, timers, failed } = this.#options;
    const made = new OwnerFolder(join(this.folder, folderOfOwner(owner)), {
      limits,
      now,
      newId,
      timers,
      failed,
      texts: this.#texts,
      changed: (chatId, revision) =>
        this.#changes.publish(owner, { chatId, revision, change: revision === null ? 'removed' : 'changed' }),
    });
    this.#owners.set(owner, made);
    return made;
  }

  /** Looks at the folders while anybody waits for changes. */
  #watch(): void {
    if (this.#watching) return;
    this.#watching = true;
    const look = async () => {
      for (const owner of this.#changes.watched) await this.#owner(owner).scan();
    };
    const again = () => {
      this.#watching = this.#changes.watched.size > 0;
      if (!this.#watching) return;
      look()
        .catch(this.#options.failed)
        .finally(() => this.#options.timers.after(lookEveryMs, again));
    };
    again();
  }

  /** Behind a list, so that nobody waits for it. */
  #keepHouse(name: string): void {
    const { now, timers, failed } = this.#options;
    const owner = this.#owner(name);
    const last = this.#tidied.get(name);
    if (last !== undefined && now() - last < tidyEveryMs) return;
    this.#tidied.set(name, now());
    void this.#noted(owner.tidy().catch(failed));
    if (last === undefined) timers.after(readAfterMs, () => void owner.readTexts().catch(failed));
  }

  /** `settled` waits for it. */
  #noted<Result>(work: Promise<Result>): Promise<Result> {
    const over: Promise<void> = work.then(ignore, ignore).finally(() => this.#writing.delete(over));
    this.#writing.add(over);
    return work;
  }
}

function ignore(): void {}

/** The caller itself, and those from before there were keys where they are the caller's. */
function listedOwners({ owner, sees }: Asker): readonly string[] {
  return owner !== '' && sees('') ? [owner, ''] : [owner];
}

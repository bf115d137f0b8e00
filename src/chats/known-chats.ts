import { join } from 'node:path';
import type { ChatSummary } from '../contract/chats.ts';
import type { Timers } from '../contract/services.ts';
import { beforeEnding } from '../files/compact-log.ts';
import { ChatLog, type Stamp } from './chat-log.ts';
import { recover } from './compact.ts';
import { fileStamps, namesIn } from './file-stamps.ts';
import { type Indexed, indexedChat } from './indexed-chat.ts';
import { chatInBin, chatOfFile, fileOfChat } from './names.ts';
import { SummaryFile } from './summary-file.ts';
import type { TextCache } from './text-cache.ts';

export interface KnownChatsOptions {
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Random hex. */
  readonly newId: () => string;
  readonly timers: Timers;
  readonly texts: TextCache;
  /** What went wrong where nobody waits for it. */
  readonly failed: (error: unknown) => void;
  /** A chat is another than it was; null: it is gone. */
  readonly changed: (chatId: string, revision: string | null) => void;
  /** The log of a chat that is in use. */
  readonly log: (chatId: string) => ChatLog | undefined;
}

export interface Binned {
  readonly path: string;
  readonly summary: ChatSummary & { readonly deleted: number };
  readonly files: ReadonlySet<string>;
}

const bin = 'bin';
/** How long what was learned lies in memory alone: each writing takes all chats. */
const saveAfterMs = 30_000;

/**
 * The chats of a folder, by one look at each file: what has not changed since it was read, by this process or one before
 * it, is not read again.
 */
export class KnownChats {
  readonly #folder: string;
  readonly #options: KnownChatsOptions;
  readonly #file: SummaryFile;
  /** By the names of their files, as all that follows. */
  readonly #live = new Map<string, Indexed>();
  #binned = new Map<string, Indexed>();
  /** Live ones that the file had and that nobody has looked at yet. */
  #earlier = new Map<string, Indexed>();
  #loading: Promise<void> | undefined;
  #scanning: Promise<void> | undefined;
  #saving: Promise<void> = Promise.resolve();
  #wasScanned = false;
  /** The file says less than is known, or more than there is. */
  #isUnsaved = false;
  #cancelSave: () => void = () => undefined;

  constructor(folder: string, options: KnownChatsOptions) {
    this.#folder = folder;
    this.#options = options;
    this.#file = new SummaryFile(folder, options);
  }

  /** Every chat as it is now, whoever wrote it. */
  async live(): Promise<readonly Indexed[]> {
    await this.scan();
    return [...this.#live.values()];
  }

  /** Newest first. */
  async bin(): Promise<readonly Binned[]> {
    await this.#load();
    const fresh = new Map<string, Indexed>();
    const found: Binned[] = [];
    for await (const { name, stamp } of fileStamps(join(this.#folder, bin))) {
      const chat = chatInBin(name);
      if (!chat) continue;
      const path = join(this.#folder, bin, name);
      const known = this.#binned.get(inBin(name));
      const indexed = known && sameFile(known, stamp) ? known : await this.#read(chat.chatId, path);
      if (!indexed) continue;
      if (indexed !== known) this.#saveSoon();
      fresh.set(inBin(name), indexed);
      found.push({ path, files: indexed.files, summary: { ...indexed.summary, deleted: chat.deleted } });
    }
    this.#binned = fresh;
    return found.toSorted((one, other) => other.summary.deleted - one.summary.deleted);
  }

  /** Looks at the folder; what changed is told. */
  scan(): Promise<void> {
    this.#scanning ??= this.#scan().finally(() => {
      this.#scanning = undefined;
    });
    return this.#scanning;
  }

  /** A chat was written to here. */
  note(chatId: string, log: ChatLog): void {
    this.#enter(chatId, log);
    this.#options.changed(chatId, log.revision);
  }

  /** False: it was not known. */
  remove(chatId: string): boolean {
    if (!this.#live.delete(fileOfChat(chatId))) return false;
    this.#saveSoon();
    return true;
  }

  /** Something is gone for good: nothing of it stays in the file either. */
  async forget(): Promise<void> {
    await this.#file.remove();
    this.#saveSoon();
  }

  /** What is known, for the next start. */
  save(): Promise<void> {
    this.#saving = this.#saving.catch(() => undefined).then(() => this.#save());
    return this.#saving;
  }

  async #scan(): Promise<void> {
    await this.#load();
    // What is brought back changes files that were looked at already.
    if (await this.#lookAtAll()) await this.#lookAtAll();
    this.#earlier.clear();
    this.#wasScanned = true;
  }

  /** Whether a chat was found that a killed process left half written anew. */
  async #lookAtAll(): Promise<boolean> {
    let wasInterrupted = false;
    const before = new Map(this.#live);
    const seen = new Set<string>();
    for await (const { name, stamp } of fileStamps(this.#folder)) {
      if (name.endsWith(beforeEnding)) {
        await recover(join(this.#folder, name.slice(0, -beforeEnding.length)), this.#options);
        wasInterrupted = true;
      }
      const chatId = chatOfFile(name);
      if (chatId === undefined) continue;
      seen.add(name);
      await this.#look(chatId, name, stamp);
    }
    for (const [name, indexed] of before) {
      if (seen.has(name) || this.#live.get(name) !== indexed) continue;
      this.remove(indexed.summary.chatId);
      this.#options.changed(indexed.summary.chatId, null);
    }
    if ([...this.#earlier.keys()].some((name) => !seen.has(name))) this.#saveSoon();
    return wasInterrupted;
  }

  async #look(chatId: string, name: string, stamp: Stamp): Promise<void> {
    const mine = this.#live.get(name);
    const known = mine ?? this.#earlier.get(name);
    if (known && sameFile(known, stamp)) {
      this.#live.set(name, known);
      return;
    }
    const log = this.#options.log(chatId) ?? new ChatLog(join(this.#folder, name), this.#options.now);
    if (!(await log.refresh())) return;
    this.#enter(chatId, log);
    this.#options.texts.set(log.path, log.revision, log.tree.text());
    // At the first look everything is new to us, which is no news.
    if (this.#wasScanned || mine) this.#options.changed(chatId, log.revision);
  }

  #load(): Promise<void> {
    // Without it everything is read, which is all that it spares.
    const none = (error: unknown) => this.#options.failed(error);
    this.#loading ??= this.#file.load().then((known) => {
      for (const [name, indexed] of known)
        (name.startsWith(inBin('')) ? this.#binned : this.#earlier).set(name, indexed);
    }, none);
    return this.#loading;
  }

  async #read(chatId: string, path: string): Promise<Indexed | undefined> {
    const log = new ChatLog(path, this.#options.now);
    return (await log.refresh()) ? indexedChat(chatId, log) : undefined;
  }

  #enter(chatId: string, log: ChatLog): void {
    this.#live.set(fileOfChat(chatId), indexedChat(chatId, log));
    this.#saveSoon();
  }

  #saveSoon(): void {
    if (this.#isUnsaved) return;
    this.#isUnsaved = true;
    this.#cancelSave = this.#options.timers.after(saveAfterMs, () => {
      this.save().catch(this.#options.failed);
    });
  }

  async #save(): Promise<void> {
    if (!this.#isUnsaved) return;
    this.#isUnsaved = false;
    this.#cancelSave();
    await this.#load();
    const there = await this.#names();
    const known = [...this.#earlier, ...this.#live, ...this.#binned].filter(([name]) => there.has(name));
    if (!(await this.#file.save(new Map(known)))) return;
    // Another process may have deleted one for good meanwhile, and the file with it.
    const stillThere = await this.#names();
    if (known.some(([name]) => !stillThere.has(name))) await this.forget();
    await this.#file.removeAbandoned([...stillThere]);
  }

  async #names(): Promise<ReadonlySet<string>> {
    const binned = await namesIn(join(this.#folder, bin));
    return new Set([...(await namesIn(this.#folder)), ...binned.map(inBin)]);
  }
}

function inBin(name: string): string {
  return `${bin}/${name}`;
}

function sameFile({ stamp }: Indexed, { inode, size, modified, changed }: Stamp): boolean {
  return stamp.inode === inode && stamp.size === size && stamp.modified === modified && stamp.changed === changed;
}

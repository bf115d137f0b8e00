import { link, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Appended, ChatEntry, ChatLimits, ChatPart, ChatPlace, ChatSummary } from '../contract/chats.ts';
import { ServeError } from '../contract/errors.ts';
import { lockOf } from '../files/compact-log.ts';
import { underLock } from '../files/file-lock.ts';
import { makeFolder } from '../files/make-folder.ts';
import { falseWhenMissing, undefinedWhenMissing } from '../files/missing.ts';
import { ChatLog } from './chat-log.ts';
import { checkReferences } from './check-references.ts';
import { checkSizes } from './check-sizes.ts';
import { compact } from './compact.ts';
import { namesIn } from './file-stamps.ts';
import { type Indexed, indexedChat } from './indexed-chat.ts';
import { KeptFiles } from './kept-files.ts';
import { KnownChats, type KnownChatsOptions } from './known-chats.ts';
import { chatInBin, fileInBin, fileOfChat, noSuchChat } from './names.ts';
import type { SearchText } from './text-cache.ts';
import { Usage } from './usage.ts';

export interface OwnerOptions extends Omit<KnownChatsOptions, 'log'> {
  readonly limits: ChatLimits;
}

const binMs = 30 * 24 * 60 * 60 * 1000;
/** One answer to a reader; whoever wants more asks again. */
const partBytes = 8 * 1024 * 1024;
/** A chat is written anew when so much of it, and more than half, does not count any more. */
const outdatedBytes = 256 * 1024;
/** For the lock of a chat: as long as it takes a dead process to lose it. */
const mostAttempts = 700;
const lockPauseMs = 100;
/** Chats whose entries are remembered, so that an append reads only what came since. */
const mostLogs = 64;

/** All that one owner has: `ID.jsonl`, `bin/TIME.ID.jsonl`, `files/SHA256`. */
export class OwnerFolder {
  readonly files: KeptFiles;
  readonly #folder: string;
  readonly #bin: string;
  readonly #options: OwnerOptions;
  readonly #usage: Usage;
  /** In the order of use. */
  readonly #logs = new Map<string, ChatLog>();
  readonly #known: KnownChats;

  constructor(folder: string, options: OwnerOptions) {
    const { limits, now, newId } = options;
    this.#folder = folder;
    this.#bin = join(folder, 'bin');
    this.#options = options;
    this.#usage = new Usage(folder, limits, now);
    this.#known = new KnownChats(folder, { ...options, log: (chatId) => this.#logs.get(chatId) });
    this.files = new KeptFiles(join(folder, 'files'), {
      fileBytes: limits.fileBytes,
      reserve: async (bytes) => {
        await this.#usage.refresh();
        this.#usage.takeFile(bytes);
      },
      now,
      newId,
    });
  }

  /** Every chat as it is now, whoever wrote it. */
  chats(): Promise<readonly Indexed[]> {
    return this.#known.live();
  }

  /** Looks at the folder; what changed is told. */
  scan(): Promise<void> {
    return this.#known.scan();
  }

  /** What is known of the chats, for the next start. */
  save(): Promise<void> {
    return this.#known.save();
  }

  async has(chatId: string): Promise<boolean> {
    return (await stat(this.#pathOf(chatId)).catch(undefinedWhenMissing)) !== undefined;
  }

  async hasInBin(chatId: string): Promise<boolean> {
    return (await this.#inBin(chatId)).length > 0;
  }

  /** Of a chat that `chats` or `bin` gave. */
  async searchText({ chatId, revision, deleted }: ChatSummary): Promise<SearchText> {
    const path = deleted === undefined ? this.#pathOf(chatId) : join(this.#bin, fileInBin(chatId, deleted));
    const known = this.#options.texts.get(path, revision);
    if (known) return known;
    const log = (deleted === undefined && this.#logs.get(chatId)) || new ChatLog(path, this.#options.now);
    const text = (await log.refresh()) ? log.tree.text() : '';
    return this.#options.texts.set(path, revision, text);
  }

  /** For the searches to come: texts of the latest chats, as many as are kept. */
  async readTexts(): Promise<void> {
    const latest = (await this.chats()).toSorted((one, other) => other.summary.updated - one.summary.updated);
    for (const { summary } of latest) {
      if (this.#options.texts.isFull) return;
      await this.searchText(summary);
    }
  }

  async create(chatId: string, entries: readonly ChatEntry[]): Promise<Appended> {
    if (await this.has(chatId)) return this.append(chatId, entries);
    const { limits, now } = this.#options;
    const fresh = withoutDoubles(entries);
    checkReferences(entries, () => false);
    const bytes = checkSizes(fresh, limits);
    await this.#checkFiles(fresh);
    await makeFolder(this.#folder, 0o700);
    await this.#usage.refresh();
    this.#usage.takeChat();
    this.#usage.takeFile(bytes);
    const log = this.#log(chatId);
    if (!(await log.begin({ chat_id: chatId, created: now(), generation: 0, gone: [] }, fresh)))
      return this.append(chatId, entries);
    await this.#note(chatId, log);
    return appended(chatId, entries, fresh);
  }

  async append(chatId: string, entries: readonly ChatEntry[]): Promise<Appended> {
    const log = this.#log(chatId);
    checkSizes(entries, this.#options.limits);
    await this.#checkFiles(entries);
    await this.#usage.refresh();
    const accepted = await log.append(entries, (bytes) => this.#usage.takeBytes(bytes));
    if (!accepted) throw noSuchChat(chatId);
    if (accepted.length > 0) await this.#note(chatId, log);
    await this.#compactWhereItPays(log);
    return appended(chatId, entries, accepted);
  }

  async expectPlace({ chatId, entryId, parent }: ChatPlace): Promise<void> {
    const log = this.#log(chatId);
    if (!(await log.refresh())) throw noSuchChat(chatId);
    if (log.knows(entryId))
      throw new ServeError(
        'invalid_request',
        `The chat has an entry ${JSON.stringify(entryId)} already. Give each answer an id of its own.`,
        { param: 'chat.entry_id' },
      );
    if (parent !== null && !log.tree.has(parent))
      throw new ServeError(
        'invalid_request',
        `The chat has no message ${JSON.stringify(parent)}. Send it before its answer is asked for.`,
        { param: 'chat.parent' },
      );
  }

  async read(chatId: string, after: string | undefined): Promise<ChatPart> {
    const log = this.#log(chatId);
    const part = await log.readFrom(after, partBytes);
    if (!part) throw noSuchChat(chatId);
    return { ...part, summary: indexedChat(chatId, log).summary };
  }

  async remove(chatId: string, { forever }: { readonly forever: boolean }): Promise<void> {
    const live = this.#pathOf(chatId);
    if (!forever) await makeFolder(this.#bin, 0o700);
    const binned = join(this.#bin, fileInBin(chatId, this.#options.now()));
    const wasThere = await this.#whileNotCompacted(live, () =>
      (forever ? rm(live) : rename(live, binned)).then(() => true, falseWhenMissing),
    );
    const earlier = forever ? await this.#inBin(chatId) : [];
    if (!wasThere && earlier.length === 0) throw noSuchChat(chatId);
    for (const { name } of earlier) await rm(join(this.#bin, name), { force: true });
    this.#usage.forget();
    this.#logs.delete(chatId);
    if (this.#known.remove(chatId) || wasThere) this.#options.changed(chatId, null);
    if (forever) await this.#known.forget();
  }

  async restore(chatId: string): Promise<void> {
    const [newest] = await this.#inBin(chatId);
    if (newest === undefined) throw noSuchChat(chatId);
    const from = join(this.#bin, newest.name);
    // Unlike a rename, a link never takes the place of a chat that is there.
    await link(from, this.#pathOf(chatId)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error;
      throw new ServeError(
        'invalid_request',
        `There is a chat ${JSON.stringify(chatId)} again. Delete it before the earlier one is restored.`,
      );
    });
    await rm(from, { force: true });
    await this.scan();
  }

  /** How many chats that were. What other processes put there meanwhile stays. */
  async emptyBin(): Promise<number> {
    const binned = await this.#binned();
    for (const { name } of binned) await rm(join(this.#bin, name), { force: true });
    this.#usage.forget();
    await this.#known.forget();
    return binned.length;
  }

  /** Newest first. */
  async bin(): Promise<readonly ChatSummary[]> {
    const binned = await this.#known.bin();
    return binned.filter(({ summary }) => !this.#isDue(summary)).map(({ summary }) => summary);
  }

  /** Lets go of what has been in the bin for 30 days, and of files that nothing refers to any more. */
  async tidy(): Promise<void> {
    const used = new Set((await this.chats()).flatMap(({ files }) => [...files]));
    let isForgotten = false;
    for (const { path, files, summary } of await this.#known.bin()) {
      if (this.#isDue(summary)) {
        await rm(path, { force: true });
        isForgotten = true;
      } else for (const hash of files) used.add(hash);
    }
    if (isForgotten) await this.#known.forget();
    await this.files.removeUnused(used);
    this.#usage.forget();
  }

  #isDue({ deleted }: { readonly deleted: number }): boolean {
    return this.#options.now() - deleted > binMs;
  }

  async #note(chatId: string, log: ChatLog): Promise<void> {
    if (await log.refresh()) this.#known.note(chatId, log);
  }

  /** Who writes a chat anew puts it in its place again, where it must not have gone from meanwhile. */
  async #whileNotCompacted<Result>(path: string, act: () => Promise<Result>): Promise<Result> {
    for (let attempt = 0; attempt < mostAttempts; attempt++) {
      const done = await underLock(lockOf(path), this.#options, async () => ({ result: await act() }));
      if (done) return done.result;
      await new Promise<void>((resolve) => this.#options.timers.after(lockPauseMs, resolve));
    }
    throw new Error(`${path} is locked`);
  }

  async #compactWhereItPays(log: ChatLog): Promise<void> {
    const { outdatedBytes: outdated, stamp, path } = log;
    if (outdated < outdatedBytes || outdated * 2 < (stamp?.size ?? 0)) return;
    // What was asked for is done and safe: this is housekeeping.
    if (await compact(path, this.#options).catch(this.#options.failed)) this.#usage.forget();
  }

  async #checkFiles(entries: readonly ChatEntry[]): Promise<void> {
    for (const [index, entry] of entries.entries()) {
      const files = 'files' in entry ? (entry.files ?? []) : [];
      for (const [at, hash] of files.entries()) {
        if (await this.files.touch(hash)) continue;
        const param = `entries[${index}].files[${at}]`;
        throw new ServeError(
          'invalid_request',
          `\`${param}\` is ${hash}, but there is no such file. Send it first: POST /api/chats/files/${hash}.`,
          { param },
        );
      }
    }
  }

  #log(chatId: string): ChatLog {
    const log = this.#logs.get(chatId) ?? new ChatLog(this.#pathOf(chatId), this.#options.now);
    this.#logs.delete(chatId);
    this.#logs.set(chatId, log);
    for (const oldest of this.#logs.keys()) {
      if (this.#logs.size <= mostLogs) break;
      this.#logs.delete(oldest);
    }
    return log;
  }

  #pathOf(chatId: string): string {
    return join(this.#folder, fileOfChat(chatId));
  }

  async #inBin(chatId: string): Promise<Binned[]> {
    return (await this.#binned()).filter((each) => each.chatId === chatId);
  }

  /** Newest first. */
  async #binned(): Promise<Binned[]> {
    const found = (await namesIn(this.#bin)).flatMap((name) => {
      const chat = chatInBin(name);
      return chat ? [{ name, ...chat }] : [];
    });
    return found.toSorted((one, other) => other.deleted - one.deleted);
  }
}

interface Binned {
  readonly name: string;
  readonly chatId: string;
  readonly deleted: number;
}

function withoutDoubles(entries: readonly ChatEntry[]): ChatEntry[] {
  const ids = new Set<string>();
  return entries.filter(({ entry_id: id }) => !ids.has(id) && ids.add(id));
}

function appended(chatId: string, entries: readonly ChatEntry[], accepted: readonly ChatEntry[]): Appended {
  const fresh = accepted.map(({ entry_id }) => entry_id);
  const known = entries.map(({ entry_id }) => entry_id).filter((id) => !fresh.includes(id));
  return { chatId, accepted: fresh, known };
}

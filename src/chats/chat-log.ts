import { constants } from 'node:fs';
import { type FileHandle, open, rm, stat } from 'node:fs/promises';
import type { ChatEntry } from '../contract/chats.ts';
import { ServeError } from '../contract/errors.ts';
import { undefinedWhenMissing } from '../files/missing.ts';
import { lineBreak, readLines } from '../files/read-lines.ts';
import { writeWhole } from '../files/write-whole.ts';
import { ChatTree } from './chat-tree.ts';
import { checkReferences } from './check-references.ts';
import { placeOf } from './live-entries.ts';
import { entryLine, headerLine, type LogHeader, readEntry, readHeader } from './log-lines.ts';

/** What a file looked like when it was read; another look is another file. */
export interface Stamp {
  readonly inode: bigint;
  readonly size: number;
  /** Unix milliseconds. */
  readonly modified: number;
  /** Unix nanoseconds, by the system's clock alone: whoever writes to a file cannot set this time. */
  readonly changed: bigint;
}

/** A tail without a line break is torn, unless another process is just writing it. */
const writeMs = 2000;
/** Each is remembered by its id while the chat is in use. */
const mostEntries = 100_000;
/** Of the first line, to tell a file that was written anew: it has the generation within. */
const headBytes = 256;
/** Appends that find the file replaced under them; a chat is written anew once in a long while. */
const mostAttempts = 10;

/**
 * One chat's file, as this process knows it. Any process may append at any time, so nothing is believed without a look:
 * what came since is read before everything else.
 *
 * Appends need no lock. Each is one write to a file opened for appending, which the system puts behind whatever is there,
 * and begins with a line break, so that it never continues a line that a killed process left torn. A process that writes
 * the file anew (compaction) replaces it by rename; an append that went into the old one sees that the path leads to
 * another file now, and is made again, which its entry_id makes harmless.
 */
export class ChatLog {
  readonly path: string;
  readonly #now: () => number;
  #stamp: Stamp | undefined;
  /** How the file begins. The number of a file that is gone is given to a new one, now and then to the very next. */
  #head: Buffer | undefined;
  /** Up to where the lines are known; all of them whole. */
  #end = 0;
  #header: LogHeader | undefined;
  #tree = new ChatTree();
  /** Where each entry stands first. Those that were left out by compaction stand at -1. */
  #places = new Map<string, number>();
  #damaged = 0;
  /** How long the line is that counts in each place, see `placeOf`. */
  #counting = new Map<string, number>();
  #outdated = 0;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(path: string, now: () => number) {
    this.path = path;
    this.#now = now;
  }

  get tree(): ChatTree {
    return this.#tree;
  }

  get stamp(): Stamp | undefined {
    return this.#stamp;
  }

  /** Where it ends, in the words of `readFrom`. */
  get revision(): string {
    return `${this.#header?.generation ?? 0}-${this.#end}`;
  }

  /** Undefined where the first line is torn. */
  get created(): number | undefined {
    return this.#header?.created;
  }

  /** Whether an entry of this id was ever there. */
  knows(entryId: string): boolean {
    return this.#places.has(entryId);
  }

  /** Bytes of what does not count any more. */
  get outdatedBytes(): number {
    return this.#outdated;
  }

  get damagedLines(): number {
    const { size, modified } = this.#stamp ?? { size: 0, modified: 0 };
    const isTorn = size > this.#end && this.#now() - modified > writeMs;
    return this.#damaged + (isTorn ? 1 : 0);
  }

  /** Takes in what came since the last look. False: there is no such file. */
  refresh(): Promise<boolean> {
    return this.#inTurn(() => this.#refresh());
  }

  /** False: there is one already, to which nothing was added. */
  async begin(header: LogHeader, entries: readonly ChatEntry[]): Promise<boolean> {
    const handle = await open(this.path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'EEXIST') return undefined;
      throw error;
    });
    if (!handle) return false;
    try {
      await writeWhole(handle, headerLine(header) + entries.map(entryLine).join(''));
    } catch (error) {
      await rm(this.path, { force: true });
      throw error;
    } finally {
      await handle.close();
    }
    return true;
  }

  /**
   * The new ones of these entries; undefined: there is no such file. `reserve` is asked before anything is written.
   */
  append(entries: readonly ChatEntry[], reserve: (bytes: number) => void): Promise<readonly ChatEntry[] | undefined> {
    return this.#inTurn(async () => {
      let accepted: readonly ChatEntry[] | undefined;
      for (let attempt = 0; attempt < mostAttempts; attempt++) {
        if (!(await this.#refresh())) return undefined;
        const fresh = this.#fresh(entries);
        accepted ??= fresh;
        if (fresh.length === 0) return accepted;
        checkReferences(entries, (message) => this.#tree.has(message));
        const text = `\n${fresh.map(entryLine).join('')}`;
        reserve(Buffer.byteLength(text));
        if (await this.#write(text)) {
          await this.#refresh();
          return accepted;
        }
      }
      throw new Error(`${this.path} was replaced again and again`);
    });
  }

  /** Entries from a place on, up to so many bytes of them; from the first one where the place is none of this file's. */
  readFrom(after: string | undefined, mostBytes: number): Promise<LogPart | undefined> {
    return this.#inTurn(async () => {
      if (!(await this.#refresh())) return undefined;
      const handle = await this.#open('r');
      if (!handle) return undefined;
      try {
        const start = await this.#placeOf(after, handle);
        return await this.#read(handle, start, mostBytes, start > 0);
      } finally {
        await handle.close();
      }
    });
  }

  async #read(handle: FileHandle, start: number, mostBytes: number, continued: boolean): Promise<LogPart> {
    const entries: ChatEntry[] = [];
    const limit = start + mostBytes;
    const end = await readLines(handle, start, this.#end, (line, at) => {
      const entry = readEntry(line);
      if (entry && this.#places.get(entry.entry_id) === at) entries.push(entry);
      return at + Buffer.byteLength(line) < limit;
    });
    const revision = `${this.#header?.generation ?? 0}-${end}`;
    return { entries, revision, continued, more: end < this.#end };
  }

  async #placeOf(after: string | undefined, handle: FileHandle): Promise<number> {
    const [, generation, place] = /^(\d{1,9})-(\d{1,15})$/.exec(after ?? '') ?? [];
    const at = Number(place);
    if (Number(generation) !== (this.#header?.generation ?? 0) || !(at > 0 && at <= this.#end)) return 0;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(1), 0, 1, at - 1);
    return bytesRead === 1 && buffer[0] === lineBreak ? at : 0;
  }

  /** Without those that are known, and without doubles among them. */
  #fresh(entries: readonly ChatEntry[]): ChatEntry[] {
    const ids = new Set<string>();
    return entries.filter(({ entry_id: id }) => {
      const isNew = !this.#places.has(id) && !ids.has(id);
      ids.add(id);
      return isNew;
    });
  }

  /** False: the path leads to another file now, or to none. */
  async #write(text: string): Promise<boolean> {
    if (this.#places.size >= mostEntries)
      throw new ServeError(
        'storage_full',
        `This chat has ${mostEntries} entries, more than which it cannot have. Go on in a new one.`,
      );
    const handle = await this.#open(constants.O_WRONLY | constants.O_APPEND);
    if (!handle) return false;
    try {
      const { ino } = await handle.stat({ bigint: true });
      await writeWhole(handle, text);
      const there = await stat(this.path, { bigint: true }).catch(undefinedWhenMissing);
      return there?.ino === ino;
    } finally {
      await handle.close();
    }
  }

  async #refresh(): Promise<boolean> {
    const handle = await this.#open('r');
    if (!handle) {
      this.#forget();
      return false;
    }
    try {
      const { ino, size, mtimeMs, ctimeNs } = await handle.stat({ bigint: true });
      const head = await headOf(handle);
      const isKnown = this.#stamp?.inode === ino && Number(size) >= this.#end && startsAlike(head, this.#head);
      if (!isKnown) this.#forget();
      this.#head = head;
      this.#stamp = { inode: ino, size: Number(size), modified: Number(mtimeMs), changed: ctimeNs };
      this.#end = await readLines(handle, this.#end, Number(size), (line, at) => {
        this.#take(line, at);
        return true;
      });
      return true;
    } finally {
      await handle.close();
    }
  }

  #take(line: string, at: number): void {
    if (line === '') return;
    if (at === 0) {
      this.#header = readHeader(line);
      for (const id of this.#header?.gone ?? []) this.#places.set(id, -1);
      if (this.#header) return;
    }
    const entry = readEntry(line);
    if (!entry) {
      this.#damaged++;
      return;
    }
    if (this.#places.has(entry.entry_id)) return;
    this.#places.set(entry.entry_id, at);
    this.#tree.apply(entry);
    const place = placeOf(entry);
    this.#outdated += this.#counting.get(place) ?? 0;
    this.#counting.set(place, line.length);
  }

  #forget(): void {
    this.#stamp = undefined;
    this.#head = undefined;
    this.#end = 0;
    this.#header = undefined;
    this.#tree = new ChatTree();
    this.#places = new Map();
    this.#damaged = 0;
    this.#counting = new Map();
    this.#outdated = 0;
  }

  #open(flags: string | number): Promise<FileHandle | undefined> {
    return open(this.path, flags).catch(undefinedWhenMissing);
  }

  #inTurn<Result>(act: () => Promise<Result>): Promise<Result> {
    const done = this.#queue.then(act);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}

async function headOf(handle: FileHandle): Promise<Buffer> {
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(headBytes), 0, headBytes, 0);
  return buffer.subarray(0, bytesRead);
}

/** A file that was shorter than this has grown since. */
function startsAlike(head: Buffer, before: Buffer | undefined): boolean {
  return before !== undefined && head.subarray(0, before.length).equals(before);
}

export interface LogPart {
  readonly entries: readonly ChatEntry[];
  readonly revision: string;
  readonly continued: boolean;
  readonly more: boolean;
}

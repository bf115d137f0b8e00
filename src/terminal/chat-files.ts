import { readFile, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { extname, join } from 'node:path';
import { ServeError } from '../contract/errors.ts';
import { undefinedWhenMissing } from '../files/missing.ts';
import { readTextFile } from '../files/read-text.ts';
import { type Conversation, readSaved, saveText } from './conversation.ts';

/** The files that a chat reads and writes, by paths that a person has typed. */
export interface ChatFiles {
  /** As a `data:` address. */
  readImage(path: string): Promise<string>;
  load(path: string): Promise<Conversation>;
  /** Only into a new file, or over another saved chat. */
  save(path: string, conversation: Conversation): Promise<void>;
}

const mostImageBytes = 20_000_000;

export const chatFiles: ChatFiles = {
  async readImage(typed) {
    const path = pathOf(typed);
    try {
      const { size } = await stat(path);
      if (size > mostImageBytes) throw new Error(`is larger than ${mostImageBytes / 1_000_000} MB`);
      const type = extname(path).slice(1).toLowerCase() || 'png';
      return `data:image/${type === 'jpg' ? 'jpeg' : type};base64,${(await readFile(path)).toString('base64')}`;
    } catch (error) {
      throw unusable(typed, error);
    }
  },

  async load(typed) {
    try {
      return readSaved(readTextFile(pathOf(typed)));
    } catch (error) {
      throw unusable(typed, error);
    }
  },

  async save(typed, conversation) {
    const path = pathOf(typed);
    try {
      if (await stat(path).catch(undefinedWhenMissing)) readSaved(readTextFile(path));
      await writeFile(path, saveText(conversation), { mode: 0o600 });
    } catch (error) {
      throw unusable(typed, error);
    }
  },
};

/** As shells read it, and as file managers drop it: `~/a`, `'a b'`, `a\ b`. */
function pathOf(typed: string): string {
  const bare = /^'.*'$|^".*"$/.test(typed) ? typed.slice(1, -1) : typed.replace(/\\(.)/g, '$1');
  return bare === '~' || bare.startsWith('~/') ? join(homedir(), bare.slice(1)) : bare;
}

function unusable(path: string, error: unknown): ServeError {
  const { message = '', code = undefined } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  const reason = code === 'ENOENT' ? 'is not there' : code === undefined ? message : `cannot be used (${code})`;
  return new ServeError('invalid_request', `${path} ${reason}.`, {}, { cause: error });
}

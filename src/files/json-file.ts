import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface JsonFile<Content> {
  read(): Content;
  write(content: Content): void;
}

/** One small file of what was found out once. When it cannot be read or written, that is found out again, nothing else. */
export function createJsonFile<Content extends object>(path: string, empty: Content): JsonFile<Content> {
  return {
    read() {
      try {
        const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
        // Only this program writes the file; what matters is that nothing of another shape gets through.
        return typeof content === 'object' && Array.isArray(content) === Array.isArray(empty) && content !== null
          ? (content as Content)
          : empty;
      } catch {
        return empty;
      }
    },
    write(content) {
      try {
        // In two steps: Node's `recursive` never ends in a home like /proc, see makeFolder.
        for (const folder of [dirname(dirname(path)), dirname(path)]) if (!existsSync(folder)) mkdirSync(folder);
        const temporary = `${path}.${process.pid}`;
        writeFileSync(temporary, JSON.stringify(content));
        renameSync(temporary, path);
      } catch {
        // A read-only home.
      }
    },
  };
}

const mostWords = 1000;

/** A set of words that outlives the process; the oldest are forgotten. */
export function createWordFile(path: string): { has(word: string): boolean; add(word: string): void } {
  const file = createJsonFile<readonly string[]>(path, []);
  return {
    has: (word) => file.read().includes(word),
    add: (word) => file.write([...file.read().filter((other) => other !== word), word].slice(-mostWords)),
  };
}

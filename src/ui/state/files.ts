import { signal } from '@preact/signals';
import { toBase64 } from '../chats/base64.ts';
import { type AttachedFile, type AttachedImage, isImage, type Message } from '../chats/message.ts';
import type { Refusal } from '../chats/read-file.ts';
import type { ChatStore } from '../chats/store.ts';

export interface FilesOptions {
  readonly store: Pick<ChatStore, 'keepFile' | 'file'>;
  /** SHA-256, in hex. */
  readonly hash: (bytes: Blob) => Promise<string>;
  /** The model takes pictures; undefined while nobody knows. */
  readonly sees: () => boolean | undefined;
  /** A file was not taken, and why; or the place where chats are kept would not have it. */
  readonly refused: (name: string, why: Refusal | Error) => void;
}

/** The files that go with messages: how they come in, and the bytes of those that are pictures. */
export class Files {
  readonly #options: FilesOptions;
  /** Of pictures that were read, as `data:` addresses; undefined for what is not kept any more. */
  readonly #urls = signal<ReadonlyMap<string, string | undefined>>(new Map());

  constructor(options: FilesOptions) {
    this.#options = options;
  }

  /** What a message can take along of these; the reader is told of the others. */
  async take(given: readonly File[]): Promise<AttachedFile[]> {
    const taken: AttachedFile[] = [];
    for (const file of given) {
      const attached = await this.#takeOne(file);
      if (attached) taken.push(attached);
    }
    return taken;
  }

  /** Undefined until it is loaded, and where it is not kept any more. */
  urlOf({ sha256 }: Pick<AttachedImage, 'sha256'>): string | undefined {
    return this.#urls.value.get(sha256);
  }

  /** It was looked for and is not there. */
  isLost({ sha256 }: Pick<AttachedImage, 'sha256'>): boolean {
    return this.#urls.value.has(sha256) && this.urlOf({ sha256 }) === undefined;
  }

  async load(images: readonly AttachedImage[]): Promise<void> {
    for (const { sha256, type } of images) {
      if (this.#urls.peek().has(sha256)) continue;
      const bytes = await this.#options.store.file(sha256);
      this.#know(sha256, bytes && (await dataUrl(bytes, type)));
    }
  }

  async #takeOne(file: File): Promise<AttachedFile | undefined> {
    const { store, hash, sees, refused } = this.#options;
    try {
      const { readGiven } = await import('../chats/read-file.ts');
      const given = await readGiven(file, sees());
      if (given.kind === 'refused') {
        refused(given.name, given.why);
        return undefined;
      }
      if (given.kind === 'text') return { name: given.name, text: given.text };
      const { name, type, bytes } = given;
      const sha256 = await hash(bytes);
      // Before the message that names it: a page that closes then loses nothing.
      await store.keepFile(sha256, bytes);
      this.#know(sha256, await dataUrl(bytes, type));
      return { name, type, bytes: bytes.size, sha256 };
    } catch (failure) {
      refused(file.name, failure instanceof Error ? failure : new Error(String(failure)));
      return undefined;
    }
  }

  #know(sha256: string, url: string | undefined): void {
    this.#urls.value = new Map(this.#urls.peek()).set(sha256, url);
  }
}

export function imagesOf(path: readonly Message[]): AttachedImage[] {
  return path.flatMap((message) => (message.role === 'user' ? (message.files ?? []).filter(isImage) : []));
}

async function dataUrl(bytes: Blob, type: string): Promise<string> {
  return `data:${type};base64,${await toBase64(bytes)}`;
}

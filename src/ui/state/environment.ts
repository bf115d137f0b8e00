import type { Listening } from '../api/one-listener.ts';
import type { KeyValueStorage } from './preferences.ts';

/** What the page takes from the browser. Built by main.tsx; tests hand in their own. */
export interface Environment {
  /** Where the API lies, with a slash at its end. */
  readonly base: string;
  readonly fetch: typeof fetch;
  /** Unix milliseconds. */
  readonly now: () => number;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
  readonly newId: () => string;
  /** SHA-256, in hex. */
  readonly hash: (bytes: Blob) => Promise<string>;
  /** Kept by this browser, and kept until this tab is closed. */
  readonly local: KeyValueStorage;
  readonly session: KeyValueStorage;
  /** Before the next picture, or soon where nobody looks. */
  readonly onFrame: (callback: () => void) => void;
  readonly after: (milliseconds: number, callback: () => void) => () => void;
  /** Hears a stream of the server, one tab for all of them. Gives a function that ends it. */
  readonly listen: Listen;
  /** Languages of the reader, the dearest first. */
  readonly languages: readonly string[];
  /** Wide enough for the sidebar to stand beside the chat. */
  readonly wide: boolean;
}

export type Listen = (what: Omit<Listening, 'after'>, hear: (value: unknown) => void) => () => void;

import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { ApiClient } from '../api/client.ts';
import { ApiFailure } from '../api/failure.ts';
import { type AttachedFile, isImage, type Message, type UserMessage } from '../chats/message.ts';
import { type PromptOptions, wireMessages } from '../chats/request.ts';
import type { Chats } from './chats.ts';
import type { Environment } from './environment.ts';
import { type Files, imagesOf } from './files.ts';
import { attempt } from './preferences.ts';
import { countAfterMs, type Price, priceOf } from './price.ts';
import { ReadAhead } from './read-ahead.ts';
import type { Server } from './server.ts';

type Draft = Pick<UserMessage, 'files'> & { readonly text: string };

export interface ComposerOptions {
  readonly api: ApiClient;
  readonly server: Server;
  readonly chats: Chats;
  readonly files: Files;
  readonly environment: Environment;
  readonly settings: () => Readonly<Record<string, unknown>>;
  readonly prompt: () => PromptOptions;
  /** An answer of this page is under way. */
  readonly busy: () => boolean;
}

/** What is pasted and longer than this becomes a file. */
const longPaste = 2500;
const draftName = (chatId: string | undefined) => `serve-model:draft:${chatId ?? ''}`;

/** What is being written, in each chat its own, and what it would cost. */
export class Composer {
  readonly #options: ComposerOptions;
  readonly #price = signal<Price | undefined>(undefined);
  readonly text: Signal<string> = signal('');
  readonly files = signal<readonly AttachedFile[]>([]);
  /** So many are on their way. */
  readonly coming = signal(0);
  /** The file that the last thing pasted became, and where it would have stood. */
  readonly pasted = signal<{ readonly file: AttachedFile; readonly at: number } | undefined>(undefined);
  /** Of the last thing that was counted; undefined while nobody knows. */
  readonly price: ReadonlySignal<Price | undefined> = this.#price;
  /** There is something to send, all of it, and the chat that it belongs to. */
  readonly canSend: ReadonlySignal<boolean>;
  /** Files of other chats' drafts; they last as long as the page. */
  readonly #drafts = new Map<string | undefined, readonly AttachedFile[]>();
  #chatId: string | undefined;
  #cancelCount: () => void = () => undefined;
  #counting: AbortController | undefined;
  readonly #readAhead: ReadAhead;
  /** Counts up when the same draft has another price. */
  readonly #priceAgain = signal(0);

  constructor(options: ComposerOptions) {
    this.#options = options;
    const { open, awaited } = options.chats;
    const isEmpty = () => this.text.value.trim() === '' && this.files.value.length === 0;
    const isThere = () => open.value !== undefined || awaited.value === undefined;
    this.canSend = computed(() => !isEmpty() && this.coming.value === 0 && isThere());
    this.#readAhead = new ReadAhead({
      api: options.api,
      mayRead: () => !options.busy(),
      done: () => {
        this.#priceAgain.value += 1;
      },
    });
    effect(() => this.#follow(options.chats.open.value?.id ?? options.chats.awaited.value));
    effect(() => {
      const path = options.chats.path.value;
      const draft = { text: this.text.value, files: this.files.value };
      const ready = options.server.phase.value === 'ready';
      options.settings();
      options.prompt();
      this.#priceAgain.value;
      if (ready) this.#countSoon(path, draft);
    });
  }

  /** Sends what is there, for so many answers; false where it cannot be sent. */
  send(answers = 1): boolean {
    if (!this.canSend.value) return false;
    this.#readAhead.stop();
    const { text, files } = { text: this.text.value.trim(), files: this.files.value };
    this.set('');
    this.files.value = [];
    this.#chatId = this.#options.chats.send(text, files, answers);
    return true;
  }

  async attach(given: readonly File[]): Promise<void> {
    const chatId = this.#chatId;
    this.coming.value += given.length;
    const taken = await this.#options.files.take(given).finally(() => {
      this.coming.value -= given.length;
    });
    // Meanwhile somebody may have turned to another chat.
    if (chatId === this.#chatId) this.files.value = [...this.files.value, ...taken];
    else this.#drafts.set(chatId, [...(this.#drafts.get(chatId) ?? []), ...taken]);
  }

  detach(file: AttachedFile): void {
    this.files.value = this.files.value.filter((other) => other !== file);
  }

  /** True: it is long enough for a file, and is one now. `at` is where the cursor stands. */
  paste(text: string, at: number, name: string): boolean {
    if (text.length <= longPaste) return false;
    const file = { name, text };
    this.files.value = [...this.files.value, file];
    this.pasted.value = { file, at };
    return true;
  }

  /** What was pasted last stands in the field after all. */
  unfoldPaste(): void {
    const { file, at } = this.pasted.value ?? {};
    this.pasted.value = undefined;
    if (!file || isImage(file) || !this.files.value.includes(file)) return;
    const before = this.text.value;
    this.detach(file);
    this.set(before.slice(0, at) + file.text + before.slice(at ?? before.length));
  }

  /** Keeps it for this tab: a reload loses nothing. */
  set(text: string): void {
    this.pasted.value = undefined;
    this.text.value = text;
    const name = draftName(this.#chatId);
    const { session } = this.#options.environment;
    attempt(() => (text === '' ? session.removeItem(name) : session.setItem(name, text)));
  }

  #follow(chatId: string | undefined): void {
    if (chatId === this.#chatId && chatId !== undefined) return;
    this.#drafts.set(this.#chatId, this.files.peek());
    this.#chatId = chatId;
    this.pasted.value = undefined;
    this.text.value = attempt(() => this.#options.environment.session.getItem(draftName(chatId))) ?? '';
    this.files.value = this.#drafts.get(chatId) ?? [];
  }

  #countSoon(path: readonly Message[], draft: Draft): void {
    this.#cancelCount();
    this.#counting?.abort('another draft');
    const wait = countAfterMs([...path, draftMessage(draft)]);
    this.#cancelCount = this.#options.environment.after(wait, () => void this.#count(path, draft));
  }

  async #count(path: readonly Message[], draft: Draft): Promise<void> {
    const { api, settings, prompt } = this.#options;
    const hasDraft = draft.text.trim() !== '' || (draft.files?.length ?? 0) > 0;
    const asked = hasDraft ? [...path, draftMessage(draft)] : path;
    if (asked.length === 0 && prompt().systemPrompt.trim() === '') {
      this.#price.value = undefined;
      return;
    }
    const counting = new AbortController();
    this.#counting = counting;
    try {
      await this.#options.files.load(imagesOf(asked));
      if (counting.signal.aborted) return;
      const messages = wireMessages(asked, prompt());
      const counted = { ...settings(), messages, ...(hasDraft ? {} : { continue_final_message: false }) };
      const price = await priceOf(api, counted, counting.signal);
      if (!price) return;
      this.#price.value = price;
      const session = this.#chatId === undefined ? {} : { session_id: this.#chatId };
      const body = { ...settings(), messages, ...session };
      // What is said already is read with the next message; only what is new is worth reading now.
      if (hasDraft && price.cached !== undefined) this.#readAhead.consider(body, price.tokens - price.cached);
    } catch (failure) {
      // A count is worth nothing by itself: what is wrong is said when the message is sent.
      if (!counting.signal.aborted && failure instanceof ApiFailure) this.#price.value = undefined;
      else if (!counting.signal.aborted) throw failure;
    }
  }
}

function draftMessage({ text, files = [] }: Draft): UserMessage {
  const said = text.trim();
  const blocks = said === '' ? [] : [{ kind: 'text', text: said } as const];
  return { id: 'draft', parent: null, role: 'user', time: 0, blocks, files };
}

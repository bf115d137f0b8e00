import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { ApiClient } from '../api/client.ts';
import { ApiFailure, member } from '../api/failure.ts';
import type { AttachedText, Message, UserMessage } from '../chats/message.ts';
import { type PromptOptions, wireMessages } from '../chats/request.ts';
import type { Chats } from './chats.ts';
import type { Environment } from './environment.ts';
import { attempt } from './preferences.ts';
import type { Server } from './server.ts';

/** What sending would take; of exactly the prompt that would be sent. */
export interface Price {
  readonly tokens: number;
  /** Of these are read already; an estimate. */
  readonly cached: number | undefined;
  readonly firstTokenMs: number | undefined;
}

export interface ComposerOptions {
  readonly api: ApiClient;
  readonly server: Server;
  readonly chats: Chats;
  readonly environment: Environment;
  readonly settings: () => Readonly<Record<string, unknown>>;
  readonly prompt: () => PromptOptions;
}

const countAfterMs = 250;
const draftName = (chatId: string | undefined) => `serve-model:draft:${chatId ?? ''}`;

/** What is being written, in each chat its own, and what it would cost. */
export class Composer {
  readonly #options: ComposerOptions;
  readonly #price = signal<Price | undefined>(undefined);
  readonly text: Signal<string> = signal('');
  readonly files = signal<readonly AttachedText[]>([]);
  /** Of the last thing that was counted; undefined while nobody knows. */
  readonly price: ReadonlySignal<Price | undefined> = this.#price;
  readonly isEmpty = computed(() => this.text.value.trim() === '' && this.files.value.length === 0);
  #chatId: string | undefined;
  #cancelCount: () => void = () => undefined;
  #counting: AbortController | undefined;

  constructor(options: ComposerOptions) {
    this.#options = options;
    effect(() => this.#follow(options.chats.open.value?.id));
    effect(() => {
      const path = options.chats.path.value;
      const draft = { text: this.text.value, files: this.files.value };
      const ready = options.server.phase.value === 'ready';
      options.settings();
      options.prompt();
      if (ready) this.#countSoon(path, draft);
    });
  }

  /** Sends what is there; false where there is nothing. */
  send(): boolean {
    if (this.isEmpty.value) return false;
    const { text, files } = { text: this.text.value.trim(), files: this.files.value };
    this.set('');
    this.files.value = [];
    this.#chatId = this.#options.chats.send(text, files);
    return true;
  }

  /** Keeps it for this tab: a reload loses nothing. */
  set(text: string): void {
    this.text.value = text;
    const name = draftName(this.#chatId);
    const { session } = this.#options.environment;
    attempt(() => (text === '' ? session.removeItem(name) : session.setItem(name, text)));
  }

  #follow(chatId: string | undefined): void {
    if (chatId === this.#chatId && chatId !== undefined) return;
    this.#chatId = chatId;
    this.text.value = attempt(() => this.#options.environment.session.getItem(draftName(chatId))) ?? '';
    this.files.value = [];
  }

  #countSoon(path: readonly Message[], draft: Pick<UserMessage, 'files'> & { readonly text: string }): void {
    this.#cancelCount();
    this.#counting?.abort('another draft');
    const cancel = this.#options.environment.after(countAfterMs, () => void this.#count(path, draft));
    this.#cancelCount = cancel;
  }

  async #count(path: readonly Message[], draft: Pick<UserMessage, 'files'> & { readonly text: string }): Promise<void> {
    const { api, settings, prompt } = this.#options;
    const hasDraft = draft.text.trim() !== '' || (draft.files?.length ?? 0) > 0;
    const message: UserMessage = {
      id: 'draft',
      parent: null,
      role: 'user',
      time: 0,
      blocks: draft.text.trim() === '' ? [] : [{ kind: 'text', text: draft.text.trim() }],
      files: draft.files ?? [],
    };
    const messages = wireMessages(hasDraft ? [...path, message] : path, prompt());
    if (messages.length === 0) {
      this.#price.value = undefined;
      return;
    }
    const counting = new AbortController();
    this.#counting = counting;
    try {
      const answer = await api.call<unknown>('v1/chat/completions/input_tokens', {
        body: { ...settings(), messages, ...(hasDraft ? {} : { continue_final_message: false }) },
        signal: counting.signal,
      });
      const tokens = member(answer, 'input_tokens');
      const cached = member(answer, 'cached_tokens');
      const first = member(answer, 'first_token_ms');
      if (typeof tokens !== 'number') return;
      this.#price.value = {
        tokens,
        cached: typeof cached === 'number' ? cached : undefined,
        firstTokenMs: typeof first === 'number' ? first : undefined,
      };
    } catch (failure) {
      // A count is worth nothing by itself: what is wrong is said when the message is sent.
      if (!counting.signal.aborted && failure instanceof ApiFailure) this.#price.value = undefined;
      else if (!counting.signal.aborted) throw failure;
    }
  }
}

import type { ReadonlySignal } from '@preact/signals';
import type { ChatSettings, ChatSummary } from '../chats/entries.ts';
import type { PlacedToken } from '../chats/lens.ts';
import { type AssistantMessage, type AttachedFile, type Message, withText } from '../chats/message.ts';
import { type Shorts, shortened } from '../chats/shorten.ts';
import type { ChatStore, SearchHit } from '../chats/store.ts';
import { type Chat, latestBelow, pathOf, titleFrom, versionsOf } from '../chats/tree.ts';
import { Answers } from './answers.ts';
import { EntryKeeper } from './entry-keeper.ts';
import type { Environment } from './environment.ts';
import { KnownChats } from './known-chats.ts';
import { copiedMessages, correctedAnswer, newUserMessage } from './new-messages.ts';
import type { ChatParts } from './portable.ts';
import type { RequestBodyOptions } from './request-body.ts';
import type { RunSoFar, Runs } from './runs.ts';

export interface ChatsOptions extends RequestBodyOptions {
  readonly store: ChatStore;
  readonly environment: Pick<Environment, 'newId' | 'now' | 'hash'>;
  readonly runs: () => Runs;
  /** What a new chat begins with and keeps as its own. */
  readonly newSettings: () => ChatSettings;
  /** The id of a run that the server still has, by its cancel id. */
  readonly findRun: (cancelId: string) => Promise<string | undefined>;
  /** Something could not be kept; undefined: all of it is kept by now. */
  readonly storeFailed: (error: unknown) => void;
}

/** Where an answer is left, and what it says there instead. */
export interface Branch {
  /** Which of its blocks, and how many characters of that stay. */
  readonly block: number;
  readonly start: number;
  readonly text: string;
  /** Of what it begins with. */
  readonly tokens: readonly PlacedToken[];
}

/** The chats, and what can be done with them. */
export class Chats {
  readonly #options: ChatsOptions;
  readonly #known: KnownChats;
  readonly #keeper: EntryKeeper;
  readonly #answers: Answers;
  /** What export and import work on. */
  readonly parts: ChatParts;
  /** The list came from the store for the first time. */
  readonly listed: ReadonlySignal<boolean>;
  readonly list: ReadonlySignal<readonly ChatSummary[]>;
  /** Undefined: a new one, that is nowhere yet. */
  readonly open: ReadonlySignal<Chat | undefined>;
  /** The one that is to be shown and is not read yet. */
  readonly awaited: ReadonlySignal<string | undefined>;
  /** What is shown was deleted, here or elsewhere. */
  readonly isGone: ReadonlySignal<boolean>;
  /** What is shown, first to last. */
  readonly path: ReadonlySignal<readonly Message[]>;

  constructor(options: ChatsOptions) {
    const { store, environment, runs, findRun } = options;
    const keeper = new EntryKeeper({ store, failed: options.storeFailed });
    const known = new KnownChats({ store, keeper, environment });
    this.#options = options;
    this.#keeper = keeper;
    this.#known = known;
    this.#answers = new Answers({ store, keeper, known, environment, runs, findRun, request: options });
    this.parts = { store, keeper, known, environment };
    ({ listed: this.listed, list: this.list, open: this.open, path: this.path } = known);
    ({ awaited: this.awaited, isGone: this.isGone } = known);
  }

  async start(tab: string): Promise<void> {
    // Where the store is away: see refresh.
    await this.#known.relist().catch(() => undefined);
    // Behind the list, which needs none of what is asked for here.
    await this.#answers.adoptPartials(tab).catch(() => undefined);
  }

  /** Makes up for what could not be read, and for changes that were not heard of, while the store was away. */
  refresh(): Promise<void> {
    return this.#known.refresh();
  }

  /** Shows a chat; an unknown one is a new one. */
  show(id: string | undefined): Promise<void> {
    return this.#known.show(id);
  }

  search(query: string): Promise<readonly SearchHit[]> {
    return this.#options.store.search(query);
  }

  /** Gives the id of the chat, which is a new one where none is open. Asks for `count` answers, all versions of one. */
  send(text: string, files: readonly AttachedFile[] = [], count = 1): string {
    const chat = this.open.value ?? this.#known.create(this.#options.newSettings());
    const message = newUserMessage(this.#options.environment, chat.head, text, files);
    void this.#known.add(chat.id, [{ type: 'message', message }]);
    if (!chat.named && chat.title === '') {
      const title = titleFrom(text || (files[0]?.name ?? ''));
      void this.#known.add(chat.id, [{ type: 'title', title, by: 'page' }]);
    }
    this.#known.showKnown(chat.id);
    this.#answers.ask(chat.id, message.id, { count });
    return chat.id;
  }

  /** Another answer beside this one; by another model, where one is named. */
  regenerate(id: string, model?: string): void {
    const chat = this.open.value;
    const message = chat?.messages.get(id);
    if (chat && message?.parent) this.#answers.ask(chat.id, message.parent, { model });
  }

  /** Ends what is being answered in the open chat. */
  stop(): void {
    const id = this.open.value?.id;
    if (id !== undefined) this.#answers.stop(id);
  }

  /** The chat goes on from this version, and from what follows it. */
  goOnFrom(id: string): void {
    const chat = this.open.value;
    if (chat?.messages.has(id)) void this.#known.add(chat.id, [{ type: 'head', head: latestBelow(chat, id) }]);
  }

  /** What a person wrote, written otherwise, beside what it was; and an answer to it. */
  rewrite(id: string, text: string): void {
    const chat = this.open.value;
    const before = chat?.messages.get(id);
    if (!chat || before?.role !== 'user') return;
    const message = newUserMessage(this.#options.environment, before.parent, text, before.files ?? []);
    void this.#known.add(chat.id, [{ type: 'message', message }]);
    this.#answers.ask(chat.id, message.id);
  }

  /** An answer as a person would have it, beside what it was. */
  correct(id: string, text: string): string | undefined {
    const chat = this.open.value;
    const before = chat?.messages.get(id);
    if (!chat || before?.role !== 'assistant') return undefined;
    return this.#beside(chat, before, withText(before, text).blocks);
  }

  /** Another version of an answer, which begins as that one did up to a token, has another there, and is gone on with. */
  branch(id: string, { block, start, text, tokens }: Branch): void {
    const chat = this.open.value;
    const before = chat?.messages.get(id);
    const cut = before?.blocks[block];
    if (!chat || before?.role !== 'assistant' || cut?.kind !== 'text' || this.#options.runs().ofChat(chat.id)) return;
    const blocks = [...before.blocks.slice(0, block), { ...cut, text: cut.text.slice(0, start) + text }];
    const branched = this.#beside(chat, before, blocks);
    this.#options.runs().tokens.set(branched, tokens);
    this.continueAnswer(branched);
  }

  /** What prompts have of these messages, from now on. Gives what takes it back, whichever chat is open by then. */
  mark(ids: readonly string[], how: Pick<Message, 'muted' | 'pinned'>): () => void {
    return this.#edit(
      ids,
      (message) => ({ ...message, ...how }),
      (message, { muted = false, pinned = false }) => ({
        ...message,
        ...(how.muted !== undefined && { muted }),
        ...(how.pinned !== undefined && { pinned }),
      }),
    );
  }

  /** What prompts have in place of these messages; undefined: they are read whole. Gives what takes it back, likewise. */
  shorten(shorts: Shorts): () => void {
    const edit = (message: Message, all: Shorts) => shortened([message], all)[0] ?? message;
    return this.#edit(
      [...shorts.keys()],
      (message) => edit(message, shorts),
      (message, { id, short }) => edit(message, new Map([[id, short]])),
    );
  }

  /** Goes on where the answer ends. */
  continueAnswer(id: string): void {
    const chat = this.open.value;
    const message = chat?.messages.get(id);
    if (chat && message?.role === 'assistant') this.#answers.goOn(chat.id, message);
  }

  /** Another version of a message: one to the left or to the right, with what follows it. */
  turn(id: string, step: 1 | -1): void {
    const chat = this.open.value;
    const message = chat?.messages.get(id);
    if (!chat || !message) return;
    const versions = versionsOf(chat, message);
    const next = versions[versions.indexOf(id) + step];
    if (next !== undefined) this.goOnFrom(next);
  }

  /** What is said up to here, as a chat of its own, which is shown. */
  fork(id: string): string | undefined {
    const chat = this.open.value;
    if (!chat) return undefined;
    const messages = copiedMessages(this.#options.environment, pathOf(chat, id));
    const copy = this.#known.create(chat.settings);
    void this.#known.add(copy.id, [
      ...messages,
      { type: 'title', title: chat.title, by: chat.named ? 'person' : 'page' },
    ]);
    this.#known.showKnown(copy.id);
    return copy.id;
  }

  rename(id: string, title: string): Promise<void> {
    return this.#known.addLoaded(id, { type: 'title', title, by: 'person' });
  }

  pin(id: string, pinned: boolean): Promise<void> {
    return this.#known.addLoaded(id, { type: 'pin', pinned });
  }

  /** How the open chat is gone on with from now on; its other settings stay. */
  change(settings: ChatSettings): void {
    const chat = this.open.value;
    if (chat) void this.#known.add(chat.id, [{ type: 'settings', settings: { ...chat.settings, ...settings } }]);
  }

  async remove(id: string): Promise<void> {
    this.#answers.drop(id, { keep: true });
    this.#known.hide(id);
    if (await this.#keeper.keep(this.#options.store.remove(id))) this.#known.setGone(id, true);
    this.#keeper.forget(id);
  }

  restore(id: string): Promise<void> {
    return this.#known.bringBack(id);
  }

  /** Keeps the chat that is shown again. */
  async bringBack(): Promise<void> {
    const chat = this.open.value;
    if (chat) await this.#known.bringBack(chat.id);
  }

  /** For good, what was deleted; how many chats that were. What did not fit before may fit now. */
  async emptyBin(): Promise<number> {
    const count = await this.#options.store.emptyBin();
    await this.keepRefused();
    return count;
  }

  /** All chats, for good, those that were deleted before too. */
  async wipe(): Promise<void> {
    const { store } = this.#options;
    for (const { id } of await store.list()) {
      this.#answers.drop(id, { keep: false });
      await store.wipe(id);
      this.#known.forget(id);
    }
    this.#keeper.forget();
    await this.emptyBin();
    // It may be in no list yet.
    if (this.open.value) this.#known.hide(this.open.value.id);
    await this.#known.relist();
  }

  /** The end of a run. */
  answered(chatId: string, message: AssistantMessage): void {
    this.#answers.ended(chatId, message);
  }

  savePartial(soFar: RunSoFar, tab: string): void {
    this.#answers.savePartial(soFar, tab);
  }

  /** Tries again to keep what was refused. */
  keepRefused(): Promise<void> {
    return this.#keeper.keepRefused();
  }

  /** `back`: a message as it is by then, with what was edited as it was before. */
  #edit(
    ids: readonly string[],
    edited: (message: Message) => Message,
    back: (message: Message, before: Message) => Message,
  ): () => void {
    const id = this.open.value?.id;
    if (id === undefined) return () => undefined;
    const found = () => ids.flatMap((each) => this.#known.get(id)?.messages.get(each) ?? []);
    const add = (messages: readonly Message[]) =>
      void this.#known.add(
        id,
        messages.map((message) => ({ type: 'edit', message })),
      );
    const before = new Map(found().map((message) => [message.id, message]));
    add(found().map(edited));
    return () => add(found().map((message) => back(message, before.get(message.id) ?? message)));
  }

  #beside(chat: Chat, before: AssistantMessage, blocks: AssistantMessage['blocks']): string {
    const message = correctedAnswer(this.#options.environment, before, blocks);
    void this.#known.add(chat.id, [{ type: 'message', message }]);
    return message.id;
  }
}

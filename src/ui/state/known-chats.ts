import { batch, computed, type ReadonlySignal, signal } from '@preact/signals';
import { isAway } from '../api/failure.ts';
import type { ChatEntry, ChatSettings, ChatSummary } from '../chats/entries.ts';
import { entriesOf } from '../chats/entries-of.ts';
import type { Message } from '../chats/message.ts';
import type { ChatStore } from '../chats/store.ts';
import { type Chat, emptyChat, foldEntries, latestBelow, pathOf } from '../chats/tree.ts';
import type { EntryKeeper } from './entry-keeper.ts';
import type { Environment } from './environment.ts';

export interface KnownChatsOptions {
  readonly store: ChatStore;
  readonly keeper: EntryKeeper;
  readonly environment: Pick<Environment, 'newId' | 'now'>;
}

/** Entries are told apart by their ids; what a page adds gets them here. */
export type NewEntry = ChatEntry extends infer Entry
  ? Entry extends ChatEntry
    ? Omit<Entry, 'entry_id' | 'time'>
    : never
  : never;

/** The chats as this page knows them: the list, the one that is shown, and what was added to each. */
export class KnownChats {
  readonly #options: KnownChatsOptions;
  readonly #list = signal<readonly ChatSummary[]>([]);
  readonly #open = signal<Chat | undefined>(undefined);
  /** Those that were opened, or that are being answered. */
  readonly #known = new Map<string, Chat>();
  /** The chat that was asked for last. */
  #wanted: string | undefined;
  /** The one that was to be shown and could not be read, or not yet. */
  #unread: string | undefined;
  readonly #awaited = signal<string | undefined>(undefined);
  /** Those that were kept: only of them can be said that they were deleted. */
  readonly #kept = new Set<string>();
  /** Those that were deleted, here or elsewhere, since this page knew them. */
  readonly #gone = signal<ReadonlySet<string>>(new Set());
  readonly #comingBack = new Map<string, Promise<void>>();
  /** The list came from the store for the first time. */
  readonly listed = signal(false);
  readonly list: ReadonlySignal<readonly ChatSummary[]> = this.#list;
  /** Undefined: a new one, that is nowhere yet. */
  readonly open: ReadonlySignal<Chat | undefined> = this.#open;
  /** The one that is to be shown and is not read yet: the server may be away. */
  readonly awaited: ReadonlySignal<string | undefined> = this.#awaited;
  /** What is shown was deleted. */
  readonly isGone: ReadonlySignal<boolean> = computed(() => this.#gone.value.has(this.#open.value?.id ?? ''));
  /** What is shown, first to last. */
  readonly path: ReadonlySignal<readonly Message[]> = computed(() =>
    this.#open.value ? pathOf(this.#open.value) : [],
  );

  constructor(options: KnownChatsOptions) {
    this.#options = options;
    // Nobody waits for it: where the server is gone meanwhile, the next change lists them anew.
    options.store.subscribe((id) => void this.#changedElsewhere(id).catch(() => undefined));
  }

  get(id: string): Chat | undefined {
    return this.#known.get(id);
  }

  async relist(): Promise<void> {
    this.#list.value = await this.#options.store.list();
    this.listed.value = true;
  }

  /** Makes up for what could not be read, and for changes that were not heard of, while the store was away. */
  async refresh(): Promise<void> {
    try {
      await this.relist();
      if (this.#unread !== undefined && this.#unread === this.#wanted) await this.show(this.#unread);
      const id = this.#open.value?.id;
      if (id !== undefined) await this.#readAgain(id);
    } catch {
      // It is away again; when it is back this is asked for once more.
    }
  }

  /** Shows a chat; an unknown one is a new one. */
  async show(id: string | undefined): Promise<void> {
    this.#wanted = id;
    this.#awaited.value = undefined;
    if (id === undefined) this.#open.value = undefined;
    if (id === undefined || this.#open.value?.id === id) return;
    this.#unread = id;
    this.#awaited.value = id;
    try {
      await this.load(id);
    } catch (error) {
      // While the server is away it is still to come: see refresh.
      if (this.#wanted === id && !isAway(error)) this.#awaited.value = undefined;
      throw error;
    }
    this.#unread = undefined;
    // Meanwhile somebody may have turned to another one.
    if (this.#wanted !== id) return;
    batch(() => {
      this.#awaited.value = undefined;
      this.#open.value = this.#known.get(id);
    });
  }

  /** Shows one that is known. */
  showKnown(id: string): void {
    this.#open.value = this.#known.get(id);
  }

  /** Neither listed nor shown any more. */
  hide(id: string): void {
    this.#list.value = this.#list.value.filter((chat) => chat.id !== id);
    if (this.#open.value?.id === id) this.#open.value = undefined;
  }

  forget(id: string): void {
    this.#known.delete(id);
    this.#kept.delete(id);
    if (this.#open.value?.id === id) this.#open.value = undefined;
  }

  create(settings: ChatSettings): Chat {
    const { environment } = this.#options;
    const chat = emptyChat(environment.newId(), environment.now());
    this.#known.set(chat.id, chat);
    if (Object.keys(settings).length > 0) void this.add(chat.id, [{ type: 'settings', settings }]);
    return this.#known.get(chat.id) ?? chat;
  }

  /** Settles when it is kept; with false where it could not be. A chat that was deleted is brought back by it. */
  async add(chatId: string, added: readonly NewEntry[]): Promise<boolean> {
    const { chat, entries } = this.#fold(chatId, added);
    this.#list.value = listWith(this.#list.value, chat);
    const isKept = this.#gone.value.has(chatId)
      ? await this.#addToGone(chatId, entries)
      : await this.#options.keeper.append(chatId, entries);
    if (isKept) this.#kept.add(chatId);
    return isKept;
  }

  /** As `add`, for what nobody writes just now: it does not bring a chat back, but comes back with it. */
  async addBehind(chatId: string, added: readonly NewEntry[]): Promise<boolean> {
    if (!this.#gone.value.has(chatId)) return this.add(chatId, added);
    this.#options.keeper.hold(chatId, this.#fold(chatId, added).entries);
    return false;
  }

  /** Keeps a deleted chat again: out of the bin, or where it is in none, as this page knows it. */
  bringBack(id: string): Promise<void> {
    const coming = this.#comingBack.get(id) ?? this.#bringBack(id).finally(() => this.#comingBack.delete(id));
    this.#comingBack.set(id, coming);
    return coming;
  }

  setGone(id: string, isGone: boolean): void {
    if (this.#gone.value.has(id) === isGone) return;
    const gone = new Set(this.#gone.value);
    if (isGone) gone.add(id);
    else gone.delete(id);
    this.#gone.value = gone;
  }

  /** For now: it is seen here, and nowhere kept. */
  showOnly(chatId: string, added: readonly NewEntry[]): void {
    this.#fold(chatId, added);
  }

  async addLoaded(id: string, entry: NewEntry): Promise<void> {
    const isThere = await this.#options.keeper.keep(this.load(id).then(() => undefined));
    if (isThere) await this.add(id, [entry]);
  }

  async load(id: string): Promise<Chat> {
    const known = this.#known.get(id);
    if (known) return known;
    const entries = await this.#options.store.read(id);
    // Somebody else may have asked for it too, been faster, and changed it since.
    const chat = this.#known.get(id) ?? foldEntries(emptyChat(id, entries[0]?.time ?? 0), entries);
    if (chat.messages.size > 0) this.#known.set(id, chat);
    if (entries.length > 0) this.#kept.add(id);
    return chat;
  }

  /** Into the chat as it is now: while these were read or written, an answer may have become whole here. */
  merge(id: string, entries: readonly ChatEntry[]): void {
    const known = this.#known.get(id);
    if (!known || entries.length === 0) return;
    const { head } = known;
    const chat = foldEntries(known, entries);
    // Somebody else's new words do not turn the page that is being read, but it goes along with what is only added below.
    this.#set(head !== null && chat.messages.has(head) ? { ...chat, head: latestBelow(chat, head) } : chat);
  }

  /** In line with what comes while the chat comes back: an answer must not be kept before its question. */
  async #addToGone(id: string, entries: readonly ChatEntry[]): Promise<boolean> {
    const { keeper } = this.#options;
    keeper.hold(id, entries);
    await this.bringBack(id);
    // It did not come back: tried again with whatever else is refused.
    if (this.#gone.value.has(id)) await keeper.release(id);
    return keeper.refusedOf(id).length === 0;
  }

  async #bringBack(id: string): Promise<void> {
    const { store, keeper, environment } = this.#options;
    const again = async () => {
      const chat = this.#known.get(id);
      if (!chat) return await store.restore(id);
      // Refused where it is in no bin.
      await store.restore(id).catch(() => undefined);
      if ((await store.read(id)).length > 0) return;
      await store.append(
        id,
        entriesOf(chat, () => ({ entry_id: environment.newId(), time: environment.now() })),
      );
    };
    if (!(await keeper.keep(again()))) return;
    this.setGone(id, false);
    await keeper.release(id);
    await this.relist().catch(() => undefined);
  }

  #fold(chatId: string, added: readonly NewEntry[]): { readonly chat: Chat; readonly entries: readonly ChatEntry[] } {
    const { environment } = this.#options;
    const entries = added.map(
      (entry): ChatEntry => ({ entry_id: environment.newId(), time: environment.now(), ...entry }),
    );
    const chat = foldEntries(this.#known.get(chatId) ?? emptyChat(chatId, environment.now()), entries);
    this.#set(chat);
    return { chat, entries };
  }

  #set(chat: Chat): void {
    this.#known.set(chat.id, chat);
    if (this.#open.value?.id === chat.id) this.#open.value = chat;
  }

  async #changedElsewhere(id: string): Promise<void> {
    if (this.#known.has(id)) await this.#readAgain(id);
    await this.relist();
  }

  async #readAgain(id: string): Promise<void> {
    const entries = await this.#options.store.read(id);
    this.setGone(id, entries.length === 0 && this.#kept.has(id));
    this.merge(id, entries);
  }
}

function listWith(list: readonly ChatSummary[], chat: Chat): ChatSummary[] {
  const { id, title, pinned, createdAt, updatedAt } = chat;
  const rest = list.filter((other) => other.id !== id);
  return [{ id, title, pinned, createdAt, updatedAt }, ...rest].sort((left, right) => right.updatedAt - left.updatedAt);
}

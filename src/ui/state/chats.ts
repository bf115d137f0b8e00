import { computed, type ReadonlySignal, signal } from '@preact/signals';
import { fromBase64, toBase64 } from '../chats/base64.ts';
import type { ChatEntry, ChatSettings, ChatSummary } from '../chats/entries.ts';
import type { PortableChat, PortableFiles } from '../chats/exchange/own.ts';
import type { PlacedToken } from '../chats/lens.ts';
import {
  type AssistantMessage,
  type AttachedFile,
  type AttachedImage,
  type Block,
  hashesOf,
  type Message,
  textOf,
  type UserMessage,
  withText,
} from '../chats/message.ts';
import { type PromptOptions, wireMessages } from '../chats/request.ts';
import type { ChatStore, SearchHit, Unfinished } from '../chats/store.ts';
import { type Chat, emptyChat, foldEntries, latestBelow, pathOf, titleFrom, versionsOf } from '../chats/tree.ts';
import type { Environment } from './environment.ts';
import { imagesOf } from './files.ts';
import type { Run, RunSoFar, Runs } from './runs.ts';

export interface ChatsOptions {
  readonly store: ChatStore;
  readonly environment: Pick<Environment, 'newId' | 'now' | 'hash'>;
  readonly runs: () => Runs;
  /** What goes along with every request: sampling, thinking, and the like. */
  readonly settings: () => Readonly<Record<string, unknown>>;
  readonly prompt: () => PromptOptions;
  readonly loadImages: (images: readonly AttachedImage[]) => Promise<void>;
  /** What a new chat begins with and keeps as its own. */
  readonly newSettings: () => ChatSettings;
  /** The id of a run that the server still has, by its cancel id. */
  readonly findRun: (cancelId: string) => Promise<string | undefined>;
  /** Something could not be kept; undefined: all of it is kept by now. */
  readonly storeFailed: (error: unknown) => void;
}

/** Entries are told apart by their ids; what a page adds gets them here. */
type NewEntry = ChatEntry extends infer Entry
  ? Entry extends ChatEntry
    ? Omit<Entry, 'entry_id' | 'time'>
    : never
  : never;

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
  readonly #list = signal<readonly ChatSummary[]>([]);
  readonly #open = signal<Chat | undefined>(undefined);
  /** Those that were opened, or that are being answered. */
  readonly #known = new Map<string, Chat>();
  /** Answers that are shown and not kept yet. */
  readonly #unkept = new Set<string>();
  /** Answers of chats that were removed while they were written: what still comes of them does not count. */
  readonly #dropped = new Set<string>();
  /** What the store would not take, in the order of its coming: tried again with the next that it takes. */
  #refused: { readonly id: string; readonly entries: readonly ChatEntry[] }[] = [];
  /** The chat that was asked for last. */
  #wanted: string | undefined;
  /** The one that was to be shown and could not be read, or not yet. */
  #unread: string | undefined;
  /** The list came from the store for the first time. */
  readonly listed = signal(false);
  readonly list: ReadonlySignal<readonly ChatSummary[]> = this.#list;
  /** Undefined: a new one, that is nowhere yet. */
  readonly open: ReadonlySignal<Chat | undefined> = this.#open;
  /** What is shown, first to last. */
  readonly path: ReadonlySignal<readonly Message[]> = computed(() =>
    this.#open.value ? pathOf(this.#open.value) : [],
  );

  constructor(options: ChatsOptions) {
    this.#options = options;
    // Nobody waits for it: where the server is gone meanwhile, the next change lists them anew.
    options.store.subscribe((id) => void this.#changedElsewhere(id).catch(() => undefined));
  }

  async start(tab: string): Promise<void> {
    await this.#adoptPartials(tab);
    // Where the store is away: see refresh.
    await this.#relist().catch(() => undefined);
  }

  /** Makes up for what could not be read, and for changes that were not heard of, while the store was away. */
  async refresh(): Promise<void> {
    try {
      await this.#relist();
      if (this.#unread !== undefined && this.#unread === this.#wanted) await this.show(this.#unread);
      const id = this.#open.value?.id;
      if (id !== undefined) this.#merge(id, await this.#options.store.read(id));
    } catch {
      // It is away again; when it is back this is asked for once more.
    }
  }

  /** Shows a chat; an unknown one is a new one. */
  async show(id: string | undefined): Promise<void> {
    this.#wanted = id;
    if (id === undefined) this.#open.value = undefined;
    if (id === undefined || this.#open.value?.id === id) return;
    this.#unread = id;
    await this.#load(id);
    this.#unread = undefined;
    // Meanwhile somebody may have turned to another one.
    if (this.#wanted === id) this.#open.value = this.#known.get(id);
  }

  search(query: string): Promise<readonly SearchHit[]> {
    return this.#options.store.search(query);
  }

  /** Gives the id of the chat, which is a new one where none is open. Asks for `count` answers, all versions of one. */
  send(text: string, files: readonly AttachedFile[] = [], count = 1): string {
    const chat = this.#open.value ?? this.#newChat(this.#options.newSettings());
    const message = this.#userMessage(chat.head, text, files);
    void this.#add(chat.id, [{ type: 'message', message }]);
    if (!chat.named && chat.title === '') {
      const title = titleFrom(text || (files[0]?.name ?? ''));
      void this.#add(chat.id, [{ type: 'title', title, by: 'page' }]);
    }
    this.#open.value = this.#known.get(chat.id);
    this.#answer(chat.id, message.id, { count });
    return chat.id;
  }

  /** Another answer beside this one; by another model, where one is named. */
  regenerate(id: string, model?: string): void {
    const chat = this.#open.value;
    const message = chat?.messages.get(id);
    if (chat && message?.parent) this.#answer(chat.id, message.parent, { model });
  }

  /** Ends what is being answered in the open chat. */
  stop(): void {
    const id = this.#open.value?.id;
    if (id !== undefined) for (const run of this.#runsOf(id)) run.stop();
  }

  /** The chat goes on from this version, and from what follows it. */
  goOnFrom(id: string): void {
    const chat = this.#open.value;
    if (chat?.messages.has(id)) void this.#add(chat.id, [{ type: 'head', head: latestBelow(chat, id) }]);
  }

  /** What a person wrote, written otherwise, beside what it was; and an answer to it. */
  rewrite(id: string, text: string): void {
    const chat = this.#open.value;
    const before = chat?.messages.get(id);
    if (!chat || before?.role !== 'user') return;
    const message = this.#userMessage(before.parent, text, before.files ?? []);
    void this.#add(chat.id, [{ type: 'message', message }]);
    this.#answer(chat.id, message.id);
  }

  /** An answer as a person would have it, beside what it was. */
  correct(id: string, text: string): string | undefined {
    const chat = this.#open.value;
    const before = chat?.messages.get(id);
    if (!chat || before?.role !== 'assistant') return undefined;
    return this.#beside(chat.id, before, withText(before, text).blocks);
  }

  /** Another version of an answer, which begins as that one did up to a token, has another there, and is gone on with. */
  branch(id: string, { block, start, text, tokens }: Branch): void {
    const chat = this.#open.value;
    const before = chat?.messages.get(id);
    const cut = before?.blocks[block];
    if (!chat || before?.role !== 'assistant' || cut?.kind !== 'text' || this.#options.runs().ofChat(chat.id)) return;
    const blocks = [...before.blocks.slice(0, block), { ...cut, text: cut.text.slice(0, start) + text }];
    const branched = this.#beside(chat.id, before, blocks);
    this.#options.runs().tokens.set(branched, tokens);
    this.continueAnswer(branched);
  }

  /** What prompts have of these messages, from now on. */
  mark(ids: readonly string[], how: Pick<Message, 'muted' | 'pinned'>): void {
    const chat = this.#open.value;
    const found = ids.flatMap((id) => chat?.messages.get(id) ?? []);
    if (chat)
      void this.#add(
        chat.id,
        found.map((message) => ({ type: 'edit', message: { ...message, ...how } })),
      );
  }

  /** Goes on where the answer ends. */
  continueAnswer(id: string): void {
    const chat = this.#open.value;
    const message = chat?.messages.get(id);
    if (!chat || message?.role !== 'assistant' || this.#options.runs().ofChat(chat.id)) return;
    const { outcome: _, failure: __, figures: ___, ...rest } = message;
    this.#run(chat.id, rest, pathOf(chat, message.id));
  }

  /** Another version of a message: one to the left or to the right, with what follows it. */
  turn(id: string, step: 1 | -1): void {
    const chat = this.#open.value;
    const message = chat?.messages.get(id);
    if (!chat || !message) return;
    const versions = versionsOf(chat, message);
    const next = versions[versions.indexOf(id) + step];
    if (next !== undefined) void this.#add(chat.id, [{ type: 'head', head: latestBelow(chat, next) }]);
  }

  /** What is said up to here, as a chat of its own, which is shown. */
  async fork(id: string): Promise<string | undefined> {
    const chat = this.#open.value;
    if (!chat) return undefined;
    const path = pathOf(chat, id);
    const copy = this.#newChat(chat.settings);
    const ids = new Map(path.map((message) => [message.id, this.#options.environment.newId()]));
    const entries = path.map((message): NewEntry => {
      const parent = message.parent === null ? null : (ids.get(message.parent) ?? null);
      return { type: 'message', message: { ...message, id: ids.get(message.id) ?? message.id, parent } };
    });
    void this.#add(copy.id, [...entries, { type: 'title', title: chat.title, by: chat.named ? 'person' : 'page' }]);
    this.#open.value = this.#known.get(copy.id);
    return copy.id;
  }

  rename(id: string, title: string): Promise<void> {
    return this.#addLoaded(id, { type: 'title', title, by: 'person' });
  }

  pin(id: string, pinned: boolean): Promise<void> {
    return this.#addLoaded(id, { type: 'pin', pinned });
  }

  /** How the open chat is gone on with from now on; its other settings stay. */
  change(settings: ChatSettings): void {
    const chat = this.#open.value;
    if (chat) void this.#add(chat.id, [{ type: 'settings', settings: { ...chat.settings, ...settings } }]);
  }

  async remove(id: string): Promise<void> {
    // What an answer has said by now comes back with its chat.
    for (const run of this.#runsOf(id)) {
      this.answered(id, { ...run.message.value, outcome: 'stopped' });
      this.#drop(run);
    }
    this.#list.value = this.#list.value.filter((chat) => chat.id !== id);
    if (this.#open.value?.id === id) this.#open.value = undefined;
    await this.#keep(this.#options.store.remove(id));
    this.#refused = this.#refused.filter((each) => each.id !== id);
  }

  async restore(id: string): Promise<void> {
    await this.#keep(this.#options.store.restore(id));
    await this.#relist();
  }

  /** Everything of these chats, for a file. */
  async portable(ids: readonly string[]): Promise<PortableChat[]> {
    const chats: PortableChat[] = [];
    for (const id of ids) {
      const refused = this.#refused.filter((each) => each.id === id).flatMap(({ entries }) => entries);
      chats.push({ id, entries: [...(await this.#options.store.read(id)), ...refused] });
    }
    return chats;
  }

  /** The files that their messages refer to, as base64. What is not kept any more is left out. */
  async portableFiles(chats: readonly PortableChat[]): Promise<PortableFiles> {
    const files: Record<string, string> = {};
    const messages = chats.flatMap(({ entries }) =>
      entries.flatMap((entry) => ('message' in entry ? [entry.message] : [])),
    );
    for (const hash of new Set(messages.flatMap(hashesOf))) {
      const bytes = await this.#options.store.file(hash);
      if (bytes) files[hash] = await toBase64(bytes);
    }
    return files;
  }

  /** To be kept before the chats that refer to them. What is not what its name says is left out. */
  async takeFiles(files: PortableFiles): Promise<void> {
    const { store, environment } = this.#options;
    for (const [hash, text] of Object.entries(files)) {
      const bytes = fromBase64(text);
      if ((await environment.hash(bytes)) === hash) await store.keepFile(hash, bytes);
    }
  }

  /** Adds what is not there yet. Rejects with what the store says of the first that it cannot keep. */
  async take(chats: readonly PortableChat[]): Promise<void> {
    for (const { id, entries } of chats) {
      await this.#options.store.append(id, entries);
      this.#merge(id, entries);
    }
    await this.#relist();
  }

  /** All chats, for good. */
  async wipe(): Promise<void> {
    for (const { id } of await this.#options.store.list()) {
      for (const run of this.#runsOf(id)) this.#drop(run);
      await this.#options.store.wipe(id);
      this.#known.delete(id);
    }
    this.#refused = [];
    this.#open.value = undefined;
    await this.#relist();
  }

  /** The end of a run. */
  answered(chatId: string, message: AssistantMessage): void {
    const unkept = this.#unkept.delete(message.id);
    if (this.#dropped.delete(message.id)) {
      void this.#keep(this.#options.store.dropPartial(message.id));
      return;
    }
    // One that never said anything is not worth keeping, where it did not fail.
    if (message.blocks.length === 0 && message.outcome === 'stopped' && message.failure === undefined) {
      if (unkept) void this.#add(chatId, [{ type: 'delete', target: message.id }], false);
      void this.#keep(this.#options.store.dropPartial(message.id));
      return;
    }
    // What was saved of it while it grew stays until the whole is kept: a page may go away between the two.
    const entry: NewEntry = { type: unkept ? 'message' : 'edit', message };
    void this.#add(chatId, [entry, ...this.#headBeside(chatId, message.id)]).then((isKept) => {
      if (isKept) void this.#keep(this.#options.store.dropPartial(message.id));
    });
  }

  savePartial(soFar: RunSoFar, tab: string): void {
    void this.#keep(this.#options.store.savePartial({ ...soFar, tab, savedAt: this.#options.environment.now() }));
  }

  /** Several answers become whole in any order: what is read again goes on from where the person is, not from the last. */
  #headBeside(chatId: string, added: string): NewEntry[] {
    const head = this.#known.get(chatId)?.head ?? added;
    return head === added || this.#unkept.has(head) ? [] : [{ type: 'head', head }];
  }

  #answer(chatId: string, parent: string, { model, count = 1 }: { model?: string | undefined; count?: number } = {}) {
    for (const run of this.#runsOf(chatId)) run.stop();
    const ids = Array.from({ length: count }, (_, index) => this.#answerOnce(chatId, parent, model, index));
    const [first] = ids;
    if (first !== undefined && count > 1) void this.#add(chatId, [{ type: 'head', head: first }], false);
  }

  /** `index`: so many were asked for with the same words before. */
  #answerOnce(chatId: string, parent: string, model: string | undefined, index: number): string {
    const { environment } = this.#options;
    const message: AssistantMessage = {
      id: environment.newId(),
      parent,
      role: 'assistant',
      time: environment.now(),
      blocks: [],
    };
    // It is shown at once, and kept when there is something to keep.
    this.#unkept.add(message.id);
    void this.#add(chatId, [{ type: 'message', message }], false);
    const chat = this.#known.get(chatId);
    if (chat) this.#run(chatId, message, pathOf(chat, parent), model, index);
    return message.id;
  }

  #run(chatId: string, message: AssistantMessage, path: readonly Message[], model?: string, index = 0): void {
    const { runs, settings, prompt, loadImages } = this.#options;
    const body = async () => {
      await loadImages(imagesOf(path));
      const chosen = otherSeed(settings(), index);
      return { ...chosen, ...(model !== undefined && { model }), messages: wireMessages(path, prompt()) };
    };
    runs().start({ chatId, message, body });
  }

  #newChat(settings: ChatSettings): Chat {
    const { environment } = this.#options;
    const chat = emptyChat(environment.newId(), environment.now());
    this.#known.set(chat.id, chat);
    if (Object.keys(settings).length > 0) void this.#add(chat.id, [{ type: 'settings', settings }]);
    return this.#known.get(chat.id) ?? chat;
  }

  #beside(chatId: string, before: AssistantMessage, blocks: readonly Block[]): string {
    const { figures: _, failure: __, ...facts } = before;
    const { environment } = this.#options;
    const id = environment.newId();
    const made: AssistantMessage = { ...facts, id, time: environment.now(), blocks, outcome: 'stopped', edited: true };
    void this.#add(chatId, [{ type: 'message', message: made }]);
    return id;
  }

  #userMessage(parent: string | null, text: string, files: readonly AttachedFile[]): UserMessage {
    const { environment } = this.#options;
    const blocks = text === '' ? [] : [{ kind: 'text', text } as const];
    const base = { id: environment.newId(), parent, time: environment.now(), blocks, role: 'user' } as const;
    return files.length > 0 ? { ...base, files } : base;
  }

  /** Settles when it is kept; with false where it could not be. */
  #add(chatId: string, added: readonly NewEntry[], keep = true): Promise<boolean> {
    const { environment } = this.#options;
    const entries = added.map(
      (entry): ChatEntry => ({ entry_id: environment.newId(), time: environment.now(), ...entry }),
    );
    const chat = foldEntries(this.#known.get(chatId) ?? emptyChat(chatId, environment.now()), entries);
    this.#known.set(chatId, chat);
    if (this.#open.value?.id === chatId) this.#open.value = chat;
    if (!keep) return Promise.resolve(true);
    this.#list.value = listWith(this.#list.value, chat);
    return this.#append(chatId, entries);
  }

  async #addLoaded(chatId: string, entry: NewEntry): Promise<void> {
    const isThere = await this.#keep(this.#load(chatId).then(() => undefined));
    if (isThere) await this.#add(chatId, [entry]);
  }

  #runsOf(chatId: string): Run[] {
    return [...this.#options.runs().live.value.values()].filter((run) => run.chatId === chatId);
  }

  #drop(run: Run): void {
    this.#dropped.add(run.message.value.id);
    run.stop();
  }

  async #load(id: string): Promise<Chat> {
    const known = this.#known.get(id);
    if (known) return known;
    const entries = await this.#options.store.read(id);
    // Somebody else may have asked for it too, been faster, and changed it since.
    const chat = this.#known.get(id) ?? foldEntries(emptyChat(id, entries[0]?.time ?? 0), entries);
    if (chat.messages.size > 0) this.#known.set(id, chat);
    return chat;
  }

  async #changedElsewhere(id: string): Promise<void> {
    const entries = this.#known.has(id) ? await this.#options.store.read(id) : [];
    this.#merge(id, entries);
    await this.#relist();
  }

  /** Into the chat as it is now: while these were read or written, an answer may have become whole here. */
  #merge(id: string, entries: readonly ChatEntry[]): void {
    const known = this.#known.get(id);
    if (!known || entries.length === 0) return;
    const { head } = known;
    const chat = foldEntries(known, entries);
    // Somebody else's new words do not turn the page that is being read.
    const same = head !== null && chat.messages.has(head) ? { ...chat, head: followed(chat, head) } : chat;
    this.#known.set(id, same);
    if (this.#open.value?.id === id) this.#open.value = same;
  }

  async #relist(): Promise<void> {
    this.#list.value = await this.#options.store.list();
    this.listed.value = true;
  }

  /** Answers whose page went away before they were whole: taken up again, or kept as far as they came. */
  async #adoptPartials(tab: string): Promise<void> {
    const { store, environment } = this.#options;
    for (const partial of await store.partials()) {
      // Another tab may still be writing it.
      if (partial.tab !== tab && environment.now() - partial.savedAt < abandonedMs) continue;
      // One whose chat cannot be read just now is left to the next start, and holds up nothing.
      await this.#adopt(partial).catch(() => undefined);
    }
  }

  async #adopt({ chatId, message, base, cancelId }: Unfinished): Promise<void> {
    const chat = await this.#load(chatId);
    if (isWhole(chat.messages.get(message.id), base)) {
      await this.#options.store.dropPartial(message.id);
      return;
    }
    if (!chat.messages.has(message.id)) {
      this.#unkept.add(message.id);
      void this.#add(chatId, [{ type: 'message', message: base }], false);
    }
    void this.#add(chatId, [{ type: 'head', head: message.id }], false);
    const runId = await this.#options.findRun(cancelId);
    if (runId === undefined) this.answered(chatId, { ...message, outcome: message.outcome ?? 'interrupted' });
    else this.#options.runs().pickUp({ chatId, message: base, cancelId, runId });
  }

  /** Tries again to keep what was refused. */
  async keepRefused(): Promise<void> {
    for (const refused of [...this.#refused]) {
      // Meanwhile its chat may be gone, or another try may have kept it.
      if (!this.#refused.includes(refused)) continue;
      if (!(await this.#keep(this.#options.store.append(refused.id, refused.entries)))) return;
      this.#refused = this.#refused.filter((other) => other !== refused);
    }
    if (this.#refused.length === 0) this.#options.storeFailed(undefined);
  }

  async #append(id: string, entries: readonly ChatEntry[]): Promise<boolean> {
    if (!(await this.#keep(this.#options.store.append(id, entries)))) {
      this.#refused = [...this.#refused, { id, entries }];
      return false;
    }
    if (this.#refused.length > 0) void this.keepRefused();
    return true;
  }

  async #keep(work: Promise<void>): Promise<boolean> {
    try {
      await work;
      return true;
    } catch (error) {
      this.#options.storeFailed(error);
      return false;
    }
  }
}

/** The page went away with its answer kept, before it had thrown away what there was of it before. */
function isWhole(known: Message | undefined, base: AssistantMessage): boolean {
  if (known?.role !== 'assistant' || known.outcome === undefined) return false;
  return JSON.stringify(known.blocks) !== JSON.stringify(base.blocks);
}

/** With one seed all answers to a question would be one. */
function otherSeed(settings: Readonly<Record<string, unknown>>, index: number): Readonly<Record<string, unknown>> {
  const { seed } = settings;
  return index > 0 && typeof seed === 'number' ? { ...settings, seed: seed + index } : settings;
}

/** A tab saves its answer more often than this. */
const abandonedMs = 10_000;

function listWith(list: readonly ChatSummary[], chat: Chat): ChatSummary[] {
  const { id, title, pinned, createdAt, updatedAt } = chat;
  const rest = list.filter((other) => other.id !== id);
  return [{ id, title, pinned, createdAt, updatedAt }, ...rest].sort((left, right) => right.updatedAt - left.updatedAt);
}

/** Stays where it is, but goes along with what was only added below. */
function followed(chat: Chat, head: string): string {
  return latestBelow(chat, head);
}

/** What a message says, for the clipboard. */
export function copyOf(message: Message): string {
  return textOf(message);
}

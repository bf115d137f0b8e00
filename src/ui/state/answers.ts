import type { AssistantMessage, Message } from '../chats/message.ts';
import type { ChatStore, Unfinished } from '../chats/store.ts';
import { pathOf } from '../chats/tree.ts';
import type { EntryKeeper } from './entry-keeper.ts';
import type { Environment } from './environment.ts';
import type { KnownChats, NewEntry } from './known-chats.ts';
import { newAnswer } from './new-messages.ts';
import { type Asked, type RequestBodyOptions, requestBody } from './request-body.ts';
import type { Run, RunSoFar, Runs } from './runs.ts';

export interface AnswersOptions {
  readonly store: ChatStore;
  readonly keeper: EntryKeeper;
  readonly known: KnownChats;
  readonly environment: Pick<Environment, 'newId' | 'now'>;
  readonly runs: () => Runs;
  readonly request: RequestBodyOptions;
  /** The id of a run that the server still has, by its cancel id. */
  readonly findRun: (cancelId: string) => Promise<string | undefined>;
}

/** Answers from the moment they are asked for until they are kept. */
export class Answers {
  readonly #options: AnswersOptions;
  /** Those that are shown and not kept yet. */
  readonly #unkept = new Set<string>();
  /** Those of chats that were removed while they were written: what still comes of them does not count. */
  readonly #dropped = new Set<string>();

  constructor(options: AnswersOptions) {
    this.#options = options;
  }

  /** Asks for `count` answers to a message, all versions of one. */
  ask(chatId: string, parent: string, { model, count = 1 }: Pick<Asked, 'model'> & { readonly count?: number } = {}) {
    this.stop(chatId);
    const ids = Array.from({ length: count }, (_, index) => this.#askOnce(chatId, parent, { model, index }));
    const [first] = ids;
    if (first !== undefined && count > 1) this.#options.known.showOnly(chatId, [{ type: 'head', head: first }]);
  }

  /** Goes on where the answer ends. */
  goOn(chatId: string, message: AssistantMessage): void {
    const chat = this.#options.known.get(chatId);
    if (!chat || this.#options.runs().ofChat(chatId)) return;
    // Its short form is none of what it will be; and what is gone on with is read whole.
    const { outcome: _, failure: __, figures: ___, short: ____, ...rest } = message;
    this.#run(chatId, rest, [...pathOf(chat, message.parent), rest]);
  }

  stop(chatId: string): void {
    for (const run of this.#runsOf(chatId)) run.stop();
  }

  /** Ends those of a chat that goes; what they have said by now comes back with it, where it does. */
  drop(chatId: string, { keep }: { readonly keep: boolean }): void {
    for (const run of this.#runsOf(chatId)) {
      if (keep) this.ended(chatId, { ...run.message.value, outcome: 'stopped' });
      this.#dropped.add(run.message.value.id);
      run.stop();
    }
  }

  /** The end of a run. */
  ended(chatId: string, message: AssistantMessage): void {
    const { known, keeper, store } = this.#options;
    const unkept = this.#unkept.delete(message.id);
    if (this.#dropped.delete(message.id)) {
      void keeper.keep(store.dropPartial(message.id));
      return;
    }
    // One that never said anything is not worth keeping, where it did not fail.
    if (message.blocks.length === 0 && message.outcome === 'stopped' && message.failure === undefined) {
      if (unkept) known.showOnly(chatId, [{ type: 'delete', target: message.id }]);
      void keeper.keep(store.dropPartial(message.id));
      return;
    }
    // What was saved of it while it grew stays until the whole is kept: a page may go away between the two.
    const entry: NewEntry = { type: unkept ? 'message' : 'edit', message };
    void known.addBehind(chatId, [entry, ...this.#headBeside(chatId, message.id)]).then((isKept) => {
      if (isKept) void keeper.keep(store.dropPartial(message.id));
    });
  }

  savePartial(soFar: RunSoFar, tab: string): void {
    const { keeper, store, environment } = this.#options;
    void keeper.keep(store.savePartial({ ...soFar, tab, savedAt: environment.now() }));
  }

  /** Answers whose page went away before they were whole: taken up again, or kept as far as they came. */
  async adoptPartials(tab: string): Promise<void> {
    const { store, environment } = this.#options;
    for (const partial of await store.partials()) {
      // Another tab may still be writing it.
      if (partial.tab !== tab && environment.now() - partial.savedAt < abandonedMs) continue;
      // One whose chat cannot be read just now is left to the next start, and holds up nothing.
      await this.#adopt(partial).catch(() => undefined);
    }
  }

  async #adopt({ chatId, message, base, cancelId, savedAt }: Unfinished): Promise<void> {
    const { known, store, findRun, runs, environment } = this.#options;
    const chat = await known.load(chatId);
    const isDeleted = chat.messages.size === 0 && environment.now() - savedAt > abandonedMs;
    if (isDeleted || isWhole(chat.messages.get(message.id), base)) {
      await store.dropPartial(message.id);
      return;
    }
    if (!chat.messages.has(message.id)) {
      this.#unkept.add(message.id);
      known.showOnly(chatId, [{ type: 'message', message: base }]);
    }
    known.showOnly(chatId, [{ type: 'head', head: message.id }]);
    const runId = await findRun(cancelId);
    if (runId === undefined) this.ended(chatId, { ...message, outcome: message.outcome ?? 'interrupted' });
    else runs().pickUp({ chatId, message: base, cancelId, runId });
  }

  /** Several answers become whole in any order: what is read again goes on from where the person is, not from the last. */
  #headBeside(chatId: string, added: string): NewEntry[] {
    const head = this.#options.known.get(chatId)?.head ?? added;
    return head === added || this.#unkept.has(head) ? [] : [{ type: 'head', head }];
  }

  #askOnce(chatId: string, parent: string, asked: Asked): string {
    const { environment, known } = this.#options;
    const message = newAnswer(environment, parent);
    // It is shown at once, and kept when there is something to keep.
    this.#unkept.add(message.id);
    known.showOnly(chatId, [{ type: 'message', message }]);
    const chat = known.get(chatId);
    if (chat) this.#run(chatId, message, pathOf(chat, parent), asked);
    return message.id;
  }

  #run(chatId: string, message: AssistantMessage, path: readonly Message[], asked?: Asked): void {
    const { runs, request } = this.#options;
    runs().start({ chatId, message, body: () => requestBody(request, path, asked) });
  }

  #runsOf(chatId: string): Run[] {
    return [...this.#options.runs().live.value.values()].filter((run) => run.chatId === chatId);
  }
}

/** The page went away with its answer kept, before it had thrown away what there was of it before. */
function isWhole(known: Message | undefined, base: AssistantMessage): boolean {
  if (known?.role !== 'assistant' || known.outcome === undefined) return false;
  return JSON.stringify(known.blocks) !== JSON.stringify(base.blocks);
}

/** A tab saves its answer more often than this. */
const abandonedMs = 10_000;

import type { Caller } from '../../contract/caller.ts';
import type { ChatPlace, ChatStore } from '../../contract/chats.ts';
import { ServeError, toServeError } from '../../contract/errors.ts';
import { Collector, type StartEvent } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { AnswerContext, Dialect, EndedAnswer, ParsedCall } from '../../dialects/dialect.ts';
import { expectChats } from '../access/chat-access.ts';
import type { ChoiceEvent } from '../answers/choices.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';

interface KeeperOptions {
  readonly caller: Caller;
  readonly store: ChatStore;
  readonly place: ChatPlace;
  /** Fullest first. */
  readonly messages: (ended: EndedAnswer, start: StartEvent | undefined) => readonly JsonObject[];
  readonly dependencies: Pick<AppDependencies, 'telemetry' | 'unixMilliseconds'>;
}

/** Writes an answer into its chat when it is over, whether or not a page is there to do it. */
export class AnswerKeeper {
  readonly #options: KeeperOptions;
  readonly #collector = new Collector();

  constructor(options: KeeperOptions) {
    this.#options = options;
  }

  observe({ event }: ChoiceEvent): void {
    this.#collector.add(event);
  }

  /** What there is of it, also where it was stopped or failed; nothing where there was nothing yet. */
  ended(error: ServeError | undefined): void {
    const { start, ...there } = this.#collector.soFar();
    if (there.blocks.length === 0) return;
    const { messages, dependencies } = this.#options;
    this.#keep(messages({ ...there, ...(error && { error }) }, start)).catch((failure: unknown) =>
      dependencies.telemetry.log('error', 'an answer could not be kept in its chat', { error: failure }),
    );
  }

  async #keep([message, ...smaller]: readonly JsonObject[]): Promise<void> {
    if (!message) return;
    const { caller, store, place, dependencies } = this.#options;
    const { chatId, entryId, parent } = place;
    const time = dependencies.unixMilliseconds();
    try {
      await store.append(caller, chatId, [{ entry_id: entryId, time, type: 'message', parent, message }]);
    } catch (thrown) {
      if (toServeError(thrown).code !== 'payload_too_large' || smaller.length === 0) throw thrown;
      await this.#keep(smaller);
    }
  }
}

/** Undefined: the call names no chat. Rejects where its answer could not be kept, before anything is generated. */
export async function keeperOf<Call extends ParsedCall>(
  dialect: Pick<Dialect<Call>, 'messages'>,
  call: Call,
  { caller }: Exchange,
  dependencies: AppDependencies,
): Promise<((answer: (start: StartEvent | undefined) => AnswerContext) => AnswerKeeper) | undefined> {
  const { chat: place } = call;
  const { messages } = dialect;
  if (!place || !messages) return undefined;
  const store = expectChats(caller, dependencies);
  await store.expectPlace(caller, place).catch((thrown: unknown) => {
    const { code, message, details } = toServeError(thrown);
    // Of the chat and not of the route.
    if (code === 'not_found') throw new ServeError('invalid_request', message, { param: 'chat.chat_id' });
    throw new ServeError(code, message, details);
  });
  return (answer) =>
    new AnswerKeeper({
      caller,
      store,
      place,
      dependencies,
      messages: (ended, start) => messages(call, answer(start), ended),
    });
}

import { answerTo, type ToolStep } from '../client/answers.ts';
import type { Connection } from '../client/connection.ts';
import { type ServedModel, servedModels } from '../client/models.ts';
import { type CallVerdict, decideCall, hasServerTools } from '../client/server-tools.ts';
import { ServeError } from '../contract/errors.ts';
import { printableLines } from '../contract/printable.ts';
import { AnswerRecord } from './answer-record.ts';
import { type AnswerView, createAnswerView } from './answer-view.ts';
import type { ChatFiles } from './chat-files.ts';
import { type Conversation, type Message, newConversation, requestOf } from './conversation.ts';
import type { LineEditor } from './line-editor.ts';
import { createPaint, screenText } from './paint.ts';
import { type ChatControls, isSlashCommand, runSlashCommand } from './slash-commands.ts';

export interface ChatOptions {
  readonly connection: Connection;
  /** Undefined: the server's own choice. */
  readonly model: string | undefined;
  readonly editor: LineEditor;
  readonly write: (text: string) => void;
  readonly colours: boolean;
  readonly files: ChatFiles;
  /** Keeps the conversation where its prompt already lies. */
  readonly sessionId: string;
}

/** A chat in a terminal. */
export class Chat implements ChatControls {
  conversation: Conversation;
  images: readonly string[] = [];
  readonly files: ChatFiles;
  readonly #options: ChatOptions;
  #lastThought = '';
  #foldsThoughts = false;
  /** With the last thing that was asked, where that got no answer. */
  #unanswered: readonly Message[] | undefined;

  constructor(options: ChatOptions) {
    this.#options = options;
    this.files = options.files;
    this.conversation = newConversation(options.model);
  }

  /** Until the person ends it. */
  async run(): Promise<void> {
    for (;;) {
      const text = await this.#options.editor.ask();
      if (text === undefined) return;
      const said = text.trim();
      if (said === '' && this.images.length === 0) continue;
      try {
        if (!isSlashCommand(said)) await this.#send(text);
        else if (await runSlashCommand(said, this)) return;
      } catch (error) {
        if (!(error instanceof ServeError)) throw error;
        const paint = createPaint(this.#options.colours);
        this.say(paint.warn(printableLines(error.message)));
      }
    }
  }

  readonly say = (line: string) => this.#options.write(`${line}\n`);

  readonly models = (): Promise<ServedModel[]> => servedModels(this.#options.connection);

  readonly retry = async () => {
    const messages = this.#unanswered ?? this.conversation.messages;
    const asked = messages.findLastIndex(({ role }) => role === 'user');
    if (asked === -1) throw new ServeError('invalid_request', 'Nothing was asked yet.');
    await this.#answer(messages.slice(0, asked + 1));
  };

  /** Ctrl-T where a message is written: from here on too. */
  readonly showThought = () => {
    this.#foldsThoughts = !this.#foldsThoughts;
    const paint = createPaint(this.#options.colours);
    if (this.#foldsThoughts) this.say('Thoughts are folded.');
    else this.say(this.#lastThought === '' ? 'Thoughts are shown.' : paint.dim(screenText(this.#lastThought.trim())));
  };

  async #send(text: string): Promise<void> {
    const { images } = this;
    this.images = [];
    await this.#answer([...this.conversation.messages, { role: 'user', text, images }]);
  }

  /** What was not answered at all is no part of the conversation that goes on, but can be tried again. */
  async #answer(messages: readonly Message[]): Promise<void> {
    const { write, colours, editor } = this.#options;
    const stop = new AbortController();
    const view = createAnswerView({
      write,
      colours,
      status: true,
      thoughts: this.#foldsThoughts ? 'folded' : 'shown',
    });
    const record = new AnswerRecord();
    editor.busy({
      onInterrupt: () => stop.abort(stopped),
      onThoughts: () => {
        this.#foldsThoughts = !this.#foldsThoughts;
        view.fold(this.#foldsThoughts);
      },
    });
    try {
      const asked = { ...this.conversation, messages };
      const why = await this.#follow(asked, { view, record, signal: stop.signal });
      view.finish(why);
    } catch (error) {
      view.finish(error === stopped ? 'stopped' : undefined);
      if (error !== stopped) throw error;
    } finally {
      this.#keep(messages, record);
    }
  }

  #keep(messages: readonly Message[], record: AnswerRecord): void {
    if (record.thought !== '') this.#lastThought = record.thought;
    const answer = record.message();
    this.#unanswered = answer ? undefined : messages;
    if (answer) this.conversation = { ...this.conversation, messages: [...messages, answer] };
  }

  /** Gives what is to be said about its end. */
  async #follow(asked: Conversation, { view, record, signal }: Following): Promise<string | undefined> {
    const { connection, sessionId } = this.#options;
    const tools = (await hasServerTools(connection, signal)) ? { enable_tools: true, confirm_tools: 'writes' } : {};
    const body = { ...requestOf(asked), ...tools, session_id: sessionId };
    let note: string | undefined;
    for await (const event of answerTo(connection, body, signal)) {
      record.add(event);
      view.show(event);
      if (event.type === 'tool' && event.state === 'asks') await this.#decide(event, view);
      if (event.type === 'end') note = endNotes[event.why];
    }
    return note;
  }

  async #decide(step: ToolStep, view: AnswerView) {
    view.finish();
    this.#options.write(`May it call ${printableLines(step.name)}? [y]es, [a]lways, [n]o `);
    const key = await this.#options.editor.askKey('yan');
    this.#options.write(`${key}\n`);
    if (!(await decideCall(this.#options.connection, step, verdicts[key] ?? 'no')))
      this.say('It waits no more: that was decided elsewhere, or ten minutes are over.');
  }
}

const verdicts: Readonly<Record<string, CallVerdict>> = { y: 'once', a: 'always', n: 'no' };

interface Following {
  readonly view: AnswerView;
  readonly record: AnswerRecord;
  readonly signal: AbortSignal;
}

const stopped = new ServeError('cancelled', 'The answer was stopped.');

/** Why an answer ended, where that needs saying. */
const endNotes: Readonly<Record<string, string>> = {
  length: 'The answer was cut at its longest length, or at the end of the context.',
};

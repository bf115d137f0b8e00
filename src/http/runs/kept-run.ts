import type { ServeError } from '../../contract/errors.ts';
import type { Dialect, Frame } from '../../dialects/dialect.ts';
import { AnswerStream, type AnswerStreamOptions } from '../answers/answer-stream.ts';
import type { ChoiceEvent } from '../answers/choices.ts';
import type { WrittenFrame } from '../streams/frame-text.ts';
import { FrameBuffer } from './frame-buffer.ts';
import type { ReadableRun } from './run-reader.ts';

/** What a run is known by. */
export interface RunFacts {
  /** Of the answer, with the prefix of its dialect. */
  readonly id: string;
  /** See Caller. */
  readonly owner: string;
  readonly dialect: Pick<Dialect, 'name' | 'format'>;
  readonly path: string;
  readonly model: string;
  /** Unix seconds. */
  readonly created: number;
  readonly sessionId?: string | undefined;
  readonly cancelId?: string | undefined;
}

/** `queued`: it has no slot yet. */
export type RunStatus = 'queued' | 'in_progress' | 'completed' | 'cancelled' | 'failed';

export interface KeptRunOptions extends Omit<AnswerStreamOptions, 'ended'> {
  /** The frames that tell a reader of something that ends its reading, and not the run. */
  refuse(error: ServeError): readonly Frame[];
  /** Whether a failure is what somebody asked for. */
  isStopped?(): boolean;
  /** Of the run, not of a reader. Undefined: the answer is complete. */
  ended(error: ServeError | undefined): void;
}

/** An answer that is generated whether or not somebody reads it. Its frames are kept for readers who come later. */
export class KeptRun implements ReadableRun {
  readonly facts: RunFacts;
  /** Settles when the last frame is there. Never rejects: a failure is a frame. */
  readonly done: Promise<void>;
  readonly refuse: KeptRunOptions['refuse'];
  readonly #buffer: FrameBuffer;
  readonly #source: AnswerStream;
  #status: RunStatus = 'queued';
  #cancelled = false;
  #over = false;
  #waiting: (() => void)[] = [];

  constructor(facts: RunFacts, options: KeptRunOptions, maxCharacters: number) {
    this.facts = facts;
    this.refuse = options.refuse;
    this.#buffer = new FrameBuffer(maxCharacters);
    this.#source = new AnswerStream({
      ...options,
      observe: (step) => {
        this.#observe(step);
        options.observe(step);
      },
      ended: (error) => {
        this.#cancelled ||= options.isStopped?.() === true;
        this.#status = this.#cancelled ? 'cancelled' : error ? 'failed' : 'completed';
        options.ended(error);
      },
    });
    this.done = this.#run();
  }

  get status(): RunStatus {
    return this.#status;
  }

  get over(): boolean {
    return this.#over;
  }

  get first(): number {
    return this.#buffer.first;
  }

  get next(): number {
    return this.#buffer.next;
  }

  get characters(): number {
    return this.#buffer.characters;
  }

  from(number: number): readonly WrittenFrame[] {
    return this.#buffer.from(number);
  }

  heartbeat(): Frame {
    return this.#source.heartbeat();
  }

  async changed(seen: number): Promise<void> {
    while (!this.#over && this.#buffer.next <= seen)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
  }

  async #run(): Promise<void> {
    while (!this.#source.done) {
      for (const frame of await this.#source.next()) this.#buffer.add(frame);
      this.#wake();
    }
    this.#source.closed('complete');
    this.#over = true;
    this.#wake();
  }

  #observe({ event }: ChoiceEvent): void {
    if (event.type === 'start') this.#status = 'in_progress';
    if (event.type === 'finish') this.#cancelled ||= event.cancelled === true;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

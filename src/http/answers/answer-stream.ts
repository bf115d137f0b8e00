import { ServeError, toServeError } from '../../contract/errors.ts';
import type { StartEvent } from '../../contract/events.ts';
import type { Frame, StreamEncoder } from '../../dialects/dialect.ts';
import type { FrameSource } from '../streams/sse.ts';
import type { ChoiceEvent, ChoiceEvents } from './choices.ts';

export interface AnswerStreamOptions {
  /** On its way, or there already, where it decided the status. Undefined where there is nothing to generate. */
  readonly first: Promise<ChoiceEvent | undefined>;
  readonly events: ChoiceEvents;
  /** Made when the answer starts; another one, without a start, says what is to be said before. */
  encoder(start: StartEvent | undefined): StreamEncoder;
  observe(event: ChoiceEvent): void;
  /** Stops and leaves the work that nobody will read. */
  abort(reason: ServeError): void;
  /** Undefined: the answer is complete. */
  ended(error: ServeError | undefined): void;
}

/** A running generation as frames of its dialect, from the first event to the terminator, whatever happens between. */
export class AnswerStream implements FrameSource {
  readonly #options: AnswerStreamOptions;
  #first: Promise<ChoiceEvent | undefined> | undefined;
  #encoder: StreamEncoder | undefined;
  #over = false;
  #error: ServeError | undefined;

  constructor(options: AnswerStreamOptions) {
    this.#options = options;
    this.#first = options.first;
  }

  get done(): boolean {
    return this.#over;
  }

  async next(): Promise<readonly Frame[]> {
    try {
      return await this.#nextFrames();
    } catch (thrown) {
      return this.#fail(toServeError(thrown));
    }
  }

  heartbeat(): Frame {
    return this.#writer().heartbeat();
  }

  closed(how: 'complete' | 'client-gone' | 'stalled'): void {
    if (how !== 'complete') {
      this.#error ??= new ServeError(
        'client_closed',
        how === 'stalled' ? 'The client stopped reading its stream.' : 'The client closed the connection.',
      );
      this.#over = true;
      this.#options.abort(this.#error);
    }
    this.#options.ended(this.#error);
  }

  /** Events that say nothing in this dialect are passed over. */
  async #nextFrames(): Promise<readonly Frame[]> {
    const { events, observe } = this.#options;
    while (true) {
      const step = await (this.#first ?? events.next());
      this.#first = undefined;
      if (step === undefined) {
        this.#over = true;
        return this.#writer().end();
      }
      observe(step);
      const { event, choice } = step;
      if (event.type === 'start') this.#encoder ??= this.#options.encoder(event);
      const frames = this.#writer().encode(event, choice);
      if (frames.length > 0) return frames;
    }
  }

  /** What is said before the start needs no memory of it. */
  #writer(): StreamEncoder {
    return this.#encoder ?? this.#options.encoder(undefined);
  }

  #fail(error: ServeError): readonly Frame[] {
    this.#over = true;
    this.#error = error;
    // The other choices of this request have nobody to go to.
    this.#options.abort(error);
    return this.#writer().fail(error);
  }
}

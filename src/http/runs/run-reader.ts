import { ServeError } from '../../contract/errors.ts';
import type { Frame } from '../../dialects/dialect.ts';
import type { WireFrame, WrittenFrame } from '../streams/frame-text.ts';
import type { FrameSource } from '../streams/sse.ts';

/** What can be read from any of its frames on, as often as one likes. */
export interface ReadableRun {
  /** No more frames will come. */
  readonly over: boolean;
  /** The number of the oldest frame that is there. */
  readonly first: number;
  /** The number of the frame that comes next. */
  readonly next: number;
  from(number: number): readonly WrittenFrame[];
  /** Settles when there is a frame of this number, or no more will come. */
  changed(number: number): Promise<void>;
  heartbeat(): Frame;
  refuse(error: ServeError): readonly Frame[];
}

export interface RunReaderOptions {
  /** The number of the last frame that the reader has; -1: none. */
  readonly startingAfter: number;
  /** Tell each frame's number. */
  readonly numbered: boolean;
  readonly closed: () => void;
}

/** One reader of a run. It may begin anywhere, leave and come back; the run does not notice. */
export class RunReader implements FrameSource {
  readonly #run: ReadableRun;
  readonly #numbered: boolean;
  readonly #closed: () => void;
  #next: number;
  #left = false;

  /** ServeError where frames that the reader wants are gone. */
  constructor(run: ReadableRun, { startingAfter, numbered, closed }: RunReaderOptions) {
    this.#run = run;
    this.#next = startingAfter + 1;
    this.#numbered = numbered;
    this.#closed = closed;
    if (this.#isBehind()) throw this.#gone();
  }

  get done(): boolean {
    return this.#left || (this.#run.over && this.#next >= this.#run.next);
  }

  async next(): Promise<readonly WireFrame[]> {
    await this.#run.changed(this.#next);
    if (this.#left) return [];
    if (this.#isBehind()) {
      this.#left = true;
      return this.#run.refuse(this.#gone());
    }
    const begin = this.#next;
    const frames = this.#run.from(begin);
    this.#next += frames.length;
    return this.#numbered ? frames.map((frame, index) => ({ ...frame, id: begin + index })) : frames;
  }

  heartbeat(): Frame {
    return this.#run.heartbeat();
  }

  closed(): void {
    this.#left = true;
    this.#closed();
  }

  #isBehind(): boolean {
    return this.#next < this.#run.first;
  }

  #gone(): ServeError {
    const { first } = this.#run;
    return new ServeError(
      'invalid_request',
      `Of this run the events before ${first} are not kept any more, and you have those up to ${this.#next - 1}. Go on from the newest that there is, with \`starting_after\`: ${first - 1}.`,
      { param: 'starting_after' },
    );
  }
}

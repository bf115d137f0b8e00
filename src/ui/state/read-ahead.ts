import type { ApiClient } from '../api/client.ts';
import { ApiFailure } from '../api/failure.ts';

/** Below this many tokens reading takes no time that anybody would feel. */
const leastNewTokens = 128;
/** Of 1 to 5: whoever waits for an answer goes first. */
const lowestPriority = 1;

export interface ReadAheadOptions {
  readonly api: Pick<ApiClient, 'call'>;
  /** No answer of this page is under way: reading would take its time. */
  readonly mayRead: () => boolean;
  /** It was read: what the next message costs is another price now. */
  readonly done: () => void;
}

/** Has the server read what is being written, and the files that go along, while it is still being written. */
export class ReadAhead {
  readonly #options: ReadAheadOptions;
  #reading: AbortController | undefined;

  constructor(options: ReadAheadOptions) {
    this.#options = options;
  }

  /** `fresh`: tokens that are not read yet. One at a time: a growing draft is read on when the last part is done. */
  consider(body: Readonly<Record<string, unknown>>, fresh: number | undefined): void {
    if (fresh === undefined || fresh < leastNewTokens || this.#reading || !this.#options.mayRead()) return;
    const reading = new AbortController();
    this.#reading = reading;
    const { api, done } = this.#options;
    api
      .call('v1/chat/completions', {
        body: { ...body, max_tokens: 0, priority: lowestPriority, stream: false },
        signal: reading.signal,
      })
      .then(
        () => this.#ended(reading, done),
        (failure: unknown) => {
          this.#ended(reading, () => undefined);
          // What is wrong with it is said when it is sent; a server that is full has better things to do.
          if (!reading.signal.aborted && !(failure instanceof ApiFailure)) throw failure;
        },
      );
  }

  /** The message is sent, or given up: what was begun is no use any more. */
  stop(): void {
    this.#reading?.abort('sent');
    this.#reading = undefined;
  }

  #ended(reading: AbortController, then: () => void): void {
    if (this.#reading !== reading) return;
    this.#reading = undefined;
    then();
  }
}

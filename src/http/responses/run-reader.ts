import type { JsonObject } from '../../contract/json.ts';
import type { Frame } from '../../dialects/dialect.ts';
import type { FrameSource } from '../sse.ts';
import type { BackgroundRun } from './background-run.ts';

/** One reader of a background run. It may begin anywhere, leave and come back; the run does not notice. */
export class RunReader implements FrameSource {
  readonly #run: Pick<BackgroundRun, 'events' | 'over' | 'changed'>;
  readonly #closed: () => void;
  #next: number;
  #left = false;

  /** `startingAfter` is the last sequence number that the reader has. */
  constructor(run: Pick<BackgroundRun, 'events' | 'over' | 'changed'>, startingAfter: number, closed: () => void) {
    this.#run = run;
    this.#next = startingAfter + 1;
    this.#closed = closed;
  }

  get done(): boolean {
    return this.#left || (this.#run.over && this.#next >= this.#run.events.length);
  }

  async next(): Promise<readonly Frame[]> {
    await this.#run.changed(this.#next);
    if (this.#left) return [];
    const events = this.#run.events.slice(this.#next);
    this.#next += events.length;
    return events.map(toFrame);
  }

  heartbeat(): Frame {
    return { type: 'comment', text: 'still working' };
  }

  closed(): void {
    this.#left = true;
    this.#closed();
  }
}

function toFrame(data: JsonObject): Frame {
  return { type: 'data', event: String(data.type), data };
}

import type { Clock, Timers } from '../../contract/services.ts';
import type { Dialect } from '../../dialects/dialect.ts';
import { frameText, streamContentType, type WireFrame, writesOf } from './frame-text.ts';

export interface FrameSource {
  /** The next frames. Must not throw: an error is a frame. */
  next(): Promise<readonly WireFrame[]>;
  /** True once `next` has given the last frames. */
  readonly done: boolean;
  heartbeat(): WireFrame;
  /** The stream is over: everything was read, or the reader went away or fell asleep. Called once. */
  closed(how: 'complete' | 'client-gone' | 'stalled'): void;
}

export interface StreamOptions {
  readonly format: Dialect['format'];
  readonly headers: Record<string, string>;
  readonly heartbeatMs: number;
  readonly stallTimeoutMs: number;
  /**
   * Frames that come so soon after the last write wait for the first one that does not, and go out together; twice as
   * long at most. 0: every frame is a write of its own. A write costs 0.1 to 0.3 ms here and as much in the reader, on
   * cores that decode. Tokens a second on two cores with 5 / 12 / 25 ms: 24 layers and one stream 85 / 88 / 91; 2 layers
   * and one stream 633 / 670 / 656, four 1,130 / 1,190 / 1,180. A timer alone would write at any moment of a step; a frame
   * comes at the one moment that is meant for it. Lines of NDJSON never wait: each is a write of its own.
   */
  readonly gatherMs: number;
  /** The client has waited long enough to be told something at once. */
  readonly beginWithHeartbeat?: boolean;
  readonly clock: Clock;
  readonly timers: Timers;
}

/**
 * Frames -> a streamed response. One `next()` per pull, so a reader that takes nothing stops the source and memory
 * stays flat.
 */
export function streamResponse(source: FrameSource, options: StreamOptions): Response {
  const body = new ReadableStream<Uint8Array>(new FrameStream(source, options), { highWaterMark: 0 });
  return new Response(body, {
    headers: {
      'content-type': streamContentType[options.format],
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      // Says that nothing is to be gained by looking for the end before the headers go out.
      'transfer-encoding': 'chunked',
      ...options.headers,
    },
  });
}

const encoder = new TextEncoder();

/** The opening frame and the first tokens. */
const promptWrites = 3;

class FrameStream {
  readonly #source: FrameSource;
  readonly #options: StreamOptions;
  #controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  /** True while the reader waits for us, false while we wait for the reader. */
  #pulling = false;
  #lastMove: number;
  #disarm: () => void = () => undefined;
  #over = false;
  /** A `next` that was still running when a write went out. */
  #pending: Promise<readonly WireFrame[]> | undefined;
  #writes = 0;
  #lastWrite = 0;

  constructor(source: FrameSource, options: StreamOptions) {
    this.#source = source;
    this.#options = options;
    this.#lastMove = options.clock();
  }

  start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    this.#controller = controller;
    if (this.#options.beginWithHeartbeat) this.#beat();
    this.#arm(this.#options.heartbeatMs);
  }

  async pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    this.#pulling = true;
    this.#lastMove = this.#options.clock();
    const text = (await this.#nextText()) + (await this.#gather());
    this.#pulling = false;
    this.#writes++;
    this.#lastMove = this.#options.clock();
    this.#lastWrite = this.#lastMove;
    if (this.#over) return;
    for (const write of writesOf(text, this.#options.format)) controller.enqueue(encoder.encode(write));
    if (!this.#source.done) return;
    this.#close('complete');
    controller.close();
  }

  cancel(): void {
    this.#close('client-gone');
  }

  /** Frames that have no form in this format make an empty text, which a pull must not end with. */
  async #nextText(): Promise<string> {
    let text = '';
    while (text === '' && !this.#source.done) text = await this.#takeNext();
    return text;
  }

  async #takeNext(): Promise<string> {
    this.#pending ??= this.#source.next();
    const frames = await this.#pending;
    this.#pending = undefined;
    return frameText(frames, this.#options.format);
  }

  /** What else comes until the time for the next write. The first writes are never held: they are the first token. */
  async #gather(): Promise<string> {
    const { clock, timers, format } = this.#options;
    const gatherMs = format === 'ndjson' ? 0 : this.#options.gatherMs;
    const due = this.#lastWrite + gatherMs;
    const wait = due - clock();
    if (this.#writes < promptWrites || wait <= 0) return '';
    let waiting = true;
    let cancelTimer: () => void = () => undefined;
    const timeUp = new Promise<void>((resolve) => {
      cancelTimer = timers.after(wait + gatherMs, () => {
        waiting = false;
        resolve();
      });
    });
    let text = '';
    while (waiting && !this.#source.done && !this.#over) {
      this.#pending ??= this.#source.next();
      await Promise.race([this.#pending, timeUp]);
      if (waiting) text += await this.#takeNext();
      waiting &&= clock() < due;
    }
    cancelTimer();
    return text;
  }

  /** One timer per stream, armed anew when it fires: a timer per frame would cost more than the frame. */
  #arm(milliseconds: number): void {
    this.#disarm = this.#options.timers.after(milliseconds, () => this.#tick());
  }

  #tick(): void {
    const { heartbeatMs, stallTimeoutMs, clock } = this.#options;
    const still = clock() - this.#lastMove;
    if (!this.#pulling) {
      if (still >= stallTimeoutMs) this.#cutOff();
      else this.#arm(Math.min(heartbeatMs, stallTimeoutMs - still));
      return;
    }
    if (still < heartbeatMs) {
      this.#arm(heartbeatMs - still);
      return;
    }
    this.#beat();
    this.#lastMove = clock();
    this.#arm(heartbeatMs);
  }

  #beat(): void {
    const text = frameText([this.#source.heartbeat()], this.#options.format);
    // A pending read takes it at once; with none, the last heartbeat is still waiting and a second would pile up.
    if (text !== '' && (this.#controller?.desiredSize ?? -1) >= 0) this.#controller?.enqueue(encoder.encode(text));
  }

  #cutOff(): void {
    this.#close('stalled');
    this.#controller?.error(new Error('The client stopped reading.'));
  }

  #close(how: 'complete' | 'client-gone' | 'stalled'): void {
    if (this.#over) return;
    this.#over = true;
    this.#disarm();
    this.#source.closed(how);
  }
}

import { ServeError } from '../../contract/errors.ts';
import type { Clock } from '../../contract/services.ts';
import type { NativeLibrary } from '../../native/library.ts';
import { type LibraryFiles, type OpenLibraryOptions, openLibrary } from '../../native/open-library.ts';
import { type FromLoop, type ToLoop, toWire } from '../remote/protocol.ts';
import { ServedModel } from './served-model.ts';
import { loadWeights, type Weights } from './weights.ts';

/** The thread's end of the channel. */
export interface LoopPort {
  /** The next message that is there; undefined: none. */
  receive(): ToLoop | undefined;
  send(message: FromLoop): void;
  /** The library was opened for a message, or could not be. */
  opened(): void;
  /** Before and after native calls: where the process ends meanwhile, `enter` never returns. */
  enter(): void;
  leave(): void;
  /** Blocks until there is a message, at most so long. */
  sleep(milliseconds?: number): void;
  /** Settles after a turn of the event loop, in which what was freed is cleared away. */
  turn(): Promise<void>;
}

/** Of steered runs; most answer within a tenth of a millisecond. */
const mostWaitMs = 5;

/**
 * The engine's thread: loads one model and does what the server says. Its native calls are synchronous, and between them
 * it reads its messages; with nothing to do it sleeps. Settles when the model is disposed of.
 */
export async function serveLoop(port: LoopPort, clock: Clock): Promise<void> {
  const thread = new LoopThread(port, clock);
  while (!thread.ended) {
    thread.step();
    if (thread.ended) break;
    await port.turn();
    port.sleep();
  }
  port.send({ type: 'ended' });
}

class LoopThread {
  ended = false;
  readonly #port: LoopPort;
  readonly #clock: Clock;
  #weights: Weights | undefined;
  #served: ServedModel | undefined;

  constructor(port: LoopPort, clock: Clock) {
    this.#port = port;
    this.#clock = clock;
  }

  /** Until there is nothing left to do. */
  step(): void {
    for (let goesOn = true; goesOn && !this.ended; ) {
      this.#port.enter();
      // Before the messages: who raises the flag has said before why.
      this.#weights?.interrupt.clear();
      this.#takeAll();
      goesOn = !this.ended && this.#advance();
      this.#port.leave();
    }
  }

  #takeAll(): void {
    for (let message = this.#port.receive(); message && !this.ended; message = this.#port.receive())
      this.#take(message);
  }

  #advance(): boolean {
    try {
      return this.#served?.advance() ?? false;
    } catch (error) {
      this.#fail(error);
      return false;
    }
  }

  #fail(error: unknown): void {
    const failure = new ServeError('engine_failure', 'The model failed while generating.', {}, { cause: error });
    this.#served?.fail(failure);
    this.#port.send({ type: 'failed', error: toWire(error) });
  }

  #take(message: ToLoop): void {
    switch (message.type) {
      case 'library':
        try {
          this.#openLibrary(message.files);
        } catch {
          // What is wrong with it is said by the load.
        }
        return;
      case 'weights':
        this.#load(() => {
          const { library, verbose } = message.options;
          this.#weights = loadWeights(this.#openLibrary(library, { verbose }), message.options, {
            progress: (fraction) => this.#port.send({ type: 'progress', fraction }),
            // What came meanwhile: the load is given up with the thread.
            isUnwanted: () => this.#isDisposed(),
          });
          this.#port.send({ type: 'weights-loaded', weights: this.#weights.told });
        });
        return;
      case 'context':
      case 'vectors':
        this.#load(() => {
          const { model, interrupt } = this.#loaded;
          this.#served = new ServedModel({
            ...{ model, interrupt, clock: this.#clock },
            adapters: this.#loaded.adapters,
            send: (said) => this.#port.send(said),
            waitForAnswers: (answered) => this.#wait(answered),
          });
          if (message.type === 'context') this.#served.openContext(message.options);
          else this.#served.openVectors(message.options);
        });
        return;
      case 'dispose':
        this.#dispose();
        return;
      default:
        this.#served?.take(message);
    }
  }

  #openLibrary(files: LibraryFiles, options?: OpenLibraryOptions): NativeLibrary {
    try {
      return openLibrary(files, options);
    } finally {
      this.#port.opened();
    }
  }

  get #loaded(): Weights {
    if (!this.#weights) throw new Error('The weights come first.');
    return this.#weights;
  }

  #load(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#port.send({ type: 'load-failed', error: toWire(error) });
    }
  }

  /** Only a dispose can come while the weights load. */
  #isDisposed(): boolean {
    const message = this.#port.receive();
    if (message?.type !== 'dispose') return false;
    this.#dispose();
    return true;
  }

  #wait(answered: () => boolean): void {
    const until = this.#clock() + mostWaitMs;
    for (;;) {
      this.#takeAll();
      const left = until - this.#clock();
      if (answered() || this.ended || left <= 0) return;
      this.#port.sleep(left);
    }
  }

  #dispose(): void {
    if (this.ended) return;
    this.ended = true;
    this.#served?.free();
    this.#weights?.letGo();
  }
}

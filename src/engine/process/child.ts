import type { Clock } from '../../contract/services.ts';
import { neverAborted } from '../../contract/signals.ts';
import type { TokenText } from '../engine.ts';
import { type FromLoop, type Question, toWire } from '../remote/protocol.ts';
import { type LoadingModel, loadWeights, openContext } from '../thread/load.ts';
import type { TuningCache } from '../tuning.ts';
import type { ChildLoadOptions, FromChild, ToChild } from './protocol.ts';
import { readTokenTable } from './token-table.ts';

/** The child's end of the channel. */
export interface ChildPort {
  send(message: FromChild): void;
  /** Ends the process when everything is sent. */
  end(): void;
}

export interface ChildTools {
  readonly clock: Clock;
  /** The compiled file that calls `serveThread`. */
  readonly entry: URL;
  readonly openTuningCache: (path: string) => TuningCache;
}

/**
 * The engine's process: it loads a model into a thread, as the server's own process would, and hands messages on between
 * that and the server. It has the vocabulary, so questions about tokens are answered here. Returns what takes the
 * server's messages.
 */
export function serveEngine(port: ChildPort, tools: ChildTools): (message: ToChild) => void {
  const child = new EngineProcess(port, tools);
  return (message) => child.take(message);
}

class EngineProcess {
  readonly #port: ChildPort;
  readonly #tools: ChildTools;
  #loading: LoadingModel | undefined;
  #text: TokenText | undefined;
  readonly #asked = new Map<number, AbortController>();

  constructor(port: ChildPort, tools: ChildTools) {
    this.#port = port;
    this.#tools = tools;
  }

  take(message: ToChild): void {
    switch (message.type) {
      case 'load':
        void this.#load(message.options);
        return;
      case 'interrupt':
        this.#loading?.interrupt();
        return;
      case 'dispose':
        void this.#dispose();
        return;
      case 'ask':
        if (message.question.about === 'tokens') void this.#tokenize(message.id, message.question);
        else this.#loading?.thread.channel.send(message);
        return;
      case 'cancel':
        this.#asked.get(message.id)?.abort();
        this.#loading?.thread.channel.send(message);
        return;
      default:
        this.#loading?.thread.channel.send(message);
    }
  }

  async #load({ tuningFile, ...options }: ChildLoadOptions): Promise<void> {
    try {
      const whole = {
        ...options,
        ...{ entry: this.#tools.entry, waitAtExit: true },
        clock: this.#tools.clock,
        // A load that nobody wants any more ends with the process.
        signal: neverAborted(),
        onProgress: (fraction: number) => this.#port.send({ type: 'progress', fraction }),
        onCalibrate: () => this.#port.send({ type: 'calibrate' }),
        onFailure: () => undefined,
        ...(tuningFile !== undefined && { tuningCache: this.#tools.openTuningCache(tuningFile) }),
      };
      this.#loading = await loadWeights(whole);
      const { weights, held, thread } = this.#loading;
      const { facts, description, text, fingerprint } = await openContext(this.#loading, whole);
      const { shared: _, ...told } = weights;
      this.#text = text;
      thread.handOn((said: FromLoop) => this.#port.send(said));
      const tokens = readTokenTable(held.vocabulary);
      const model = { processId: process.pid, weights: told, facts, description, tokens, fingerprint };
      this.#port.send({ type: 'opened', model });
    } catch (error) {
      this.#port.send({ type: 'load-failed', error: toWire(error) });
    }
  }

  async #tokenize(id: number, { pieces, special }: Extract<Question, { about: 'tokens' }>): Promise<void> {
    const abort = new AbortController();
    this.#asked.set(id, abort);
    try {
      const tokens = (await this.#text?.tokenize(pieces, { special, signal: abort.signal })) ?? [];
      this.#port.send({ type: 'answer', id, answer: { about: 'tokens', tokens: Int32Array.from(tokens) } });
    } catch (error) {
      this.#port.send({ type: 'refusal', id, error: toWire(error) });
    } finally {
      this.#asked.delete(id);
    }
  }

  async #dispose(): Promise<void> {
    await this.#loading?.end();
    this.#port.end();
  }
}

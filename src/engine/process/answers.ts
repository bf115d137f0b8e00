import { ServeError } from '../../contract/errors.ts';
import type { Snapshot, SnapshotAccess, StateFiles } from '../engine.ts';
import type { LoadedModel } from '../llama/load.ts';
import type { Outbox } from './outbox.ts';
import { type Answer, type Question, type ToParent, toWire } from './protocol.ts';

interface AnswerSources {
  readonly loaded: LoadedModel;
  readonly vectors: ReturnType<LoadedModel['openVectors']>;
  readonly outbox: Outbox;
}

/** The child's answers to all that is no run: tokens, slot state, vectors. */
export class Answers {
  readonly #loaded: LoadedModel;
  readonly #vectors: ReturnType<LoadedModel['openVectors']>;
  readonly #outbox: Outbox;
  readonly #send: (message: ToParent) => void;
  readonly #pending = new Map<number, AbortController>();
  readonly #snapshots = new Map<number, Snapshot>();
  #nextSnapshot = 1;

  constructor({ loaded, vectors, outbox }: AnswerSources, send: (message: ToParent) => void) {
    this.#loaded = loaded;
    this.#vectors = vectors;
    this.#outbox = outbox;
    this.#send = send;
  }

  async answer(id: number, question: Question): Promise<void> {
    const abort = new AbortController();
    this.#pending.set(id, abort);
    try {
      const answer = await this.#find(question, abort.signal);
      // What slots held at the time of the answer is known before it.
      this.#outbox.flush();
      this.#send({ type: 'answer', id, answer });
    } catch (error) {
      this.#send({ type: 'refusal', id, error: toWire(error) });
    } finally {
      this.#pending.delete(id);
    }
  }

  /** Nobody waits for the answer any more. */
  cancel(id: number): void {
    this.#pending.get(id)?.abort(new ServeError('client_closed', 'The request was given up.'));
  }

  async dispose(): Promise<void> {
    await Promise.all([this.#vectors.embedder.dispose(), this.#vectors.ranker?.dispose()]);
  }

  async #find(question: Question, signal: AbortSignal): Promise<Answer> {
    switch (question.about) {
      case 'tokens': {
        const { pieces, special } = question;
        const tokens = await this.#loaded.engine.text.tokenize(pieces, { special, signal });
        return { about: 'tokens', tokens: Uint32Array.from(tokens) };
      }
      case 'save': {
        const saved = await this.#access().save(question.slot, question.tokens);
        const snapshot = this.#nextSnapshot++;
        this.#snapshots.set(snapshot, saved);
        return { about: 'save', snapshot, tokens: saved.tokens.length, bytes: saved.bytes };
      }
      case 'load': {
        this.#outbox.disown(question.slot);
        const snapshot = this.#snapshots.get(question.snapshot);
        return { about: 'load', done: snapshot !== undefined && (await this.#access().load(question.slot, snapshot)) };
      }
      case 'drop': {
        const snapshot = this.#snapshots.get(question.snapshot);
        if (this.#snapshots.delete(question.snapshot) && snapshot) this.#access().drop(snapshot);
        return { about: 'drop' };
      }
      case 'copy': {
        const { from, to, tokens } = question;
        this.#outbox.disown(to);
        return { about: 'copy', done: await this.#access().copy(from, to, tokens) };
      }
      case 'write-file':
        await this.#files().write(question.slot, question.path);
        return { about: 'write-file' };
      case 'read-file': {
        this.#outbox.disown(question.slot);
        const done = await this.#files().read(question.slot, question.path);
        const held = this.#loaded.engine.slots()[question.slot]?.tokens ?? [];
        return { about: 'read-file', tokens: done ? Uint32Array.from(held) : undefined };
      }
      case 'device-memory':
        return { about: 'device-memory', free: await this.#loaded.freeDeviceBytes() };
      case 'embed': {
        const { inputs, truncate } = question;
        return { about: 'embed', embeddings: await this.#vectors.embedder.embed(inputs, { truncate, signal }) };
      }
      case 'rank': {
        const { ranker } = this.#vectors;
        if (!ranker) throw new ServeError('internal', 'This model has no ranking head.');
        return { about: 'rank', ranking: await ranker.rank(question.query, question.documents, signal) };
      }
      default:
        return question satisfies never;
    }
  }

  #access(): SnapshotAccess {
    const { snapshots } = this.#loaded.engine;
    if (!snapshots) throw new ServeError('internal', 'The state of this model cannot be moved.');
    return snapshots;
  }

  #files(): StateFiles {
    const { files } = this.#access();
    if (!files) throw new ServeError('internal', 'The state of this model cannot be kept in files.');
    return files;
  }
}

import { createDeferred, type Deferred } from '../../contract/deferred.ts';
import type { Answer, Question, ToLoop, Topic } from './protocol.ts';

type About<Of, Subject extends Topic> = Extract<Of, { readonly about: Subject }>;

/** What the parent has asked and waits for. */
export class Questions {
  readonly #send: (message: ToLoop) => void;
  readonly #open = new Map<number, Deferred<Answer>>();
  #next = 1;
  #closed: Error | undefined;

  constructor(send: (message: ToLoop) => void) {
    this.#send = send;
  }

  /** Rejects with what the child says, with the signal's reason, or with the reason of `close`. */
  async ask<Subject extends Topic>(
    about: Subject,
    question: About<Question, Subject>,
    signal?: AbortSignal,
  ): Promise<About<Answer, Subject>> {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#closed;
    const id = this.#next++;
    const answered = createDeferred<Answer>();
    this.#open.set(id, answered);
    const giveUp = () => {
      this.#send({ type: 'cancel', id });
      answered.reject(signal?.reason);
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      this.#send({ type: 'ask', id, question });
      const answer = await answered.promise;
      if (!isAbout(answer, about)) throw new Error(`An answer about ${answer.about} to a question about ${about}.`);
      return answer;
    } finally {
      this.#open.delete(id);
      signal?.removeEventListener('abort', giveUp);
    }
  }

  answered(id: number, answer: Answer): void {
    this.#open.get(id)?.resolve(answer);
  }

  refused(id: number, error: Error): void {
    this.#open.get(id)?.reject(error);
  }

  close(reason: Error): void {
    this.#closed = reason;
    for (const open of this.#open.values()) open.reject(reason);
  }
}

function isAbout<Subject extends Topic>(answer: Answer, about: Subject): answer is About<Answer, Subject> {
  return answer.about === about;
}

import type { GeneratedToken, RunResult } from '../../src/engine/engine.ts';
import type { FromLoop, RunEnd, StepMessage } from '../../src/engine/remote/protocol.ts';

/** What an engine's loop has said, kept as its server would have it. */
export class StepLog {
  readonly said: FromLoop[] = [];
  #read = 0;

  readonly add = (message: FromLoop): void => void this.said.push(structuredClone(message));

  /** Nothing was said since the last `news`. */
  get isRead(): boolean {
    return this.said.length === this.#read;
  }

  /** What was told since the last time. */
  news(): StepMessage[] {
    const messages = this.said.slice(this.#read);
    this.#read = this.said.length;
    return messages.filter((message) => message.type === 'step');
  }

  tokensOf(run: number): GeneratedToken[] {
    return this.#steps().flatMap(({ delivered = [] }) =>
      delivered.flatMap((each) => (each.run === run ? each.tokens : [])),
    );
  }

  endOf(run: number): RunEnd | undefined {
    return this.#steps().flatMap(({ ended = [] }) => ended.filter((each) => each.run === run))[0];
  }

  reasonOf(run: number): RunResult['reason'] | 'failed' | undefined {
    const end = this.endOf(run);
    return end && ('result' in end ? end.result.reason : 'failed');
  }

  #steps(): StepMessage[] {
    return this.said.filter((message) => message.type === 'step');
  }
}

import type { SlotState } from '../engine.ts';
import type { SlotReport } from './protocol.ts';
import type { RemoteRun } from './remote-run.ts';

/** What a slot of the loop holds, as the server knows it: it has seen every token, the loop tells how many are in. */
export class MirrorSlot implements SlotState {
  readonly id: number;
  readonly tokens: number[] = [];
  cutPoints: readonly number[] | undefined;
  adapters: readonly number[] = [];
  /** The run that has the slot now. */
  run: RemoteRun | undefined;
  /** The run whose prompt and tokens the slot holds the beginning of. */
  #owner: RemoteRun | undefined;
  #source: number[] = [];
  #decoding = false;

  constructor(id: number) {
    this.id = id;
  }

  get phase(): SlotState['phase'] {
    if (!this.run) return 'idle';
    return this.#owner === this.run && this.#decoding ? 'decode' : 'prefill';
  }

  /** A run is on its way to the loop: what it does not reuse is gone, and of no use to anybody who looks. */
  begin(run: RemoteRun): void {
    this.run = run;
    this.#owner = undefined;
    this.tokens.length = run.cachedTokens;
  }

  admit(run: RemoteRun, cachedTokens: number): void {
    this.#owner = run;
    this.adapters = run.job.adapters ?? [];
    this.#source = [...run.job.prompt];
    this.#decoding = false;
    this.#hold(cachedTokens);
  }

  /** These come next in the run, and so in the slot once they are evaluated. */
  follow(run: RemoteRun, tokens: readonly { readonly token: number }[]): void {
    if (this.#owner !== run) return;
    this.#decoding = true;
    for (const { token } of tokens) this.#source.push(token);
  }

  report({ run, held, cutPoints }: SlotReport): void {
    if (this.#owner?.id !== run) return;
    this.cutPoints = cutPoints;
    this.#hold(held);
  }

  /** State that no run made. */
  adopt(tokens: Iterable<number>, adapters: readonly number[] = []): void {
    this.#owner = undefined;
    this.adapters = adapters;
    this.#source = [...tokens];
    this.tokens.length = 0;
    this.#hold(this.#source.length);
  }

  #hold(length: number): void {
    if (this.tokens.length > length) this.tokens.length = length;
    const known = Math.min(length, this.#source.length);
    for (let at = this.tokens.length; at < known; at++) this.tokens.push(this.#source[at] ?? 0);
  }
}

import type { LoopStats, StepReport } from '../remote/protocol.ts';
import type { StepPacer } from '../step-pacer.ts';

const smoothing = 0.2;

/** What the loop has done since the load. */
export class LoopTotals {
  readonly #pacer: StepPacer;
  readonly #encodedMedia: () => number | undefined;
  #steps = 0;
  #prefillTokens = 0;
  #decodeTokens = 0;
  #decodeRate: number | undefined;

  constructor(pacer: StepPacer, encodedMedia: () => number | undefined = () => undefined) {
    this.#pacer = pacer;
    this.#encodedMedia = encodedMedia;
  }

  add(report: StepReport): void {
    this.#pacer.learn(report);
    this.#steps++;
    this.#prefillTokens += report.prefillTokens;
    this.#decodeTokens += report.decodeTokens;
    if (report.prefillTokens > 0) return;
    const rate = (report.decodeTokens / report.ms) * 1000;
    this.#decodeRate = this.#decodeRate === undefined ? rate : this.#decodeRate + (rate - this.#decodeRate) * smoothing;
  }

  get stats(): LoopStats {
    const encodedMedia = this.#encodedMedia();
    return {
      steps: this.#steps,
      prefillTokens: this.#prefillTokens,
      decodeTokens: this.#decodeTokens,
      ...(encodedMedia !== undefined && { encodedMedia }),
      prefillRate: this.#pacer.prefillRate,
      decodeRate: this.#decodeRate,
    };
  }
}

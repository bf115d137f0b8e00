import type { LoopStats, StepReport } from '../remote/protocol.ts';
import type { StepPacer } from '../step-pacer.ts';

const smoothing = 0.2;

/** What the loop has done since the load. */
export class LoopTotals {
  readonly #pacer: StepPacer;
  readonly #encodedImages: () => number | undefined;
  #steps = 0;
  #prefillTokens = 0;
  #decodeTokens = 0;
  #decodeRate: number | undefined;

  constructor(pacer: StepPacer, encodedImages: () => number | undefined = () => undefined) {
    this.#pacer = pacer;
    this.#encodedImages = encodedImages;
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
    const encodedImages = this.#encodedImages();
    return {
      steps: this.#steps,
      prefillTokens: this.#prefillTokens,
      decodeTokens: this.#decodeTokens,
      ...(encodedImages !== undefined && { encodedImages }),
      prefillRate: this.#pacer.prefillRate,
      decodeRate: this.#decodeRate,
    };
  }
}

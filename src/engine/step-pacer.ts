/**
 * Chooses the prefill budget of a step from what steps have cost so far, so that running streams keep flowing and a
 * cancel takes effect within a step. Milliseconds and tokens.
 */
export interface PacerSettings {
  readonly batchSize: number;
  /** Step time to aim at while somebody decodes. */
  readonly targetMs: number;
  /**
   * Step time to aim at while nobody decodes. Longer steps evaluate a little faster, but an abort and a newcomer wait
   * for the end of a step: a whole batch of 512 takes 5 s on a slow CPU with a big model. A GPU stays far below this
   * limit and so always gets whole batches.
   */
  readonly idleTargetMs: number;
}

/** Smaller pieces cost more per token than they save (measured: 16 tokens and fewer are bound by call overhead). */
const smallestPiece = 16;
const firstGuess = 64;
/**
 * ggml's flash attention on CPUs goes through the keys once for as many tokens of a prompt, and once for each token of a
 * smaller piece. 24 layers after 500 tokens on 2 slow cores: 10.3 ms a token in pieces of 63, 7.5 in pieces of 64.
 */
const attentionTile = 64;
const smoothing = 0.3;

export class StepPacer {
  readonly #settings: PacerSettings;
  /** Of the steps that read prompts, the recent ones above all: what they took, and for how many tokens. */
  #prefillMs: number | undefined;
  #prefillTokens: number | undefined;
  #msPerDecodeStep = 0;

  constructor(settings: PacerSettings) {
    this.#settings = settings;
  }

  /** Prompt tokens that the next step may take. */
  budget(decoding: number): number {
    const { batchSize, targetMs, idleTargetMs } = this.#settings;
    const msPerToken = this.#msPerPrefillToken;
    if (msPerToken === undefined) return Math.min(firstGuess, batchSize);
    const tokens =
      decoding > 0
        ? Math.floor((targetMs - this.#msPerDecodeStep) / msPerToken)
        : inWholeTiles(Math.floor(idleTargetMs / msPerToken));
    return Math.min(batchSize, Math.max(smallestPiece, tokens));
  }

  /** What a step of these tokens took. */
  learn(step: { readonly prefillTokens: number; readonly decodeTokens: number; readonly ms: number }): void {
    if (step.prefillTokens === 0) {
      this.#msPerDecodeStep = blend(this.#msPerDecodeStep, step.ms);
      return;
    }
    const base = step.decodeTokens > 0 ? Math.min(this.#msPerDecodeStep, step.ms / 2) : 0;
    if (step.prefillTokens >= smallestPiece || this.#prefillTokens === undefined) {
      this.#prefillMs = blend(this.#prefillMs, step.ms - base);
      this.#prefillTokens = blend(this.#prefillTokens, step.prefillTokens);
    }
  }

  /**
   * Of the averages, not the average of each step's own: what a step costs by itself weighs on a short prompt's few
   * tokens. A model of 2 layers so seemed to take 0.4 ms a token behind short chats and got pieces of 100 tokens, where
   * 500 take 40 ms.
   */
  get #msPerPrefillToken(): number | undefined {
    return this.#prefillMs && this.#prefillTokens ? this.#prefillMs / this.#prefillTokens : undefined;
  }

  /** Tokens per second, as far as measured. */
  get prefillRate(): number | undefined {
    const msPerToken = this.#msPerPrefillToken;
    return msPerToken === undefined ? undefined : 1000 / msPerToken;
  }

  /** Milliseconds of a step without prompt pieces. */
  get decodeStepMs(): number {
    return this.#msPerDecodeStep;
  }
}

/** The nearest number of tiles; less than half a tile stays what it is. */
function inWholeTiles(tokens: number): number {
  return Math.round(tokens / attentionTile) * attentionTile || tokens;
}

function blend(old: number | undefined, measured: number): number {
  return old ? old + (measured - old) * smoothing : measured;
}

import { ServeError } from '../../contract/errors.ts';
import type { TokenLogprob } from '../../contract/events.ts';
import type { Candidates } from '../../native/candidates.ts';
import type { Context } from '../../native/context.ts';
import { Grammar } from '../../native/grammar.ts';
import type { Model } from '../../native/model.ts';
import { type ChainSettings, SamplerChain } from '../../native/sampler.ts';
import { isMediaRow } from '../media-ids.ts';
import type { WireJob } from '../remote/protocol.ts';
import { chainSettings } from './chain-settings.ts';
import { tokenLogprob } from './logprobs.ts';
import { checkNumbers } from './no-numbers.ts';

/** What every sampler of a loaded model shares. */
export interface SamplingTools {
  readonly model: Model;
  readonly context: Context;
  /** For samples under a grammar; used by one sample at a time. */
  readonly candidates: Candidates;
  readonly endTokens: () => readonly number[];
}

/** What sampling gives where the grammar allows no token. */
export const noToken = -1;

export type RunSampling = Pick<RunSampler, keyof RunSampler>;

/** Media are nothing that could be repeated. */
function lastTokens(prompt: Int32Array, count: number): Int32Array {
  return prompt.filter((token) => !isMediaRow(token)).slice(-count);
}

/** One run's sampling: the chain, its grammar, raw log probabilities. */
export class RunSampler {
  readonly #tools: SamplingTools;
  readonly #chain: SamplerChain;
  #grammar: Grammar | undefined;
  /** What the chain never samples. */
  readonly #forbidden: readonly number[];
  readonly #grammarRefuses: readonly number[];
  /** Tokens that are still to come before an end may be sampled. */
  #barredFor: number;

  constructor(tools: SamplingTools, job: WireJob) {
    const { model, context, endTokens } = tools;
    this.#tools = tools;
    this.#forbidden = [...(job.ignoreEos ? endTokens() : []), ...model.vocabulary.suppressed()];
    this.#grammarRefuses = job.grammarRefuses ?? [];
    const rules = { contextSize: context.contextSize, forbidden: this.#forbidden };
    const { settings, minTokens, looksBack } = chainSettings(job.sampling, rules);
    this.#barredFor = minTokens;
    this.#chain = createChain(model, settings, minTokens > 0 ? endTokens() : []);
    try {
      if (looksBack > 0) for (const token of lastTokens(job.prompt, looksBack)) this.#chain.accept(token);
      if (job.grammarActive) this.setGrammar(job.grammar);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  get grammarActive(): boolean {
    return this.#grammar !== undefined;
  }

  /** From the next sampled token on; undefined switches it off. Throws ServeError when the text is no grammar. */
  setGrammar(text: string | undefined): void {
    this.#grammar?.free();
    this.#grammar = undefined;
    if (text === undefined) return;
    const { model } = this.#tools;
    try {
      this.#grammar = new Grammar(model.library, model.vocabulary, text);
    } catch (error) {
      throw new ServeError('engine_failure', 'The grammar could not be read.', {}, { cause: error });
    }
  }

  /** Samples from an output of the last batch, and counts the token. Throws NoNumbersError, and nothing is counted then. */
  sample(place: number): number {
    const logits = this.logits(place);
    if (this.#grammar) return this.sampleFrom(logits);
    checkNumbers(logits);
    const token = this.#chain.sample(this.#tools.context, place);
    this.#counted();
    return token;
  }

  /**
   * The same from logits that were kept. As llama-server does it: sampled without the grammar, which is then asked about
   * that one token; on its refusal sampled again with the grammar first.
   */
  sampleFrom(logits: Float32Array): number {
    checkNumbers(logits);
    const { candidates } = this.#tools;
    candidates.fill(logits);
    this.#chain.apply(candidates);
    let token = candidates.selected;
    if (token === undefined) throw new Error('The sampler chain chose no token.');
    if (this.#grammar && (this.#grammarRefuses.includes(token) || !this.#grammar.allows(token, candidates))) {
      candidates.fill(logits);
      this.#grammar.apply(candidates);
      candidates.forbid(this.#grammarRefuses);
      if (!candidates.anyAllowed) return noToken;
      // Where the end is all that the grammar leaves, it comes, though the chain would never sample it.
      candidates.forbid(this.#barredFor > 0 ? [...this.#forbidden, ...this.#tools.endTokens()] : this.#forbidden);
      if (!candidates.anyAllowed) return this.#tools.endTokens()[0] ?? noToken;
      this.#chain.apply(candidates);
      token = candidates.selected;
      if (token === undefined || !this.#grammar.allows(token, candidates)) return noToken;
    }
    this.#grammar?.accept(token);
    this.accept(token);
    return token;
  }

  /** The token comes next without having been sampled; a grammar does not hear of it. */
  accept(token: number): void {
    this.#chain.accept(token);
    this.#counted();
  }

  #counted(): void {
    if (this.#barredFor > 0 && --this.#barredFor === 0) this.#chain.lift();
  }

  /** Of an output of the last batch. */
  logits(place: number): Float32Array {
    return this.#tools.context.logits(place);
  }

  /** The token's raw log probability and its most likely rivals. Reads the whole vocabulary: only when asked. */
  logprob(logits: Float32Array, token: number, top: number): TokenLogprob {
    checkNumbers(logits);
    return tokenLogprob(logits, token, top, (each) => this.#tools.model.vocabulary.bytes(each));
  }

  free(): void {
    this.#chain.free();
    this.#grammar?.free();
  }
}

function createChain({ library, vocabulary }: Model, settings: ChainSettings, barred: readonly number[]): SamplerChain {
  try {
    return new SamplerChain(library, vocabulary, settings, barred);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new ServeError('invalid_request', error.message, { param: 'samplers' }, { cause: error });
  }
}

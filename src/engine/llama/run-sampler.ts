import type { TokenCandidate, TokenLogprob } from '../../contract/events.ts';
import type { EngineJob, ResolvedSampling, TokenText } from '../engine.ts';
import type { NativeBindings, NativeContext, NativeModel, NativeSampler, NativeSamplerConfig } from './native.ts';

/** What every sampler of a loaded model shares. */
export interface SamplingTools {
  readonly bindings: NativeBindings;
  readonly model: NativeModel;
  readonly context: NativeContext;
  readonly text: TokenText;
  readonly endTokens: readonly number[];
}

/** Tokens that the repetition penalties look back over, as in llama-server. */
const penaltyWindow = 64;
/** Not infinite: what a grammar forbids is less likely still. */
const impossible = -1e9;

/** One run's sampling: the chain, its grammar, raw log probabilities. Lives as long as the run. */
export class RunSampler {
  readonly #tools: SamplingTools;
  readonly #sampling: ResolvedSampling;
  readonly #ignoreEos: boolean;
  readonly #chain: NativeSampler;
  #raw: NativeSampler | undefined;
  #grammarActive = false;

  constructor(tools: SamplingTools, job: EngineJob) {
    this.#tools = tools;
    this.#sampling = job.sampling;
    this.#ignoreEos = job.ignoreEos;
    this.#chain = new tools.bindings.AddonSampler(tools.model);
    this.#configure(job.prompt);
    if (job.grammarActive && job.grammar !== undefined) this.setGrammar(job.grammar, job.prompt);
  }

  get grammarActive(): boolean {
    return this.#grammarActive;
  }

  /** From the next sampled token on; undefined switches it off. `history` feeds the penalties. */
  setGrammar(grammar: string | undefined, history: readonly number[]): void {
    this.#grammarActive = grammar !== undefined;
    this.#configure(history, grammar);
  }

  sample(batchIndex: number): Promise<number> {
    return this.#tools.context.sampleToken(batchIndex, this.#chain);
  }

  /** The token's raw log probability and its most likely rivals. Sorts the vocabulary: milliseconds, only when asked. */
  async logprob(batchIndex: number, token: number, top: number): Promise<TokenLogprob> {
    this.#raw ??= this.#greedy();
    const wanted = Math.max(1, top);
    const options: [number[], false, false, false, number] = [[token], false, false, false, wanted];
    const { context } = this.#tools;
    const [, , , pairs, weight] = await context.sampleToken(batchIndex, this.#raw, false, false, options, true);
    // Pairs are [token, logit, ...], the top ones first; the weight is the sum of exp(logit - highest logit).
    const normaliser = (pairs[1] ?? 0) + Math.log(weight);
    const candidates: TokenCandidate[] = [];
    for (let at = 0; at + 1 < pairs.length; at += 2) {
      candidates.push(this.#candidate(pairs[at] ?? 0, (pairs[at + 1] ?? 0) - normaliser));
    }
    const chosen = candidates.find((candidate) => candidate.token === token) ?? this.#candidate(token, impossible);
    return { ...chosen, top: candidates.slice(0, top) };
  }

  dispose(): void {
    this.#chain.dispose();
    this.#raw?.dispose();
  }

  #candidate(token: number, logprob: number): TokenCandidate {
    const bytes = this.#tools.text.bytes(token);
    return { token, text: new TextDecoder().decode(bytes), bytes: [...bytes], logprob };
  }

  #greedy(): NativeSampler {
    const sampler = new this.#tools.bindings.AddonSampler(this.#tools.model);
    sampler.applyConfig({ temperature: 0 });
    return sampler;
  }

  #configure(history: readonly number[], grammar?: string): void {
    const { bindings, model } = this.#tools;
    const config = chainConfig(this.#sampling, history);
    // Under a grammar too: where it allows anything else the end is not drawn, and where it is finished the end is all
    // that is left, however unlikely.
    const bias = biasOf(this.#sampling, this.#ignoreEos ? this.#tools.endTokens : []);
    if (bias.size > 0) {
      config.tokenBiasKeys = Uint32Array.from(bias.keys());
      config.tokenBiasValues = Float32Array.from(bias.values());
    }
    if (grammar !== undefined) {
      const compiled = new bindings.AddonGrammar(grammar, { addonExports: bindings, rootRuleName: 'root' });
      config.grammarEvaluationState = new bindings.AddonGrammarEvaluationState(model, compiled);
    }
    this.#chain.applyConfig(config);
  }
}

function chainConfig(sampling: ResolvedSampling, history: readonly number[]): NativeSamplerConfig {
  const config: NativeSamplerConfig = { temperature: sampling.temperature, seed: sampling.seed };
  if (sampling.topK > 0) config.topK = sampling.topK;
  if (sampling.topP < 1) config.topP = sampling.topP;
  if (sampling.minP > 0) config.minP = sampling.minP;
  const penalises = sampling.repeatPenalty !== 1 || sampling.frequencyPenalty !== 0 || sampling.presencePenalty !== 0;
  if (penalises) {
    config.repeatPenalty = sampling.repeatPenalty;
    config.repeatPenaltyFrequencyPenalty = sampling.frequencyPenalty;
    config.repeatPenaltyPresencePenalty = sampling.presencePenalty;
    config.repeatPenaltyMaxTokens = penaltyWindow;
    config.repeatPenaltyTokens = Uint32Array.from(history.slice(-penaltyWindow));
  }
  return config;
}

function biasOf(sampling: ResolvedSampling, forbidden: readonly number[]): Map<number, number> {
  const bias = new Map<number, number>();
  for (const [token, value] of sampling.logitBias ?? []) bias.set(token, value <= -100 ? impossible : value);
  for (const token of forbidden) bias.set(token, impossible);
  return bias;
}

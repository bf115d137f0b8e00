import type { SamplerName } from '../contract/request.ts';
import type { Candidates } from './candidates.ts';
import type { Context } from './context.ts';
import { Handle } from './handle.ts';
import type { NativeLibrary } from './library.ts';
import { nullPointer, type Pointer } from './pointer.ts';
import type { Vocabulary } from './vocabulary.ts';

/** common_params_sampling's order where nothing else is asked for. */
export const usualSamplers: readonly SamplerName[] = [
  'penalties',
  'dry',
  'top_n_sigma',
  'top_k',
  'typ_p',
  'top_p',
  'min_p',
  'xtc',
  'temperature',
];

/** All that decides a sample; llama.cpp's meanings and, as far as they are not the client's, its defaults. */
export interface ChainSettings {
  readonly samplers: readonly SamplerName[];
  readonly temperature: number;
  readonly dynamicTemperatureRange: number;
  readonly dynamicTemperatureExponent: number;
  readonly topK: number;
  readonly topP: number;
  readonly minP: number;
  readonly typicalP: number;
  readonly topNSigma: number;
  readonly xtcProbability: number;
  readonly xtcThreshold: number;
  readonly minKeep: number;
  /** 1 or 2 take the place of the whole chain but the bias; 0: none. */
  readonly mirostat: 0 | 1 | 2;
  readonly mirostatTau: number;
  readonly mirostatEta: number;
  readonly penaltyWindow: number;
  readonly repeatPenalty: number;
  readonly frequencyPenalty: number;
  readonly presencePenalty: number;
  readonly dryMultiplier: number;
  readonly dryBase: number;
  readonly dryAllowedLength: number;
  readonly dryWindow: number;
  readonly drySequenceBreakers: readonly string[];
  readonly adaptiveTarget: number;
  readonly adaptiveDecay: number;
  /** 32 bits. */
  readonly seed: number;
  /** What is added to the logit of a token. */
  readonly bias: ReadonlyMap<number, number>;
}

/** It compares the texts of each two candidates: of a vocabulary of 152k tokens for hours. What is not likely it drops. */
const mostForInfill = 200;
/** How many tokens mirostat 1 estimates from, as in its paper. */
const mirostatEstimate = 100;

/**
 * llama.cpp's chain of samplers, put together as llama-server does it (common/sampling.cpp): it always ends in one that
 * chooses. The model is not freed before it.
 */
export class SamplerChain extends Handle {
  readonly #library: NativeLibrary;
  readonly #letVocabularyGo: () => void;
  /** Whether the first sampler forbids the end for now. */
  #barred = false;

  /** `barred`: tokens that cannot be sampled until `lift`. */
  constructor(library: NativeLibrary, vocabulary: Vocabulary, settings: ChainSettings, barred: readonly number[] = []) {
    const { functions } = library;
    super(
      'sampler chain',
      functions.llama_sampler_chain_init({ ...functions.llama_sampler_chain_default_params(), no_perf: true }),
    );
    this.#library = library;
    this.#letVocabularyGo = vocabulary.use();
    try {
      if (barred.length > 0) {
        this.#add(logitBias(library, vocabulary, new Map(barred.map((token) => [token, Number.NEGATIVE_INFINITY]))));
        this.#barred = true;
      }
      if (settings.bias.size > 0) this.#add(logitBias(library, vocabulary, settings.bias));
      for (const sampler of samplersOf(library, vocabulary, settings)) this.#add(sampler);
    } catch (error) {
      this.free();
      throw error;
    }
  }

  #add(sampler: Pointer): void {
    if (sampler === nullPointer) throw new Error('A sampler could not be made.');
    this.#library.functions.llama_sampler_chain_add(this.pointer, sampler);
  }

  /** The tokens that were barred at the beginning can be sampled from now on. */
  lift(): void {
    if (!this.#barred) return;
    this.#barred = false;
    const { functions } = this.#library;
    functions.llama_sampler_free(functions.llama_sampler_chain_remove(this.pointer, 0));
  }

  /** The token counts for penalties and the like: it was sampled, forced, or is one of the prompt's. */
  accept(token: number): void {
    this.#library.functions.llama_sampler_accept(this.pointer, token);
  }

  /** Chooses among the candidates; none of them is accepted. */
  apply(candidates: Candidates): void {
    this.#library.functions.llama_sampler_apply(this.pointer, candidates.forSamplers);
  }

  /** Samples from an output of the context's last batch, and accepts the token. Throws RangeError where there is none. */
  sample(context: Context, place: number): number {
    context.assertOutput(place);
    return this.#library.functions.llama_sampler_sample(this.pointer, context.pointer, place);
  }

  protected release(pointer: Pointer): void {
    this.#library.functions.llama_sampler_free(pointer);
    this.#letVocabularyGo();
  }
}

function* samplersOf(library: NativeLibrary, vocabulary: Vocabulary, settings: ChainSettings): Generator<Pointer> {
  const { functions } = library;
  const { temperature, seed, mirostat, mirostatTau, mirostatEta } = settings;
  switch (mirostat) {
    case 0:
      for (const name of settings.samplers) {
        if (name === 'infill') yield functions.llama_sampler_init_top_k(mostForInfill);
        if (name !== 'adaptive_p') yield samplerNamed(library, vocabulary, name, settings);
      }
      if (settings.samplers.includes('adaptive_p')) {
        yield functions.llama_sampler_init_adaptive_p(settings.adaptiveTarget, settings.adaptiveDecay, seed);
      } else yield functions.llama_sampler_init_dist(seed);
      return;
    case 1:
      yield functions.llama_sampler_init_temp(temperature);
      yield functions.llama_sampler_init_mirostat(vocabulary.size, seed, mirostatTau, mirostatEta, mirostatEstimate);
      return;
    case 2:
      yield functions.llama_sampler_init_temp(temperature);
      yield functions.llama_sampler_init_mirostat_v2(seed, mirostatTau, mirostatEta);
      return;
    default:
      mirostat satisfies never;
  }
}

function samplerNamed(
  library: NativeLibrary,
  vocabulary: Vocabulary,
  name: Exclude<SamplerName, 'adaptive_p'>,
  settings: ChainSettings,
): Pointer {
  const { functions } = library;
  const { minKeep } = settings;
  switch (name) {
    case 'penalties':
      return functions.llama_sampler_init_penalties(
        vocabulary.size,
        settings.penaltyWindow,
        settings.repeatPenalty,
        settings.frequencyPenalty,
        settings.presencePenalty,
      );
    case 'dry':
      return dry(library, vocabulary, settings);
    case 'top_n_sigma':
      return functions.llama_sampler_init_top_n_sigma(settings.topNSigma);
    case 'top_k':
      return functions.llama_sampler_init_top_k(settings.topK);
    case 'typ_p':
      return functions.llama_sampler_init_typical(settings.typicalP, minKeep);
    case 'top_p':
      return functions.llama_sampler_init_top_p(settings.topP, minKeep);
    case 'min_p':
      return functions.llama_sampler_init_min_p(settings.minP, minKeep);
    case 'xtc':
      return functions.llama_sampler_init_xtc(settings.xtcProbability, settings.xtcThreshold, minKeep, settings.seed);
    case 'temperature':
      return functions.llama_sampler_init_temp_ext(
        settings.temperature,
        settings.dynamicTemperatureRange,
        settings.dynamicTemperatureExponent,
      );
    case 'infill':
      if (!vocabulary.suitsInfillSampler) {
        throw new RangeError('The sampler infill needs a vocabulary with an end token and no token above 512 bytes.');
      }
      return functions.llama_sampler_init_infill(vocabulary.pointer);
    default:
      return name satisfies never;
  }
}

function dry(library: NativeLibrary, vocabulary: Vocabulary, settings: ChainSettings): Pointer {
  const breakers = settings.drySequenceBreakers.map((text) => Buffer.from(`${text}\0`, 'utf8'));
  const addresses = BigUint64Array.from([...breakers.map((breaker) => library.address(breaker)), 0n]);
  return library.functions.llama_sampler_init_dry(
    vocabulary.pointer,
    settings.dryMultiplier,
    settings.dryBase,
    settings.dryAllowedLength,
    settings.dryWindow,
    addresses,
    breakers.length,
  );
}

function logitBias(library: NativeLibrary, vocabulary: Vocabulary, bias: ReadonlyMap<number, number>): Pointer {
  const known = [...bias].filter(([token]) => vocabulary.has(token));
  const bytes = new ArrayBuffer(8 * known.length);
  const [tokens, values] = [new Int32Array(bytes), new Float32Array(bytes)];
  for (const [at, [token, value]] of known.entries()) {
    tokens[2 * at] = token;
    values[2 * at + 1] = value;
  }
  return library.functions.llama_sampler_init_logit_bias(vocabulary.size, known.length, new Uint8Array(bytes));
}

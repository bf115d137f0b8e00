import { z } from 'zod';
import { type AdvancedSampling, type SamplerName, samplerNames } from '../../contract/request.ts';
import { defined } from './defined.ts';
import { optional } from './validate.ts';

/** One letter for each sampler, as llama.cpp's `--sampler-seq` and a text in `samplers` spell them. */
const letters: Readonly<Record<string, SamplerName>> = {
  e: 'penalties',
  d: 'dry',
  s: 'top_n_sigma',
  k: 'top_k',
  y: 'typ_p',
  p: 'top_p',
  m: 'min_p',
  x: 'xtc',
  t: 'temperature',
  i: 'infill',
  a: 'adaptive_p',
};

/** Other spellings that llama.cpp takes (common_sampler_types_from_names). */
const otherNames: Readonly<Record<string, SamplerName>> = {
  typical_p: 'typ_p',
  typical: 'typ_p',
  temp: 'temperature',
  nucleus: 'top_p',
};

const mostBreakers = 64;
const longestBreaker = 100;
const window = optional(z.int().min(-1));

/** llama.cpp's further samplers, under the names that its server gives them; `min_tokens` is vLLM's. */
export const advancedSamplingFields = {
  samplers: optional(z.union([z.string().max(100), z.array(z.string().max(40)).max(40)])).transform((given, context) =>
    toSamplers(given, context),
  ),
  typical_p: optional(z.number().min(0).max(1)),
  top_n_sigma: optional(z.number()),
  dynatemp_range: optional(z.number().min(0).max(100)),
  dynatemp_exponent: optional(z.number().min(0).max(100)),
  mirostat: optional(z.literal([0, 1, 2])),
  mirostat_tau: optional(z.number().min(0).max(100)),
  mirostat_eta: optional(z.number().min(0).max(1)),
  xtc_probability: optional(z.number().min(0).max(1)),
  xtc_threshold: optional(z.number().min(0).max(1)),
  dry_multiplier: optional(z.number().min(0).max(100)),
  dry_base: optional(z.number().min(0).max(100)),
  dry_allowed_length: optional(z.int().min(0).max(100_000)),
  dry_penalty_last_n: window,
  dry_sequence_breakers: optional(z.array(z.string().min(1).max(longestBreaker)).min(1).max(mostBreakers)),
  repeat_last_n: window,
  adaptive_target: optional(z.number().max(1)),
  adaptive_decay: optional(z.number().min(0).max(0.99)),
  min_keep: optional(z.int().min(0).max(1_000_000)),
  min_tokens: optional(z.int().min(0)),
} as const;

type Fields = Partial<z.output<z.ZodObject<typeof advancedSamplingFields>>>;

/** undefined where nothing of it is asked for. */
export function toAdvancedSampling(body: Fields): AdvancedSampling | undefined {
  const advanced = defined({
    samplers: body.samplers,
    typicalP: body.typical_p,
    topNSigma: body.top_n_sigma,
    dynamicTemperatureRange: body.dynatemp_range,
    dynamicTemperatureExponent: body.dynatemp_exponent,
    mirostat: body.mirostat,
    mirostatTau: body.mirostat_tau,
    mirostatEta: body.mirostat_eta,
    xtcProbability: body.xtc_probability,
    xtcThreshold: body.xtc_threshold,
    dryMultiplier: body.dry_multiplier,
    dryBase: body.dry_base,
    dryAllowedLength: body.dry_allowed_length,
    dryWindow: body.dry_penalty_last_n,
    drySequenceBreakers: body.dry_sequence_breakers,
    penaltyWindow: body.repeat_last_n,
    adaptiveTarget: body.adaptive_target,
    adaptiveDecay: body.adaptive_decay,
    minKeep: body.min_keep,
  });
  return Object.keys(advanced).length > 0 ? advanced : undefined;
}

function toSamplers(
  given: string | readonly string[] | undefined,
  context: z.RefinementCtx,
): readonly SamplerName[] | undefined {
  if (given === undefined) return undefined;
  const samplers = typeof given === 'string' ? [...given].map((letter) => letters[letter]) : given.map(namedSampler);
  const unknown = samplers.indexOf(undefined);
  if (unknown >= 0) {
    const known = typeof given === 'string' ? Object.keys(letters).join('') : samplerNames.join(', ');
    context.addIssue({
      code: 'custom',
      message: `\`samplers\` names ${JSON.stringify(given[unknown])}, which is no sampler. Known are ${known}.`,
    });
    return z.NEVER;
  }
  return samplers.filter((name) => name !== undefined);
}

function namedSampler(text: string): SamplerName | undefined {
  const name = text.toLowerCase().replaceAll('-', '_');
  return samplerNames.find((known) => known === name) ?? otherNames[name];
}

import { type ChainSettings, usualSamplers } from '../../native/sampler.ts';
import type { ResolvedSampling } from '../engine.ts';

/** OpenAI's API: -100 bans a token. */
const banned = -100;

/** llama.cpp's own defaults (common_params_sampling), for what a client rarely says. */
const defaults = {
  samplers: usualSamplers,
  dynamicTemperatureRange: 0,
  dynamicTemperatureExponent: 1,
  typicalP: 1,
  topNSigma: -1,
  xtcProbability: 0,
  xtcThreshold: 0.1,
  minKeep: 0,
  mirostat: 0,
  mirostatTau: 5,
  mirostatEta: 0.1,
  penaltyWindow: 64,
  dryMultiplier: 0,
  dryBase: 1.75,
  dryAllowedLength: 2,
  dryWindow: 64,
  drySequenceBreakers: ['\n', ':', '"', '*'],
  adaptiveTarget: -1,
  adaptiveDecay: 0.9,
} as const;

export interface TokenRules {
  /** Tokens per slot: no sampler looks back further. */
  readonly contextSize: number;
  /** Tokens that never come. */
  readonly forbidden: readonly number[];
}

/** What the chain of a request is made of. */
export function chainSettings(
  { logitBias, minTokens = 0, advanced, ...sampling }: ResolvedSampling,
  { contextSize, forbidden }: TokenRules,
): ChosenSettings {
  const bias = new Map<number, number>();
  for (const [token, value] of logitBias ?? []) bias.set(token, value <= banned ? Number.NEGATIVE_INFINITY : value);
  for (const token of forbidden) bias.set(token, Number.NEGATIVE_INFINITY);
  const settings = { ...defaults, ...sampling, ...advanced };
  const { repeatPenalty, frequencyPenalty, presencePenalty, dryMultiplier } = settings;
  const window = (tokens: number) => (tokens < 0 ? contextSize : Math.min(tokens, contextSize));
  const penaltyWindow = window(settings.penaltyWindow);
  const dryWindow = window(settings.dryWindow);
  const penalises = repeatPenalty !== 1 || frequencyPenalty !== 0 || presencePenalty !== 0;
  return {
    settings: { ...settings, penaltyWindow, dryWindow, bias },
    minTokens,
    looksBack: Math.max(penalises ? penaltyWindow : 0, dryMultiplier === 0 ? 0 : dryWindow),
  };
}

export interface ChosenSettings {
  readonly settings: ChainSettings;
  readonly minTokens: number;
  /** Tokens of the prompt that its samplers have to know. */
  readonly looksBack: number;
}

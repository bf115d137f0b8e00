import { type ChainSettings, usualSamplers } from '../../native/sampler.ts';
import type { ResolvedSampling } from '../engine.ts';

/** Not infinite: what a grammar forbids is less likely still. */
export const impossible = -1e9;

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
  /** Tokens that come only where nothing else is left. */
  readonly unlikely: readonly number[];
  /** Tokens that never come: the model's makers want it so. */
  readonly suppressed: Int32Array;
}

/** What the chain of a request is made of; -100 of a logit bias means never, as in OpenAI's API. */
export function chainSettings(
  { logitBias, minTokens = 0, advanced, ...sampling }: ResolvedSampling,
  { contextSize, unlikely, suppressed }: TokenRules,
): ChosenSettings {
  const bias = new Map<number, number>();
  for (const [token, value] of logitBias ?? []) bias.set(token, value <= -100 ? impossible : value);
  for (const token of unlikely) bias.set(token, impossible);
  for (const token of suppressed) bias.set(token, Number.NEGATIVE_INFINITY);
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

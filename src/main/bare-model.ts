import { type Config, loadWish } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import type { BareRatesLine, NamedLength } from '../engine/loop/bare-rates-job.ts';
import { type BareRatesOptions, measureBareRates } from '../engine/loop/run-bare-rates.ts';
import { fitsHere } from '../models/fit-here.ts';
import { type FileProfile, readModelProfile } from '../models/profile.ts';
import { bareRatesChild } from './entries.ts';
import { computeWish, weightsWish } from './load-settings.ts';

/** A model as it would be loaded with these flags, and what measures it without a server. */
export interface BareModel {
  readonly profile: FileProfile;
  /** Tokens of a slot. */
  readonly contextSize: number;
  readonly slots: number;
  /** Milliseconds of every round. Throws ServeError, or the signal's reason. */
  measure(lengths: readonly NamedLength[], options: Omit<BareRatesOptions, 'entry'>): Promise<BareRatesLine[]>;
}

/** ServeError where there is no such model, or no room for it. */
export async function bareModel(path: string, config: Config): Promise<BareModel> {
  const profile = await readModelProfile(path, { projector: false });
  const wish = loadWish(config);
  const fit = fitsHere(wish)(profile);
  if ('tooLarge' in fit) throw new ServeError('insufficient_memory', fit.tooLarge);
  const { threads, flashAttention, batchSize, keyType, valueType } = computeWish(config, {});
  const weights = weightsWish(profile.path, config, wish, fit);
  const how = { weights, threads, flashAttention, batchSize, keyType, valueType };
  return {
    profile,
    contextSize: fit.contextSize,
    slots: fit.slots,
    measure: (lengths, options) => measureBareRates({ ...how, lengths }, { ...options, entry: bareRatesChild }),
  };
}

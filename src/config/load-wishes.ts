import type { ModelSettings, Speculation } from '../contract/model-settings.ts';
import type { FlagValues } from './flags.ts';

export type ContextFlags = Pick<
  FlagValues,
  'ctxSize' | 'parallel' | 'cacheTypeKv' | 'cacheTypeK' | 'cacheTypeV' | 'swaFull' | 'batchSize' | 'flashAttn'
>;

/** The context that the flags ask for, with what one load says itself over them. */
export function contextWish(flags: ContextFlags, own: ModelSettings = {}) {
  return {
    /** Tokens per slot; 0: as much as fits. */
    contextSize: own.contextSize || flags.ctxSize,
    /** undefined: the usual, or as many as there is memory for. */
    slots: own.slots ?? flags.parallel,
    cacheType: own.cacheType ?? flags.cacheTypeKv,
    keyType: flags.cacheTypeK,
    valueType: flags.cacheTypeV,
    fullWindows: flags.swaFull,
    batchSize: flags.batchSize,
    flashAttention: flags.flashAttn,
  };
}

/** The same of how tokens are guessed. */
export function speculationWish(
  flags: Pick<FlagValues, 'lookupDecoding' | 'draftModel'>,
  own: ModelSettings = {},
): Speculation {
  const { draftModel, lookupDecoding } = flags;
  return own.speculation ?? (draftModel === undefined ? (lookupDecoding ? 'lookup' : 'off') : { draftModel });
}

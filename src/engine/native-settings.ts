/** What a load may say about native things, for the rooms above that may not know them. */
export type { RopeParameters } from '../native/context.ts';
export type { PoolSettings } from '../native/thread-pools.ts';

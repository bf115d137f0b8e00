import type { CacheType } from '../../contract/model-settings.ts';
import type { Clock } from '../../contract/services.ts';
import { Batch } from '../../native/batch.ts';
import { Context } from '../../native/context.ts';
import type { NativeLibrary } from '../../native/library.ts';
import type { Model } from '../../native/model.ts';
import { SamplerChain } from '../../native/sampler.ts';
import type { ThreadPools } from '../../native/thread-pools.ts';
import type { ResolvedSampling } from '../engine.ts';
import { chainSettings } from './chain-settings.ts';

/** What the loop runs on. */
export interface BareLoop {
  readonly library: NativeLibrary;
  readonly model: Model;
  readonly pools: ThreadPools;
  readonly threads: number;
  readonly flashAttention: boolean;
  readonly batchSize: number;
  readonly keyType?: CacheType | undefined;
  readonly valueType?: CacheType | undefined;
  readonly sampling: ResolvedSampling;
  readonly clock: Clock;
}

export interface BareLength {
  readonly streams: number;
  /** Tokens that each stream has behind it when it begins. */
  readonly depth: number;
  /** Tokens that each stream then decodes, in each round. */
  readonly tokens: number;
  readonly rounds: number;
  /** Steps that are not timed: pages and caches fill in them. */
  readonly warmUp?: number;
}

/** One round, times in milliseconds. */
export interface BareRound {
  /** From an empty memory to the first token of every stream. */
  readonly promptMs: number;
  /** Of all tokens after it. */
  readonly decodeMs: number;
}

/**
 * What llama.cpp's C API does at best: batch, decode and its own sampler chain in a loop with persistent threads; no
 * server, no text, no schedule. Every round begins with an empty memory. Holds the thread up.
 */
export function* bareRounds(
  loop: BareLoop,
  { streams, depth, tokens, rounds, warmUp = 10 }: BareLength,
): Generator<BareRound> {
  const { library, model, clock, batchSize } = loop;
  const context = Context.create(model, {
    contextSize: depth + warmUp + tokens + 1,
    sequences: streams,
    batchSize,
    outputs: streams,
    threads: loop.threads,
    flashAttention: loop.flashAttention,
    keyType: loop.keyType,
    valueType: loop.valueType,
  });
  context.useThreads(loop.pools, loop.threads, loop.threads);
  const batch = new Batch(library, batchSize);
  const { settings } = chainSettings(loop.sampling, { contextSize: context.contextSize, forbidden: [] });
  const chains = Array.from({ length: streams }, () => new SamplerChain(library, model.vocabulary, settings));
  const rows = { context, batch, chains, word: Math.min(usualWord, model.vocabulary.size - 1) };
  try {
    for (let round = 0; round < rounds; round++) {
      for (const sequence of chains.keys()) context.clear(sequence);
      const begin = clock();
      const first = readPrompts(rows, depth);
      const promptMs = clock() - begin;
      const warm = decodeSteps(rows, { tokens: first, position: depth, steps: warmUp });
      const decodeBegin = clock();
      decodeSteps(rows, { tokens: warm, position: depth + warmUp, steps: tokens });
      yield { promptMs, decodeMs: clock() - decodeBegin };
    }
  } finally {
    for (const chain of chains) chain.free();
    batch.free();
    context.free();
  }
}

/** A token of its own in most vocabularies. */
const usualWord = 100;

interface Rows {
  readonly context: Context;
  readonly batch: Batch;
  readonly chains: readonly SamplerChain[];
  readonly word: number;
}

/** The first token of each stream. */
function readPrompts({ context, batch, chains, word }: Rows, depth: number): number[] {
  const tokens: number[] = [];
  let ends: { readonly sequence: number; readonly place: number }[] = [];
  const evaluate = () => {
    if (batch.size === 0) return;
    context.decode(batch);
    for (const { sequence, place } of ends) tokens[sequence] = chains[sequence]?.sample(context, place) ?? word;
    batch.clear();
    ends = [];
  };
  batch.clear();
  for (const sequence of chains.keys()) {
    for (let at = 0; at < depth; at++) {
      const isLast = at === depth - 1;
      const place = batch.add(word, at, sequence, isLast);
      if (isLast) ends.push({ sequence, place });
      if (batch.size === batch.capacity) evaluate();
    }
  }
  evaluate();
  return tokens;
}

interface Steps {
  readonly tokens: readonly number[];
  /** Of the first token that is decoded. */
  readonly position: number;
  readonly steps: number;
}

/** The last token of each stream. */
function decodeSteps({ context, batch, chains }: Rows, { tokens, position, steps }: Steps): readonly number[] {
  let last = tokens;
  for (let step = 0; step < steps; step++) {
    batch.clear();
    for (const [sequence, token] of last.entries()) batch.add(token, position + step, sequence, true);
    context.decode(batch);
    last = chains.map((chain, sequence) => chain.sample(context, sequence));
  }
  return last;
}

import type { RunSampling } from '../../src/engine/loop/run-sampler.ts';

/** Sampling that draws nothing and remembers what it is told. */
export function recordedSampling(): RunSampling & { readonly calls: readonly unknown[] } {
  const calls: unknown[] = [];
  return {
    calls,
    grammarActive: false,
    setGrammar: (text) => void calls.push(['setGrammar', text]),
    accept: (token) => void calls.push(['accept', token]),
    free: () => void calls.push(['free']),
    sample: unwanted,
    draw: unwanted,
    logits: unwanted,
    logprob: unwanted,
  };
}

function unwanted(): never {
  throw new Error('Nothing is drawn here.');
}

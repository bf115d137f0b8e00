import { afterAll, describe, expect, it } from 'vitest';
import { chainSettings } from '../../src/engine/loop/chain-settings.ts';
import { Candidates } from '../../src/native/candidates.ts';
import { type ChainSettings, SamplerChain } from '../../src/native/sampler.ts';
import { greedy } from '../engine-contract/subject.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { MersenneTwister } from '../support/mersenne-twister.ts';
import { library, loadVocabulary } from '../support/native.ts';

/**
 * Every sampler on fixed logits, against what follows from its published definition: llama.cpp's README of its server and
 * the papers that it names. Which candidates are left, and how likely each is to be drawn.
 */
const logits = [2, 1, 0, -1, -2, -3];
const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length;
const deviation = Math.sqrt(logits.reduce((sum, logit) => sum + (logit - mean) ** 2, 0) / logits.length);
const usual = softmax(new Map(logits.entries()));

const model = loadVocabulary(demoModelPath);
const { vocabulary } = model;
const candidates = new Candidates(library, vocabulary.size);
afterAll(() => {
  candidates.free();
  model.free();
});

const { settings: plain } = chainSettings({ ...greedy, temperature: 1 }, { contextSize: 512, forbidden: [] });

function chainOf(changes: Partial<ChainSettings>, barred: readonly number[] = []): SamplerChain {
  return new SamplerChain(library, vocabulary, { ...plain, samplers: [], seed: 1, ...changes }, barred);
}

/** Token -> chance, of those that can be drawn. */
type Chances = ReadonlyMap<number, number>;

function apply(chain: SamplerChain, given: readonly number[] = logits): Chances {
  candidates.fill(Float32Array.from(given));
  chain.apply(candidates);
  const left = candidates.list().filter(({ chance, logit }) => chance > 0 && logit > Number.NEGATIVE_INFINITY);
  return new Map(left.map(({ token, chance }) => [token, chance]));
}

/** After these tokens, with one chain. */
function chances(changes: Partial<ChainSettings>, accepted: readonly number[] = []): Chances {
  const chain = chainOf(changes);
  for (const token of accepted) chain.accept(token);
  const left = apply(chain);
  chain.free();
  return left;
}

function softmax(scores: Chances): Chances {
  const most = Math.max(...scores.values());
  const sum = [...scores.values()].reduce((total, score) => total + Math.exp(score - most), 0);
  return new Map([...scores].map(([token, score]) => [token, Math.exp(score - most) / sum]));
}

/** Of some tokens, with logits that differ from the fixed ones. */
function of(tokens: readonly number[], scores: readonly number[] = logits): Chances {
  return softmax(new Map(tokens.map((token) => [token, scores[token] ?? Number.NaN])));
}

function expectChances(actual: Chances, wanted: Chances): void {
  const sorted = (some: Chances) => [...some].sort(([one], [other]) => one - other);
  expect(sorted(actual).map(([token]) => token)).toEqual(sorted(wanted).map(([token]) => token));
  for (const [token, chance] of wanted) expect(actual.get(token)).toBeCloseTo(chance, 5);
}

/** The token at whose place the chances add up to this. */
function drawnAt(place: number): number {
  let reached = 0;
  for (const [token, each] of usual) {
    reached += each;
    if (reached >= place) return token;
  }
  return logits.length - 1;
}

const all = [0, 1, 2, 3, 4, 5];
const entropy = -[...usual.values()].reduce((sum, chance) => sum + chance * Math.log(chance), 0);
const chance = (token: number) => usual.get(token) ?? Number.NaN;
const divided = (by: number) => logits.map((logit) => logit / by);

describe('samplers on fixed logits', () => {
  it.each<[string, Partial<ChainSettings>, Chances]>([
    ['none: the model itself', {}, usual],
    ['temperature', { samplers: ['temperature'], temperature: 0.5 }, of(all, divided(0.5))],
    ['temperature 0: the likeliest', { samplers: ['temperature'], temperature: 0 }, of([0])],
    [
      'dynamic temperature, by how far the entropy is from the most there could be',
      {
        samplers: ['temperature'],
        ...{ temperature: 1, dynamicTemperatureRange: 0.5, dynamicTemperatureExponent: 2 },
      },
      of(all, divided(0.5 + (1.5 - 0.5) * (entropy / Math.log(6)) ** 2)),
    ],
    ['top_k', { samplers: ['top_k'], topK: 2 }, of([0, 1])],
    ['top_k 0: all', { samplers: ['top_k'], topK: 0 }, usual],
    ['top_p: the fewest that reach it', { samplers: ['top_p'], topP: chance(0) + 0.1 }, of([0, 1])],
    ['top_p that the first reaches', { samplers: ['top_p'], topP: chance(0) - 0.01 }, of([0])],
    ['min_p, of the likeliest one', { samplers: ['min_p'], minP: Math.exp(-2) - 0.001 }, of([0, 1, 2])],
    ['min_p just above', { samplers: ['min_p'], minP: Math.exp(-2) + 0.001 }, of([0, 1])],
    ['min_keep over min_p', { samplers: ['min_p'], minP: 1, minKeep: 4 }, of([0, 1, 2, 3])],
    ['min_keep over top_p', { samplers: ['top_p'], topP: 0.001, minKeep: 3 }, of([0, 1, 2])],
    ['top_n_sigma', { samplers: ['top_n_sigma'], topNSigma: (0.99 + 1) / deviation }, of([0, 1])],
    ['top_n_sigma a little more', { samplers: ['top_n_sigma'], topNSigma: (1.01 + 1) / deviation }, of([0, 1, 2])],
    ['top_n_sigma below 0: off', { samplers: ['top_n_sigma'], topNSigma: -1 }, usual],
    [
      'xtc: those above the threshold but the last',
      { samplers: ['xtc'], xtcProbability: 1, xtcThreshold: 0.1 },
      of([1, 2, 3, 4, 5]),
    ],
    [
      'xtc with a lower threshold',
      { samplers: ['xtc'], xtcProbability: 1, xtcThreshold: chance(2) - 0.001 },
      of([2, 3, 4, 5]),
    ],
    ['xtc where one is above', { samplers: ['xtc'], xtcProbability: 1, xtcThreshold: 0.5 }, usual],
    ['xtc never', { samplers: ['xtc'], xtcProbability: 0, xtcThreshold: 0.01 }, usual],
    ['a bias', { bias: new Map([[5, 4]]) }, of(all, [2, 1, 0, -1, -2, 1])],
    ['a ban', { bias: new Map([[0, Number.NEGATIVE_INFINITY]]) }, of([1, 2, 3, 4, 5])],
    ['mirostat 2: surprise up to twice its target', { mirostat: 2, mirostatTau: 1.1 }, of([0, 1])],
    ['mirostat 2 with temperature first', { mirostat: 2, mirostatTau: 0.4, temperature: 0.5 }, of([0], divided(0.5))],
  ])('%s', (_, changes, wanted) => expectChances(chances(changes), wanted));

  it('typ_p: those whose surprise is nearest to the entropy, until they reach it', () => {
    const distance = (token: number) => Math.abs(-Math.log(chance(token)) - entropy);
    const [nearest = 0, next = 0] = [...all].sort((one, other) => distance(one) - distance(other));
    expectChances(chances({ samplers: ['typ_p'], typicalP: chance(nearest) - 0.01 }), of([nearest]));
    expectChances(chances({ samplers: ['typ_p'], typicalP: chance(nearest) + 0.01 }), of([nearest, next]));
    expectChances(chances({ samplers: ['typ_p'], typicalP: 0.001, minKeep: 2 }), of([nearest, next]));
  });

  it('penalties: a repeated token is divided (multiplied below 0), and loses by count and once', () => {
    const changes = {
      samplers: ['penalties'],
      repeatPenalty: 2,
      frequencyPenalty: 0.5,
      presencePenalty: 0.25,
    } as const;
    expectChances(chances(changes, [0, 4, 0]), of(all, [2 / 2 - 2 * 0.5 - 0.25, 1, 0, -1, -2 * 2 - 0.5 - 0.25, -3]));
    expectChances(
      chances({ ...changes, penaltyWindow: 1 }, [0, 4, 0]),
      of(all, [2 / 2 - 0.5 - 0.25, 1, 0, -1, -2, -3]),
    );
    expectChances(chances({ ...changes, penaltyWindow: 0 }, [0, 4, 0]), usual);
  });

  it('dry: what would prolong a repetition, the more the longer it is', () => {
    const changes = { samplers: ['dry'], dryMultiplier: 0.8, dryBase: 1.75, dryAllowedLength: 2 } as const;
    const without = (token: number, penalty: number) =>
      logits.map((logit, at) => (at === token ? logit - penalty : logit));
    expectChances(chances(changes, [1, 2, 0, 1]), usual);
    expectChances(chances(changes, [4, 1, 2, 0, 5, 1, 2]), of(all, without(0, 0.8)));
    expectChances(chances(changes, [4, 3, 1, 2, 0, 5, 3, 1, 2]), of(all, without(0, 0.8 * 1.75)));
    expectChances(chances({ ...changes, dryWindow: 4 }, [4, 1, 2, 0, 5, 1, 2]), usual);
    // A breaker ends what counts as repeated.
    const [breaker = 0] = vocabulary.tokenize('*', false);
    const broken = [1, breaker, 2, 0, 5, 1, breaker, 2];
    expectChances(chances({ ...changes, drySequenceBreakers: ['*'] }, broken), usual);
    expectChances(chances({ ...changes, drySequenceBreakers: ['never'] }, broken), of(all, without(0, 0.8 * 1.75)));
  });

  it('mirostat 2: what was more surprising than its target lowers the limit', () => {
    const chain = chainOf({ mirostat: 2, mirostatTau: 1.1, mirostatEta: 1 });
    let limit = 2 * 1.1;
    for (let draw = 0; draw < 20; draw++) {
      const surprise = (token: number) => -Math.log2(chance(token));
      const kept = all.filter((token) => token === 0 || surprise(token) <= limit);
      const left = apply(chain);
      expectChances(left, of(kept));
      limit -= -Math.log2(left.get(candidates.selected ?? -1) ?? 0) - 1.1;
    }
    chain.free();
  });

  it('mirostat 1: the same by an estimate of how the likelihoods fall', () => {
    const [one, other] = [
      [0, 0],
      [0, 0],
    ];
    for (let at = 0; at < all.length - 1; at++) {
      const [t, b] = [Math.log((at + 2) / (at + 1)), Math.log(chance(at) / chance(at + 1))];
      one[0] = (one[0] ?? 0) + t * b;
      other[0] = (other[0] ?? 0) + t * t;
    }
    const exponent = (one[0] ?? 0) / (other[0] ?? 1);
    const rest = exponent - 1;
    for (const tau of [0.5, 1, 2]) {
      const kept = ((rest * 2 ** (2 * tau)) / (1 - vocabulary.size ** -rest)) ** (1 / exponent);
      expectChances(chances({ mirostat: 1, mirostatTau: tau }), of(all.slice(0, Math.max(1, Math.floor(kept)))));
    }
  });

  it('adaptive_p: those whose likelihood is near the target', () => {
    const scored = (target: number) =>
      all.map((token) => {
        const distance = Math.abs(chance(token) - target) / 0.3;
        return 5 - (10 * distance ** 2) / (1 + distance);
      });
    const changes = { samplers: ['adaptive_p'], adaptiveTarget: 0.2, adaptiveDecay: 0.5 } as const;
    expectChances(chances(changes), of(all, scored(0.2)));
    // What was drawn moves the next target to the other side.
    const chain = chainOf(changes);
    apply(chain);
    const drawn = candidates.selected ?? -1;
    chain.accept(drawn);
    const sum = 0.2 / (1 - 0.5);
    const next = 2 * 0.2 - (chance(drawn) + 0.5 * sum) / (1 + 0.5 * (1 / (1 - 0.5)));
    expectChances(apply(chain), of(all, scored(Math.min(1, Math.max(0, next)))));
    chain.free();
    expectChances(chances({ ...changes, adaptiveTarget: -1 }), usual);
  });

  it('infill: the end where it is likely for its kind, else what a fifth of the chances falls to', () => {
    const end = vocabulary.eos;
    const given = Array<number>(vocabulary.size).fill(Number.NEGATIVE_INFINITY);
    const [first = 0] = vocabulary.tokenize('9', false);
    const [second = 0] = vocabulary.tokenize('x', false);
    Object.assign(given, { [first]: 2, [second]: 1.5, [end]: 0 });
    const chain = chainOf({ samplers: ['infill'] });
    expectChances(apply(chain, given), new Map([[end, 1]]));
    Object.assign(given, { [end]: Number.NEGATIVE_INFINITY });
    expectChances(
      apply(chain, given),
      softmax(
        new Map([
          [first, 2],
          [second, 1.5],
        ]),
      ),
    );
    Object.assign(given, { [second]: 0.5 });
    expectChances(apply(chain, given), new Map([[first, 1]]));
    chain.free();
  });

  it('stand in the order in which they are named', () => {
    const changes = { temperature: 4, minP: 0.3 };
    const cutFirst = chances({ ...changes, samplers: ['min_p', 'temperature'] });
    const warmFirst = chances({ ...changes, samplers: ['temperature', 'min_p'] });
    expectChances(cutFirst, of([0, 1], divided(4)));
    expectChances(warmFirst, of([0, 1, 2, 3, 4], divided(4)));
  });

  it('do not draw what is barred until it is lifted', () => {
    const chain = chainOf({}, [0, 3]);
    expectChances(apply(chain), of([1, 2, 4, 5]));
    chain.lift();
    chain.lift();
    expectChances(apply(chain), usual);
    chain.free();
  });

  it('draw by the numbers of a Mersenne twister of their seed', () => {
    for (const seed of [0, 1, 7, 20_262, 2 ** 32 - 2]) {
      const twister = new MersenneTwister(seed);
      const chain = chainOf({ seed });
      const draws = Array.from({ length: 40 }, () => {
        apply(chain);
        return candidates.selected;
      });
      const wanted = draws.map(() => drawnAt(twister.double()));
      expect([seed, draws]).toEqual([seed, wanted]);
      chain.free();
    }
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { Batch } from '../../src/native/batch.ts';
import { Candidates } from '../../src/native/candidates.ts';
import { Context, type ContextParameters } from '../../src/native/context.ts';
import { Grammar } from '../../src/native/grammar.ts';
import { Model } from '../../src/native/model.ts';
import { ThreadPools } from '../../src/native/thread-pools.ts';
import { mostCharactersPerCall } from '../../src/native/vocabulary.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { library, loadVocabulary } from '../support/native.ts';

/** The rows of the table in src/native/README.md: what the library would end the process for is an error in JavaScript. */
describe('a handle, instead of the end of the process', () => {
  const model = Model.load(library, demoModelPath, { gpuLayers: 0 });
  const parameters: ContextParameters = {
    contextSize: 64,
    sequences: 2,
    batchSize: 16,
    outputs: 4,
    threads: 1,
    flashAttention: false,
  };
  const context = Context.create(model, parameters);
  const token = 5;
  const batchOf = (tokens: number, outputs = 0, made = new Batch(library, 32)) => {
    made.clear();
    for (let at = 0; at < tokens; at++) made.add(token, at, 0, at >= tokens - outputs);
    return made;
  };
  afterAll(() => {
    context.free();
    model.free();
  });

  it('refuses a batch without tokens, and one of too many', () => {
    expect(() => context.decode(batchOf(0))).toThrow('The batch is empty.');
    expect(() => context.decode(batchOf(17))).toThrow('17 tokens are more than a batch (16).');
    expect(() => batchOf(33)).toThrow('The batch is full (32 tokens).');
  });

  it('refuses more outputs than the context has room for', () => {
    expect(() => context.decode(batchOf(8, 5))).toThrow('5 outputs are more than 4.');
    expect(context.decode(batchOf(8, 4))).toBe('done');
    context.clear(0);
  });

  it('refuses tokens that see each other in more than one pass', () => {
    const pooled = Context.create(model, { ...parameters, microBatchSize: 8, pooling: 'mean', outputs: 16 });
    expect(() => pooled.decode(batchOf(9, 9))).toThrow('9 tokens that see each other do not fit one pass (8).');
    pooled.free();
  });

  it('refuses a number that is no token', () => {
    const { size } = model.vocabulary;
    for (const number of [size, -1, 2 ** 31 - 1]) {
      const batch = new Batch(library, 1);
      batch.add(number, 0, 0, true);
      expect(() => context.decode(batch)).toThrow(`${number} is no token of this model.`);
      batch.free();
    }
    for (const number of [size, -1, 0.5, Number.NaN]) {
      expect(model.vocabulary.spelling(number)).toBe('');
      expect(model.vocabulary.bytes(number).length).toBe(0);
      expect(model.vocabulary.isControl(number)).toBe(false);
      expect(model.vocabulary.isEndOfGeneration(number)).toBe(false);
    }
  });

  it('refuses a sequence that the context does not have', () => {
    for (const sequence of [2, -1, 0.5]) {
      const calls = [
        () => context.cut(sequence, 0),
        () => context.clear(sequence),
        () => context.lastPosition(sequence),
        () => context.saveState(sequence),
        () => context.restoreState(sequence, new Uint8Array(8)),
        () => context.shareBeginning(sequence, 0, 1),
        () => context.shareBeginning(0, sequence, 1),
      ];
      for (const call of calls) expect(call).toThrow(`There is no sequence ${sequence}.`);
    }
    for (const sequence of [2, -1]) {
      const batch = new Batch(library, 1);
      batch.add(token, 0, sequence, true);
      expect(() => context.decode(batch)).toThrow(`There is no sequence ${sequence}.`);
      batch.free();
    }
  });

  it('refuses to share a beginning where each sequence has memory of its own', () => {
    expect(() => context.shareBeginning(0, 1, 4)).toThrow('cannot share a beginning');
  });

  it('refuses the logits of what is no output', () => {
    context.clear(0);
    context.decode(batchOf(8, 1));
    expect(context.logits(7).length).toBe(model.vocabulary.size);
    for (const place of [0, 8, -1]) expect(() => context.logits(place)).toThrow('of the batch is no output.');
    context.clear(0);
  });

  it('refuses a longer text than one call takes', () => {
    const { vocabulary } = model;
    expect(() => vocabulary.tokenize('a'.repeat(mostCharactersPerCall + 1), false)).toThrow(RangeError);
    expect(vocabulary.tokenize('a'.repeat(mostCharactersPerCall), false).length).toBeGreaterThan(0);
  });

  it('refuses a number of threads that no pool can have', () => {
    const pools = new ThreadPools(library);
    for (const threads of [0, -1, 513, 1.5]) expect(() => pools.of(threads)).toThrow(RangeError);
    pools.free();
  });

  it('tells that a text is no grammar', () => {
    expect(() => new Grammar(library, model.vocabulary, 'root ::= unknown')).toThrow('the grammar could not be read');
  });

  it('is asked about a token before a grammar accepts it', () => {
    const grammar = new Grammar(library, model.vocabulary, 'root ::= "yes"');
    const candidates = new Candidates(library, 1);
    candidates.single(model.vocabulary.eos);
    grammar.apply(candidates.array);
    expect(candidates.anyAllowed).toBe(false);
    candidates.free();
    grammar.free();
  });

  it('is freed once, and not used afterwards', () => {
    const batch = new Batch(library, 4);
    batch.free();
    expect(() => batch.free()).toThrow('The batch was freed already.');
    const other = loadVocabulary(demoModelPath);
    const { vocabulary } = other;
    other.free();
    expect(() => other.free()).toThrow('The model was freed already.');
    expect(() => vocabulary.tokenize('a', false)).toThrow('The model was freed already.');
    expect(() => Context.create(other, parameters)).toThrow('The model was freed already.');
    const gone = Context.create(model, parameters);
    gone.free();
    expect(() => gone.free()).toThrow('The context was freed already.');
    expect(() => gone.decode(batchOf(1, 1))).toThrow('The context was freed already.');
    expect(() => gone.clear(0)).toThrow('The context was freed already.');
  });

  it('refuses a batch that was freed', () => {
    const batch = batchOf(4, 1);
    batch.free();
    expect(() => context.decode(batch)).toThrow('The batch was freed already.');
    expect(() => batch.add(token, 0, 0, true)).toThrow('The batch was freed already.');
  });

  it('of a model is not freed before its contexts', () => {
    const other = Model.load(library, demoModelPath, { gpuLayers: 0 });
    const left = Context.create(other, parameters);
    expect(() => other.free()).toThrow('The model is still in use.');
    left.free();
    other.free();
  });
});

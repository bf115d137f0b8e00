import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { chainSettings } from '../../src/engine/loop/chain-settings.ts';
import { Adapter } from '../../src/native/adapter.ts';
import { Batch } from '../../src/native/batch.ts';
import { Candidates } from '../../src/native/candidates.ts';
import { Context, type ContextParameters } from '../../src/native/context.ts';
import { Grammar } from '../../src/native/grammar.ts';
import { Interrupt } from '../../src/native/interrupt.ts';
import { Model } from '../../src/native/model.ts';
import { type ChainSettings, SamplerChain, usualSamplers } from '../../src/native/sampler.ts';
import { ThreadPools } from '../../src/native/thread-pools.ts';
import { mostCharactersPerCall } from '../../src/native/vocabulary.ts';
import { greedy } from '../engine-contract/subject.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { library, loadVocabulary } from '../support/native.ts';
import { writeTinyAdapter } from '../support/tiny-models.ts';

const { settings: usualChain } = chainSettings({ ...greedy, temperature: 1 }, { contextSize: 64, forbidden: [] });

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
    const grammar = (text: string) => () => new Grammar(library, model.vocabulary, text);
    for (const text of ['root ::= unknown', 'other ::= "a"', 'nonsense']) {
      expect(grammar(text)).toThrow('the grammar could not be read');
    }
    // Nothing, for C, which allows everything.
    expect(grammar('')).toThrow('An empty text is no grammar.');
    expect(grammar('\0root ::= "a"')).toThrow('A grammar has no zero bytes.');
    expect(grammar('root ::= "a"\0')).toThrow('A grammar has no zero bytes.');
  });

  it('refuses a grammar that its reader would not survive', () => {
    const grammar = (text: string) => () => new Grammar(library, model.vocabulary, text);
    expect(grammar('root ::= "a"{ 5 , 2 }')).toThrow('The count { 5 , 2 } goes backwards.');
    expect(grammar(`root ::= ${'('.repeat(10_001)}"a"${')'.repeat(10_001)}`)).toThrow('More than 10000 brackets');
    const chain = Array.from({ length: 50_001 }, (_, at) => `r${at} ::= r${at + 1}\n`).join('');
    expect(grammar(`root ::= r0\n${chain}r50001 ::= "a"`)).toThrow('More than 50000 rules.');
    // Letters and comments mean nothing.
    const letters = '"{5,2}\\"(" [{5,2}(\\]] "b"{2,5}';
    grammar(`root ::= ${letters} # {5,2} ${'( ::= '.repeat(60_000)}`)().free();
  });

  it('accepts in a grammar only the token that was asked for just before', () => {
    const grammar = new Grammar(library, model.vocabulary, 'root ::= "yes" "yes"');
    const candidates = new Candidates(library, 1);
    const [yes = 0] = model.vocabulary.tokenize('yes', false);
    const { eos } = model.vocabulary;
    expect(() => grammar.accept(yes)).toThrow(RangeError);
    expect(grammar.allows(eos, candidates)).toBe(false);
    expect(() => grammar.accept(eos)).toThrow(`The grammar was not asked about token ${eos} just before.`);
    expect(grammar.allows(yes, candidates)).toBe(true);
    expect(() => grammar.accept(eos)).toThrow(RangeError);
    grammar.accept(yes);
    expect(() => grammar.accept(yes)).toThrow(RangeError);
    candidates.free();
    grammar.free();
    expect(() => grammar.allows(yes, candidates)).toThrow('was freed already.');
    expect(() => grammar.accept(yes)).toThrow('The grammar was freed already.');
  });

  it('refuses to draw where there is no output, or no candidate', () => {
    const chain = new SamplerChain(library, model.vocabulary, usualChain);
    context.clear(0);
    context.decode(batchOf(8, 1));
    for (const place of [0, 8, -1]) expect(() => chain.sample(context, place)).toThrow('of the batch is no output.');
    expect(model.vocabulary.has(chain.sample(context, 7))).toBe(true);
    context.clear(0);
    const candidates = new Candidates(library, 4);
    expect(() => chain.apply(candidates)).toThrow('There are no candidates to choose from.');
    expect(() => candidates.fill(new Float32Array(0))).toThrow('0 candidates are not between 1 and 4.');
    expect(() => candidates.fill(new Float32Array(5))).toThrow('5 candidates are not between 1 and 4.');
    candidates.free();
    chain.free();
  });

  it('ends every chain in a sampler that chooses', () => {
    const candidates = new Candidates(library, model.vocabulary.size);
    const endings: readonly Partial<ChainSettings>[] = [
      { samplers: [] },
      { samplers: ['adaptive_p'] },
      { samplers: [...usualSamplers, 'infill'] },
      { mirostat: 1 },
      { mirostat: 2 },
    ];
    for (const changes of endings) {
      const chain = new SamplerChain(library, model.vocabulary, { ...usualChain, ...changes });
      candidates.fill(new Float32Array(model.vocabulary.size));
      chain.apply(candidates);
      expect([changes, candidates.selected !== undefined]).toEqual([changes, true]);
      chain.free();
    }
    candidates.free();
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

  it('of candidates, a chain or an interrupt is freed once, and not used afterwards', () => {
    const candidates = new Candidates(library, 4);
    const chain = new SamplerChain(library, model.vocabulary, usualChain);
    const interrupt = Interrupt.create(library);
    candidates.fill(new Float32Array(4));
    for (const handle of [candidates, chain, interrupt]) {
      handle.free();
      expect(() => handle.free()).toThrow('was freed already.');
    }
    const uses = [
      () => candidates.fill(new Float32Array(4)),
      () => candidates.single(1),
      () => candidates.forbid([1]),
      () => candidates.selected,
      () => candidates.anyAllowed,
      () => candidates.list(),
      () => interrupt.raise(),
      () => interrupt.clear(),
      () => interrupt.raised,
      () => chain.accept(1),
      () => Context.create(model, parameters, interrupt),
    ];
    for (const use of uses) expect(use).toThrow('was freed already.');
  });

  it('that another thread holds on is gone here', () => {
    const interrupt = Interrupt.create(library);
    const here = Interrupt.at(library, interrupt.pointer);
    here.raise();
    here.letGo();
    expect(() => here.raise()).toThrow('The interrupt was freed already.');
    expect(interrupt.raised).toBe(true);
    interrupt.free();
  });

  it('refuses a batch that was freed', () => {
    const batch = batchOf(4, 1);
    batch.free();
    expect(() => context.decode(batch)).toThrow('The batch was freed already.');
    expect(() => batch.add(token, 0, 0, true)).toThrow('The batch was freed already.');
  });

  it('is not freed before what stands on it', () => {
    const other = Model.load(library, demoModelPath, { gpuLayers: 0 });
    const interrupt = Interrupt.create(library);
    const pools = new ThreadPools(library);
    const made = Context.create(other, parameters, interrupt);
    made.useThreads(pools, 1, 1);
    expect(() => interrupt.free()).toThrow('The interrupt is still in use.');
    expect(() => pools.free()).toThrow('The thread pool is still in use.');
    const standing = [
      made,
      new Grammar(library, other.vocabulary, 'root ::= "a"'),
      new SamplerChain(library, other.vocabulary, usualChain),
    ];
    for (const handle of standing) {
      expect(() => other.free()).toThrow('The model is still in use.');
      handle.free();
    }
    interrupt.free();
    pools.free();
    other.free();
    expect(() => new Grammar(library, other.vocabulary, 'root ::= "a"')).toThrow('The model was freed already.');
    expect(() => new SamplerChain(library, other.vocabulary, usualChain)).toThrow('The model was freed already.');
  });

  it('of an adapter is not freed while a context computes with it', () => {
    const folder = mkdtempSync(join(tmpdir(), 'serve-model-handles-'));
    writeTinyAdapter(join(folder, 'adapter.gguf'));
    const adapter = new Adapter(model, join(folder, 'adapter.gguf'));
    rmSync(folder, { recursive: true });
    context.useAdapters([{ adapter, scale: 1 }]);
    expect(() => adapter.free()).toThrow('The adapter is still in use.');
    context.useAdapters([]);
    adapter.free();
    expect(() => context.useAdapters([{ adapter, scale: 1 }])).toThrow('The adapter was freed already.');
  });
});

import { afterAll, describe, expect, it } from 'vitest';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { fits } from '../../src/grammar/gbnf/grammar-walker.ts';
import { Candidates } from '../../src/native/candidates.ts';
import { Grammar } from '../../src/native/grammar.ts';
import { mostCharactersPerCall } from '../../src/native/vocabulary.ts';
import { schemaToGrammar } from '../grammar/schema-grammar.ts';
import { schemaCases } from '../grammar/schema-table.ts';
import { toolCases } from '../grammar/tool-schemas.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { library, loadVocabulary } from '../support/native.ts';

/** llama.cpp's own reading of our grammars: what the unit tests see with our machine is what the sampler will do. */
describe('grammars in llama.cpp', () => {
  const model = loadVocabulary(demoModelPath);
  const { vocabulary } = model;
  const candidates = new Candidates(library, 1);
  afterAll(() => {
    candidates.free();
    model.free();
  });

  /** Whether a model could say all of the text, token by token, and then end. */
  function isAllowed(source: string, text: string): boolean {
    const grammar = new Grammar(library, vocabulary, source);
    const allows = (token: number) => grammar.allows(token, candidates);
    const says = (token: number) => {
      if (!allows(token)) return false;
      grammar.accept(token);
      return true;
    };
    try {
      return tokensOf(text).every(says) && allows(vocabulary.eos);
    } finally {
      grammar.free();
    }
  }

  function tokensOf(text: string): number[] {
    const tokens: number[] = [];
    for (let at = 0; at < text.length; at += mostCharactersPerCall) {
      tokens.push(...vocabulary.tokenize(text.slice(at, at + mostCharactersPerCall), false));
    }
    return tokens;
  }

  const all = [...schemaCases, ...toolCases];
  it.each(all.map((each) => [each.name, each] as const))('%s', (_, each) => {
    const { grammar } = schemaToGrammar(each.schema);
    // Deep counts take llama.cpp's matcher long; the table's longest texts are left to our own.
    const short = (texts: readonly string[]) => texts.filter((text) => text.length < 1500);
    const written = (values: readonly unknown[] = []) => short(values.map((value) => JSON.stringify(value)));
    const accepted = [...written(each.accepts), ...(each.acceptsText ?? [])];
    const refused = [...written(each.refuses), ...written(each.stricter), ...(each.refusesText ?? [])];
    expect(accepted.filter((text) => !isAllowed(grammar, text))).toEqual([]);
    expect(refused.filter((text) => isAllowed(grammar, text))).toEqual([]);
  });

  it.each([
    'root ::= "a"{3,5} [^b-d]+ | ("x" | "y"){2} "\\u00e9"',
    'root ::= [\\]\\-a-c\\[]+ "\\\\" .',
    'root ::= "ab"{2} ("c" | ""){2}',
  ])('%s is read alike', (source) => {
    const grammar = checkGrammar(source);
    for (const text of ['aaa!', 'aaaaa€😀', 'aab', 'xyé', 'xye', ']-[a\\x', 'a\\\n', 'abab', 'ababcc', 'ababccc', ''])
      expect([text, isAllowed(source, text)]).toEqual([text, fits(grammar, text)]);
  });
});

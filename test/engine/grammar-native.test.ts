import { getLlama, type Llama } from 'node-llama-cpp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type NativeGrammar, nativeBindings } from '../../src/engine/llama/native.ts';
import { checkGrammar } from '../../src/grammar/gbnf-check.ts';
import { schemaToGrammar } from '../../src/grammar/json-schema.ts';
import { fits } from '../../src/grammar/machine.ts';
import { schemaCases } from '../grammar/schema-table.ts';
import { toolCases } from '../grammar/tool-schemas.ts';

/** llama.cpp's own reading of our grammars: what the unit tests see with our machine is what the sampler will do. */
describe('grammars in llama.cpp', () => {
  let llama: Llama;
  beforeAll(async () => {
    llama = await getLlama({ build: 'never', gpu: false });
  });
  const compile = (grammar: string): NativeGrammar => {
    const bindings = nativeBindings(llama);
    return new bindings.AddonGrammar(grammar, { addonExports: bindings, rootRuleName: 'root' });
  };
  afterAll(() => llama.dispose());

  const all = [...schemaCases, ...toolCases];
  it.each(all.map((each) => [each.name, each] as const))('%s', (_, each) => {
    const { grammar } = schemaToGrammar(each.schema);
    const native = compile(grammar);
    // Deep counts take llama.cpp's matcher long; the table's longest texts are left to our own.
    const short = (texts: readonly string[]) => texts.filter((text) => text.length < 1500);
    const written = (values: readonly unknown[] = []) => short(values.map((value) => JSON.stringify(value)));
    const accepted = [...written(each.accepts), ...(each.acceptsText ?? [])];
    const refused = [...written(each.refuses), ...written(each.stricter), ...(each.refusesText ?? [])];
    expect(accepted.filter((text) => !native.isTextCompatible(text))).toEqual([]);
    expect(refused.filter((text) => native.isTextCompatible(text))).toEqual([]);
  });

  it.each([
    'root ::= "a"{3,5} [^b-d]+ | ("x" | "y"){2} "\\u00e9"',
    'root ::= [\\]\\-a-c\\[]+ "\\\\" .',
    'root ::= "ab"{2} ("c" | ""){2}',
  ])('%s is read alike', (source) => {
    const grammar = checkGrammar(source);
    const native = compile(source);
    for (const text of ['aaa!', 'aaaaa€😀', 'aab', 'xyé', 'xye', ']-[a\\x', 'a\\\n', 'abab', 'ababcc', 'ababccc', ''])
      expect([text, native.isTextCompatible(text)]).toEqual([text, fits(grammar, text)]);
  });
});

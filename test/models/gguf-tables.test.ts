import { expect, it } from 'vitest';
import { fileTypes, tensorTypes } from '../../src/models/gguf-tables.ts';
import { GgmlType, LlamaFtype } from '../../src/native/functions.ts';

it('the tables of GGUF types have the numbers of llama.cpp', () => {
  const named = Object.entries(tensorTypes).map(([type, { name }]) => [name, Number(type)]);
  expect(named).toEqual(Object.entries(GgmlType).filter(([name]) => name !== 'COUNT'));
  const known = Object.entries(LlamaFtype).map(([name, type]) => [type, name.replace(/^(ALL|MOSTLY)_/, '')]);
  expect(Object.entries(fileTypes).map(([type, name]) => [Number(type), name])).toEqual(
    known.filter(([, name]) => name !== 'GUESSED'),
  );
});

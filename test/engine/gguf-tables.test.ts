import { GgmlType, GgufFileType } from 'node-llama-cpp';
import { expect, it } from 'vitest';
import { fileTypes, tensorTypes } from '../../src/models/gguf-tables.ts';

it('the tables of GGUF types have the numbers of the engine', () => {
  for (const [type, { name }] of Object.entries(tensorTypes)) expect(GgmlType[Number(type)]).toBe(name);
  for (const [type, name] of Object.entries(fileTypes))
    expect(GgufFileType[Number(type)]?.replace(/^(ALL|MOSTLY)_/, '')).toBe(name);
});

import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import { chatFormats } from '../../src/output/detect-family.ts';
import { schemaTypes } from '../../src/output/tool-calls/value-types.ts';
import { lines, run, tool } from './machine.ts';

const never = { allOf: [{ type: ['boolean', 'null'] }, { type: 'integer' }] };

describe('the types that a schema allows', () => {
  it.each<[JsonObject, string[] | undefined]>([
    [{ type: 'string', nullable: true }, ['null', 'string']],
    [{ enum: [1, 'a', null] }, ['null', 'number', 'string']],
    [{ const: [] }, ['array']],
    [{ description: 'anything' }, undefined],
    [{ anyOf: [{ type: 'string' }, {}] }, undefined],
    [{ anyOf: [{ type: 'string' }, { type: 'array' }] }, ['array', 'string']],
    [{ allOf: [{ type: ['string', 'null'] }, { type: 'string' }] }, ['string']],
    [{ allOf: [{ type: 'number' }, { type: 'integer' }, {}] }, ['integer']],
    [never, []],
    [{ anyOf: [{ type: 'array' }, never] }, ['array']],
    [{ anyOf: [{ items: {} }, false] }, ['array']],
  ])('%j', (schema, types) => {
    const found = schemaTypes(schema, undefined);
    expect(found && [...found].toSorted()).toEqual(types);
  });

  it('decide what an empty tag is, also beside an alternative that nothing fits', () => {
    const format = chatFormats['minimax-m3'];
    if (!format) throw new Error('no minimax-m3');
    const put = tool('put', { list: { anyOf: [{ type: 'array' }, never] } });
    const ns = ']<]minimax[>[';
    const text = `${ns}<tool_call>\n${ns}<invoke name="put">${ns}<list>${ns}</list>${ns}</invoke>\n${ns}</tool_call>`;
    expect(lines(run({ format, tools: [put] }, [text]))).toEqual(['call call_1 put {"list":[]}']);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseJson } from '../../src/http/bodies/json-guard.ts';

describe('JSON of a request', () => {
  it('comes out as JSON.parse has it, whatever it holds', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 6 }), (text) => {
        expect(parseJson(text, 64)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['[[1]]', 2, true],
    ['[[1]]', 1, false],
    ['{"a":[{}]}', 3, true],
    ['{"a":[{}]}', 2, false],
    ['["[[[["]', 1, true],
    ['["\\"[[[["]', 1, true],
    ['["\\\\",[1]]', 1, false],
    ['["\\\\\\"[["]', 1, true],
    ['[],[],[]', 1, undefined],
  ])('%s with at most %d levels: %s', (text, depth, fits) => {
    const attempt = () => parseJson(text, depth);
    if (fits === true) expect(attempt()).toEqual(JSON.parse(text));
    else expect(attempt).toThrow(fits === false ? 'nested more than' : 'not valid JSON');
  });

  it.each([
    ['"\\ud800"', '\ufffd'],
    ['"a\\udc00b"', 'a\ufffdb'],
    ['"\\ud83d\\ude00"', '\u{1f600}'],
    ['"\\ud83d\\ud83d\\ude00"', '\ufffd\u{1f600}'],
    ['{"\\uDFFF":["\\uD800"]}', { '\ufffd': ['\ufffd'] }],
    ['"\\\\ud800"', '\\ud800'],
  ])('%s has no half characters', (text, value) => {
    expect(parseJson(text, 8)).toEqual(value);
  });

  it.each([
    ['', 'The request body is empty: send a JSON object.'],
    ['{"a":secret}', 'The request body is not valid JSON: something in it is no JSON.'],
    ['{"prompt": "secret', 'The request body is not valid JSON: the fault is at position 18'],
  ])('%j is refused without showing what it held', (text, message) => {
    const attempt = () => parseJson(text, 8);
    expect(attempt).toThrow(message);
    expect(attempt).not.toThrow('secret');
  });
});

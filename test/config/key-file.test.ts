import { describe, expect, it } from 'vitest';
import { parseKeyFile } from '../../src/config/key-file.ts';

const secret = 'sk-secret';

function refusal(text: string): string {
  try {
    parseKeyFile(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return '';
}

describe('a key file', () => {
  it.each([
    ['a bare key', 'first', { key: 'first', name: undefined, admin: false, limits: {} }],
    ['a bare key with blanks', 'two words', { key: 'two words' }],
    ['a bare key with a colon', 'sk:1', { key: 'sk:1', name: undefined }],
    ['a name', 'ann: sk-1', { key: 'sk-1', name: 'ann', admin: false, limits: {} }],
    ['a name of 40 characters', `${'a'.repeat(40)}: sk-1`, { name: 'a'.repeat(40) }],
    ['a key with an equals sign', 'ann: sk=1', { key: 'sk=1', limits: {} }],
    ['admin', 'ann: sk-1 admin', { key: 'sk-1', admin: true }],
    [
      'limits in any order',
      'ann:  sk-1\ttokens/day=1e6 streams=4 admin requests/min=60 tokens/min=20000',
      { admin: true, limits: { streams: 4, requestsPerMinute: 60, tokensPerMinute: 20_000, tokensPerDay: 1_000_000 } },
    ],
    ['a comment behind it', 'ann: sk-1 streams=2 # her phone', { key: 'sk-1', limits: { streams: 2 } }],
    ['a number sign inside a key', 'ann: sk#1', { key: 'sk#1' }],
    ['the line ends of Windows', '\uFEFFann: sk-1\r\n', { key: 'sk-1', name: 'ann' }],
  ])('takes %s', (_, text, expected) => {
    expect(parseKeyFile(text)).toMatchObject([expected]);
  });

  it('passes over comments and empty lines', () => {
    expect(parseKeyFile('# people\n\nann: k1\n  # more\nbob: k2\n').map(({ name }) => name)).toEqual(['ann', 'bob']);
  });

  it('has several keys of one person, limits written once', () => {
    const keys = parseKeyFile('ann: old streams=2\nann: new admin streams=2 tokens/day=5\n');
    expect(keys.map(({ name, admin }) => [name, admin])).toEqual([
      ['ann', false],
      ['ann', true],
    ]);
  });

  it.each([
    ['# nobody\n', 'holds no key. Write one key in each line'],
    [`\nAnn: ${secret}`, 'is wrong in line 2: a name has 1 to 40 characters of a-z, 0-9 and -. Write NAME: KEY'],
    [`: ${secret}`, 'is wrong in line 1: a name has 1 to 40 characters of a-z, 0-9 and -. Write NAME: KEY'],
    [
      `${secret} admin`,
      'is wrong in line 1: only keys with a name can have more behind them. Write NAME: in front of the key',
    ],
    [
      `ann: ${secret} stream=4`,
      'is wrong in line 1: ann has a word that is none of admin, streams=, requests/min=, tokens/min=, tokens/day=',
    ],
    ...['0', '-1', '1.5', 'many', '', '1=2', '1e99'].map((amount) => [
      `ann: ${secret} streams=${amount}`,
      'is wrong in line 1: streams must be a whole number of at least 1',
    ]),
    [
      `admin: ${secret}`,
      'is wrong in line 1: the name admin is that of the admin token. Write admin behind the key, or rename',
    ],
    [`Ann Smith: ${secret}`, 'is wrong in line 1: a name has 1 to 40 characters of a-z, 0-9 and -. Write NAME: KEY'],
    [`ann: ${secret}\nbob: ${secret}`, 'holds one key twice: for ann and for bob'],
    [`${secret}\nbob: ${secret}`, 'holds one key twice: for nobody and for bob'],
    [
      `ann: ${secret} streams=2\nann: other streams=3`,
      'is wrong: two lines of ann have different limits. Write them once',
    ],
  ])('refuses %j and shows no key', (text, message) => {
    expect(refusal(text)).toBe(message);
    expect(refusal(text)).not.toContain(secret);
  });
});

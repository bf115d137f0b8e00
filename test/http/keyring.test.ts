import { describe, expect, it } from 'vitest';
import type { ApiKey } from '../../src/contract/caller.ts';
import { createKeyring } from '../../src/http/access/keyring.ts';

const key = (text: string, more: Partial<ApiKey> = {}): ApiKey => ({
  key: text,
  name: undefined,
  admin: false,
  limits: {},
  ...more,
});

function ask(
  keys: readonly ApiKey[],
  given?: string,
  { token, local = false }: { token?: string; local?: boolean } = {},
) {
  const headers = new Headers(given === undefined ? {} : { authorization: `Bearer ${given}` });
  return createKeyring({ keys, adminToken: token }).identify(headers, local);
}

const ann = key('k1', { name: 'ann' });
const bob = key('k2', { name: 'bob' });
const chief = key('k3', { name: 'chief', admin: true });

describe('a person', () => {
  it.each([
    ['is named by the file', [ann, bob], 'k1', 'ann'],
    // The first 8 hex digits of `printf k | sha256sum`.
    ['without a name is named by its hash', [key('k')], 'k', '8254c329'],
    ['may have several keys', [ann, key('new', { name: 'ann' })], 'new', 'ann'],
    ['keeps its name where the key is also given without one', [key('k1'), ann], 'k1', 'ann'],
    ['is nobody with a key that is none', [ann], 'k9', ''],
    ['is everybody without keys', [], 'k9', ''],
  ])('%s', (_, keys, given, owner) => {
    expect(ask(keys, given).owner).toBe(owner);
  });

  it('sees what is its own and nothing of others', () => {
    const caller = ask([ann, bob], 'k1');
    expect(['ann', 'bob', ''].map(caller.sees)).toEqual([true, false, false]);
  });

  it('alone also sees what was kept before there were keys', () => {
    const caller = ask([ann, key('new', { name: 'ann' })], 'k1');
    expect(['ann', 'bob', ''].map(caller.sees)).toEqual([true, false, true]);
  });

  it('that is admin sees all', () => {
    for (const caller of [ask([ann, chief], 'k3'), ask([ann], 't', { token: 't' })])
      expect(['ann', 'bob', ''].map(caller.sees)).toEqual([true, true, true]);
  });

  it('that holds no key sees nothing', () => {
    const caller = ask([ann], undefined, { local: true });
    expect(['ann', ''].map(caller.sees)).toEqual([false, false]);
  });

  it('without keys sees what nobody owns, on this machine everything', () => {
    expect(['ann', ''].map(ask([]).sees)).toEqual([false, true]);
    expect(['ann', ''].map(ask([], undefined, { local: true }).sees)).toEqual([true, true]);
  });

  it('has the limits of all its lines', () => {
    const keys = [
      key('k1', { name: 'ann', limits: { streams: 2 } }),
      key('k4', { name: 'ann', limits: { tokensPerDay: 9 } }),
    ];
    const keyring = createKeyring({ keys: [...keys, bob], adminToken: undefined });
    expect([keyring.limitsOf('ann'), keyring.limitsOf('bob')]).toEqual([{ streams: 2, tokensPerDay: 9 }, {}]);
  });
});

describe('admin', () => {
  const rights = ({ admin, manages }: { admin: boolean; manages: boolean }) => [admin, manages];

  it.each([
    ['the token', ask([ann], 't', { token: 't' }), [true, true]],
    ['the token of a server without keys', ask([], 't', { token: 't' }), [true, true]],
    ['a marked key', ask([ann, chief], 'k3'), [true, true]],
    ['another key beside it', ask([ann, chief], 'k1', { local: true }), [false, false]],
    ['a person with one marked key and another', ask([key('k4', { name: 'chief' }), chief], 'k4'), [false, false]],
    ['one unnamed key, which keeps its rights', ask([key('k')], 'k'), [false, true]],
    ['one unnamed key beside a token', ask([key('k')], 'k', { token: 't' }), [false, false]],
    ['one named key', ask([ann], 'k1'), [false, false]],
    ['one of several keys, from this machine', ask([key('k'), key('l')], 'k', { local: true }), [false, true]],
    ['one of several keys, from elsewhere', ask([key('k'), key('l')], 'k'), [false, false]],
    ['nobody, from this machine', ask([], undefined, { local: true }), [true, true]],
    ['nobody, from elsewhere', ask([]), [false, false]],
    [
      'nobody, from this machine, where a token is set',
      ask([], undefined, { token: 't', local: true }),
      [false, false],
    ],
    ['nobody, from this machine, where keys are', ask([ann], undefined, { local: true }), [false, false]],
  ])('%s', (_, caller, expected) => {
    expect(rights(caller)).toEqual(expected);
  });
});

describe('a keyring', () => {
  it.each([
    [[], undefined, false],
    [[], 't', false],
    [[ann], undefined, false],
    [[ann, key('k4', { name: 'ann' })], undefined, false],
    [[ann, bob], undefined, true],
    [[ann], 't', true],
  ])('of %j and token %s is shared: %s', (keys, adminToken, expected) => {
    expect(createKeyring({ keys, adminToken }).isShared).toBe(expected);
  });

  it('forgets the keys themselves', () => {
    const keyring = createKeyring({ keys: [ann, key('plain')], adminToken: 'token' });
    expect(JSON.stringify([keyring, keyring.owners, keyring.identify(new Headers(), true)])).not.toMatch(
      /k1|plain|token/,
    );
  });
});

import { describe, expect, it } from 'vitest';
import { uiConfigAnswer } from '../../src/dialects/ui/config.ts';
import { emptyControl, everyPart } from '../support/route-rows.ts';
import { type DoorOptions, openDoor } from './support.ts';

const local = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
const remote = { incoming: { socket: { remoteAddress: '192.168.0.9' } } };

async function configFor(
  { settings = {}, more = {} }: Pick<DoorOptions, 'settings' | 'more'>,
  { headers = {}, from = local }: { headers?: Record<string, string>; from?: typeof local } = {},
) {
  const { app } = openDoor({ settings, more: { version: '1.2.3', ...more } });
  const response = await app.request('/api/ui/config', { headers: { host: 'localhost', ...headers } }, from);
  expect(response.status).toBe(200);
  expect(response.headers.get('cache-control')).toBe('no-store');
  const body: unknown = await response.json();
  return uiConfigAnswer.strict().parse(body);
}

const keys = [
  { key: 'a', name: 'ann' },
  { key: 'c', name: 'chief', admin: true },
];
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } });

describe('/api/ui/config', () => {
  it('tells who has no key the version, and that one is needed, and nothing else', async () => {
    const known = { version: '1.2.3', key_needed: true };
    expect(await configFor({ settings: { apiKeys: keys } })).toEqual(known);
    expect(await configFor({ settings: { apiKeys: keys } }, bearer('wrong'))).toEqual(known);
  });

  it('tells everybody everything where there are no keys', async () => {
    expect(await configFor({ more: everyPart })).toEqual({
      version: '1.2.3',
      key_needed: false,
      caller: { name: null, local: true, can: { change_models: true, tools: true, chat_store: true } },
      stores: { chats: { on: true, folder: '/chats' }, responses: true },
      limits: {
        body_bytes: 32 * 1024 * 1024,
        json_depth: 256,
        chats: { entry_bytes: 1000, file_bytes: 1000, owner_bytes: 10_000, chats: 10 },
      },
      mcp: { servers: 0 },
    });
  });

  it('names the person of a key', async () => {
    const answer = await configFor({ settings: { apiKeys: keys } }, bearer('a'));
    expect(answer).toMatchObject({ key_needed: true, caller: { name: 'ann' }, stores: { responses: false } });
  });

  it.each([
    ['a caller on this machine', {}, {}],
    ['a caller from elsewhere', {}, { from: remote }],
    ['a key', { apiKeys: keys }, bearer('a')],
    ['an admin key', { apiKeys: keys }, bearer('c')],
    ['the one unnamed key', { apiKeys: ['only'] }, { ...bearer('only'), from: remote }],
    ['no admin token', { adminToken: 't' }, {}],
    ['the admin token', { adminToken: 't' }, { ...bearer('t'), from: remote }],
  ])('says of %s what the routes that change models say', async (_, settings, by) => {
    const more = { control: emptyControl };
    const answer = await configFor({ settings, more }, by);
    const { app } = openDoor({ settings, more });
    const { headers = {}, from = local } = by as { headers?: Record<string, string>; from?: typeof local };
    const asked = { headers: { host: 'localhost', ...headers } };
    const { status } = await app.request('/api/inference/models', asked, from);
    expect(answer.caller?.can.change_models).toBe(status === 200);
  });

  it.each([
    ['a caller on this machine', {}, {}, true],
    ['a caller from elsewhere', {}, { from: remote }, false],
    ['a caller from elsewhere, tools being for keys', { toolsFor: 'keys' as const }, { from: remote }, false],
    ['a key', { apiKeys: keys }, bearer('a'), false],
    [
      'a key, tools being for keys',
      { apiKeys: keys, toolsFor: 'keys' as const },
      { ...bearer('a'), from: remote },
      true,
    ],
    ['a key, tools being for this machine', { apiKeys: keys, toolsFor: 'local' as const }, bearer('a'), true],
    ['the same from elsewhere', { apiKeys: keys, toolsFor: 'local' as const }, { ...bearer('a'), from: remote }, false],
    ['an admin key', { apiKeys: keys }, { ...bearer('c'), from: remote }, true],
    ['the one unnamed key', { apiKeys: ['only'] }, bearer('only'), false],
    ['the admin token', { adminToken: 't' }, { ...bearer('t'), from: remote }, true],
    ['no admin token on this machine', { adminToken: 't' }, {}, true],
  ])('says of %s whether the server runs tools for it, as the routes do', async (_, settings, by, may) => {
    const answer = await configFor({ settings, more: everyPart }, by);
    const { app } = openDoor({ settings, more: everyPart });
    const { headers = {}, from = local } = by as { headers?: Record<string, string>; from?: typeof local };
    const { status } = await app.request('/api/mcp', { headers: { host: 'localhost', ...headers } }, from);
    expect([answer.caller?.can.tools, answer.mcp, status]).toEqual(
      may ? [true, { servers: 0 }, 200] : [false, null, 403],
    );
  });

  it('tells of no tools where the server runs none', async () => {
    expect(await configFor({})).toMatchObject({ caller: { can: { tools: false } }, mcp: null });
  });

  it('promises no change of models where there are no routes for it', async () => {
    expect((await configFor({})).caller?.can.change_models).toBe(false);
  });

  it('is for the server’s own page alone', async () => {
    const ask = (origin: string) => openDoor().app.request('http://localhost/api/ui/config', { headers: { origin } });
    expect((await ask('http://localhost')).status).toBe(200);
    expect((await ask('http://localhost:3000')).status).toBe(403);
  });
});

import { expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { ServerState } from '../../src/contract/services.ts';
import { createFakeEngine } from '../../src/engine/fake.ts';
import { chatModels, type ServedModel, type ServedModels, vectorModels } from '../../src/generation/served-model.ts';
import { profile } from '../http/support.ts';
import { conductorOver } from './conductor.ts';

const { signal } = new AbortController();
const { runtime: chat } = conductorOver(createFakeEngine());
const embedder = {
  ...({ dimensions: 2, pooling: 'mean', maxTokens: 8, busy: false } as const),
  embed: async () => [],
  dispose: async () => undefined,
};

type Kind = 'chat' | 'vectors';

/** Models of these names and kinds; unknown names go to the first. `own`: what is there for vectors. */
function scene(kinds: Readonly<Record<string, Kind>>, own?: string) {
  const used: string[] = [];
  const scene = { used, held: 0, now: 'ready' as ServerState };
  const nameOf = (name = '') => (name in kinds ? name : (Object.keys(kinds)[0] ?? ''));
  const resolve = (name: string | undefined) => {
    if (name === 'nobody') throw new ServeError('model_not_found', 'no such model');
    return { ...profile, id: nameOf(name), generates: kinds[nameOf(name)] === 'chat' };
  };
  const models: ServedModels = {
    state: () => scene.now,
    list: () => [],
    known: async () => [],
    resolve,
    expect: resolve,
    forVectors: () => own,
    async use(name) {
      const { id, generates } = resolve(name);
      used.push(id);
      scene.held++;
      const runtime: ServedModel = { vectors: { id, embedder, ranker: undefined }, ...(generates && { chat }) };
      return { runtime, release: () => scene.held-- };
    },
  };
  return { scene, useChat: chatModels(models), useVectors: vectorModels(models) };
}

it('gives the model that generates, and takes it back', async () => {
  const { scene: now, useChat } = scene({ talker: 'chat' });
  const { runtime, release } = await useChat('talker', signal);
  expect([runtime, now.held]).toEqual([chat, 1]);
  release();
  expect(now.held).toBe(0);
});

it('loads nothing for a chat with a model that is there for vectors', async () => {
  const { scene: now, useChat } = scene({ talker: 'chat', bert: 'vectors' });
  await expect(useChat('bert', signal)).rejects.toMatchObject({
    code: 'invalid_request',
    message: 'bert gives embeddings and ranks only, it cannot generate. Name a chat model, or ask /v1/embeddings.',
  });
  const { useChat: alone } = scene({ bert: 'vectors' });
  await expect(alone('any', signal)).rejects.toMatchObject({ code: 'not_implemented' });
  expect(now.used).toEqual([]);
});

it.each([
  ['the one that is there for them, whatever chat model is named', 'talker', 'bert', 'bert'],
  ['another one such as it, where that is named', 'ranks', 'bert', 'ranks'],
  ['the chat model, where none is there for them', 'talker', undefined, 'talker'],
  ['the one that is there for them, for a name that nobody serves', 'nobody', 'bert', 'bert'],
])('takes vectors from %s', async (_, name, own, expected) => {
  const { scene: now, useVectors } = scene({ talker: 'chat', bert: 'vectors', ranks: 'vectors' }, own);
  const { runtime, release } = await useVectors(name, signal);
  release();
  expect([runtime.id, now.used, now.held]).toEqual([expected, [expected], 0]);
});

it('keeps nobody waiting for vectors while the server starts', async () => {
  const { scene: now, useVectors } = scene({ bert: 'vectors' });
  now.now = 'loading';
  await expect(useVectors('bert', signal)).rejects.toMatchObject({ code: 'model_loading' });
  expect(now.used).toEqual([]);
});

import { signal } from '@preact/signals';
import { expect, it } from 'vitest';
import type { ApiClient } from '../../src/ui/api/client.ts';
import { Tuning } from '../../src/ui/state/answer-tuning.ts';
import type { Environment } from '../../src/ui/state/environment.ts';
import type { KeyValueStorage } from '../../src/ui/state/preferences.ts';
import { createRuns } from '../../src/ui/state/runs.ts';
import { createServer } from '../../src/ui/state/server.ts';

const storage = (): KeyValueStorage => {
  const kept = new Map<string, string>();
  return {
    getItem: (name) => kept.get(name) ?? null,
    setItem: (name, value) => void kept.set(name, value),
    removeItem: (name) => void kept.delete(name),
  };
};

function nothingElse(): never {
  throw new Error('nothing else is asked for');
}

const environment: Environment = {
  base: 'http://localhost/',
  fetch: nothingElse,
  now: () => 0,
  clock: () => 0,
  newId: () => 'id',
  hash: nothingElse,
  local: storage(),
  session: storage(),
  onFrame: () => undefined,
  after: () => () => undefined,
  listen: nothingElse,
  languages: [],
  wide: true,
};

/** A server that has one model; each answer goes out as it was when it was asked for, once all are let go. */
function modelServer() {
  let model = 'first';
  const held: (() => void)[] = [];
  let isHeld = false;
  const answers = (): Readonly<Record<string, unknown>> => ({
    'api/ui/config': { caller: { local: true, can: {} } },
    health: { status: 'ok' },
    'v1/models': { data: [{ id: model }] },
    'api/inference/status': { models: [{ model }], active_model: model, loading: [] },
  });
  const api: ApiClient = {
    async call<Answer>(path: string) {
      const answer = answers()[path] as Answer;
      if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
      return answer;
    },
    stream: nothingElse,
    bytes: nothingElse,
  };
  return {
    api,
    held,
    load: (name: string) => {
      model = name;
    },
    hold: (holds: boolean) => {
      isHeld = holds;
      for (const letGo of held.splice(0)) letGo();
    },
  };
}

it('looks once more where a model was loaded while it was looking', async () => {
  const { api, held, load, hold } = modelServer();
  const server = createServer({ api, environment, key: signal(undefined), chosen: signal(undefined) });
  await server.look();
  hold(true);
  const looking = server.look();
  await expect.poll(() => held.length).toBe(1);
  hold(false);
  hold(true);
  await expect.poll(() => held.length).toBe(1);
  held.splice(0)[0]?.();
  await expect.poll(() => held.length).toBe(2);
  load('second');
  const told = server.look();
  hold(false);
  await Promise.all([looking, told]);
  expect(server.facts.value?.id).toBe('second');
});

it('ends an answer whose request cannot be made, with the reason', async () => {
  const { api } = modelServer();
  const server = createServer({ api, environment, key: signal(undefined), chosen: signal(undefined) });
  await server.look();
  const done: unknown[] = [];
  const runs = createRuns({
    api,
    server,
    environment,
    save: () => undefined,
    done: (_, message) => done.push(message),
  });
  const body = () => Promise.reject(new Error('The picture is gone.'));
  const message = { id: 'a', parent: null, role: 'assistant', time: 0, blocks: [] } as const;
  runs.start({ chatId: 'chat', message, body });
  await expect.poll(() => runs.live.value.size).toBe(0);
  expect(done).toMatchObject([{ id: 'a', outcome: 'error', failure: { message: 'The picture is gone.' } }]);
});

it('keeps the presets of two tabs', () => {
  const local = storage();
  const [one, other] = [new Tuning(local), new Tuning(local)];
  one.save('Short');
  other.save('Long');
  one.remove('nothing');
  expect(new Tuning(local).presets.value.map(({ name }) => name)).toEqual(['Long', 'Short']);
  expect(one.presets.value).toHaveLength(2);
});

import { mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPrefixFiles } from '../../src/scheduler/prefix-files.ts';
import type { House } from './support.ts';
import { ask, engineOf, houseWith, serve, stepUntil, tokens } from './support.ts';

const fingerprint = 'abcdef0123456789';
const conversation = tokens(5, 400);

describe('prefixes that survive a restart', () => {
  let folder: string;
  beforeEach(async () => {
    failures = [];
    folder = await mkdtemp(join(tmpdir(), 'serve-model-prefixes-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  let failures: string[] = [];

  /** A server's life: start with what lies in the folder. */
  async function start(options: { slots?: number; fingerprint?: string; budget?: number } = {}): Promise<House> {
    const { slots = 1, budget = 1_000_000 } = options;
    const observer = { transferFailed: (_: string, error: unknown) => failures.push(String(error)) };
    const engine = engineOf({ slots, fingerprint: options.fingerprint ?? fingerprint });
    const states = engine.snapshots?.files;
    if (!states) throw new Error('no files');
    return houseWith(engine, { observer, files: await openPrefixFiles({ folder, files: states, budget, observer }) });
  }

  async function ask400(place: House, prompt = conversation) {
    return stepUntil(place.engine, serve(place, ask(prompt)), 'request');
  }

  async function liveOnce(prompts: readonly (readonly number[])[] = [conversation], slots = 1): Promise<void> {
    const place = await start({ slots });
    for (const prompt of prompts) await ask400(place, [...prompt]);
    await place.scheduler.close();
  }

  const stored = () => readdir(join(folder, fingerprint)).then((names) => names.sort());

  it('finds a conversation of the life before', async () => {
    await liveOnce();
    const place = await start();
    const result = await ask400(place);
    expect(result.cachedTokens).toBe(399);
    expect(place.scheduler.stats().prefixTokens.restored).toBe(399);
    expect(failures).toEqual([]);
  });

  it('writes what lies in slots and in memory, once each', async () => {
    await liveOnce([tokens(1, 300), tokens(2, 300), tokens(3, 300)], 1);
    expect((await stored()).length).toBe(6);
    await liveOnce([tokens(2, 300)], 1);
    expect((await stored()).length).toBe(6);
    const place = await start({ slots: 4 });
    for (const seed of [1, 2, 3]) expect((await ask400(place, tokens(seed, 300))).cachedTokens).toBe(299);
  });

  it('keeps the same tokens of two scopes apart, and of no scope not at all', async () => {
    const place = await start({ slots: 3 });
    const served = (at: House, more: object) =>
      stepUntil(at.engine, serve(at, ask(conversation, more)), 'a request of a scope');
    await served(place, { scope: 'ann' });
    await served(place, { scope: 'bob' });
    await served(place, { cachePrompt: false });
    await place.scheduler.close();
    expect((await stored()).length).toBe(4);
    const cached = async (more: object) => (await served(await start(), more)).cachedTokens;
    expect([await cached({ scope: 'ann' }), await cached({ scope: 'bob' })]).toEqual([399, 399]);
    expect([await cached({ scope: 'eve' }), await cached({ scope: '' }), await cached({ cachePrompt: false })]).toEqual(
      [0, 0, 0],
    );
  });

  it('takes files of a time without scopes for those of a server without keys', async () => {
    await liveOnce();
    const label = join(folder, fingerprint, (await stored()).find((name) => name.endsWith('.json')) ?? '');
    const { scope: _, ...before } = JSON.parse(await readFile(label, 'utf8'));
    await writeFile(label, JSON.stringify(before));
    expect((await ask400(await start())).cachedTokens).toBe(399);
    const place = await start();
    const other = stepUntil(place.engine, serve(place, ask(conversation, { scope: 'ann' })), 'a request of a scope');
    expect((await other).cachedTokens).toBe(0);
  });

  it('replaces a conversation by its later turns', async () => {
    await liveOnce();
    const before = await stored();
    await liveOnce([[...conversation, ...tokens(9, 100)]]);
    const after = await stored();
    expect(after.length).toBe(2);
    expect(after).not.toEqual(before);
  });

  it('writes no more than its budget, the most recently used', async () => {
    // 303 tokens each, 100 bytes a token by the engine's estimate.
    const place = await start({ slots: 3, budget: 70_000 });
    for (const seed of [1, 2, 3]) {
      await ask400(place, tokens(seed, 300));
      place.time.advance(1000);
    }
    await place.scheduler.close();
    expect((await stored()).length).toBe(4);
    const next = await start({ slots: 3, budget: 70_000 });
    const reused: number[] = [];
    for (const seed of [1, 2, 3]) reused.push((await ask400(next, tokens(seed, 300))).cachedTokens);
    expect(reused).toEqual([0, 299, 299]);
  });

  it('keeps for each owner what was used last, and drops nobody’s who has less', async () => {
    const served = (at: House, owner: string, seed: number) =>
      stepUntil(at.engine, serve(at, ask(tokens(seed, 300), { scope: owner, owner })), 'a request of an owner');
    const place = await start({ slots: 4, budget: 70_000 });
    for (const [owner, seed] of [['bob', 1] as const, ...[2, 3, 4].map((each) => ['ann', each] as const)]) {
      await served(place, owner, seed);
      place.time.advance(1000);
    }
    await place.scheduler.close();
    expect((await stored()).length).toBe(4);
    // What lies there has its owner in the next life too.
    const bytes = (await Promise.all((await stored()).map((name) => stat(join(folder, fingerprint, name))))).map(
      ({ size }) => size,
    );
    const later = await start({ slots: 4, budget: 70_000 });
    await served(later, 'ann', 5);
    await later.scheduler.close();
    await (await start({ budget: Math.max(...bytes) * 2 })).scheduler.close();
    expect((await stored()).length).toBe(4);
    const next = await start({ slots: 4, budget: 70_000 });
    expect((await served(next, 'bob', 1)).cachedTokens).toBe(299);
    expect((await served(next, 'ann', 5)).cachedTokens).toBe(299);
    expect((await served(next, 'ann', 4)).cachedTokens).toBe(0);
  });

  it('removes the oldest files beyond the budget', async () => {
    await liveOnce([tokens(1, 300), tokens(2, 300)], 2);
    const sizes = await Promise.all((await stored()).map((name) => stat(join(folder, fingerprint, name))));
    const one = Math.max(...sizes.map(({ size }) => size));
    const place = await start({ budget: one });
    await place.scheduler.close();
    expect((await stored()).length).toBe(2);
  });

  it('ignores what another model has written', async () => {
    await liveOnce();
    const place = await start({ fingerprint: '0000000000000000' });
    expect((await ask400(place)).cachedTokens).toBe(0);
  });

  it('ignores a label that names another model', async () => {
    await liveOnce();
    const label = await theOne('.json');
    await writeFile(label, (await readFile(label, 'utf8')).replace(fingerprint, '0000000000000000'));
    expect((await ask400(await start())).cachedTokens).toBe(0);
  });

  it('ignores a truncated state', async () => {
    await liveOnce();
    await truncate(await theOne('.state'), 100);
    expect((await ask400(await start())).cachedTokens).toBe(0);
    expect(failures).toEqual([]);
  });

  it('never gives a damaged state to the engine', async () => {
    await liveOnce();
    const state = await theOne('.state');
    const bytes = await readFile(state);
    bytes[20] = (bytes[20] ?? 0) ^ 1;
    await writeFile(state, bytes);
    const place = await start();
    expect((await ask400(place)).cachedTokens).toBe(0);
    expect(failures).toEqual([`Error: ${state} is damaged and is not used.`]);
  });

  it.each(['', '{', 'null', '[]', '{"version":2}', '{"version":1,"tokens":[]}'])(
    'ignores the label %j',
    async (text) => {
      await liveOnce();
      await writeFile(await theOne('.json'), text);
      expect((await ask400(await start())).cachedTokens).toBe(0);
    },
  );

  it('ignores a state that was being written when the process died', async () => {
    await liveOnce();
    await rm(await theOne('.json'));
    expect((await ask400(await start())).cachedTokens).toBe(0);
  });

  it('keeps nothing of a request that did not want to be cached', async () => {
    const place = await start();
    await stepUntil(place.engine, serve(place, ask(conversation, { cachePrompt: false })), 'request');
    await place.scheduler.close();
    expect(await stored()).toEqual([]);
  });

  async function theOne(ending: string): Promise<string> {
    const [name, ...others] = (await stored()).filter((each) => each.endsWith(ending));
    expect(others).toEqual([]);
    return join(folder, fingerprint, name ?? 'missing');
  }
});

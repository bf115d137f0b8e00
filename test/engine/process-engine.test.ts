import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { LoadedEngine } from '../../src/engine/load-options.ts';
import type { ProcessLoadOptions } from '../../src/engine/process/load.ts';
import { promptOf, recordedJob, within } from '../engine-contract/subject.ts';
import { answer, loadDemoModel } from '../support/demo-engine.ts';
import { examples } from '../support/demo-examples.ts';
import { isAlive, untilGone } from '../support/process-alive.ts';
import { loadDemoModelInProcess } from '../support/process-engine.ts';

describe('the engine in a process of its own', () => {
  let loaded: LoadedEngine;
  let failures: unknown[];
  const load = async () => {
    failures = [];
    loaded = await loadDemoModelInProcess({ onFailure: (error) => failures.push(error) });
    return loaded.engine;
  };
  afterEach(() => loaded.engine.dispose());
  const pid = () => loaded.engine.info.processId ?? -1;

  it('fails whoever waits for it when it is killed, says so once, and takes nothing more', async () => {
    const engine = await load();
    const prompt = await promptOf(engine, 20);
    const jobs = [0, 1, 2].map((slot) => recordedJob({ slot, prompt, maxTokens: 1000 }).job);
    const runs = jobs.map((job) => engine.run(job));
    await within(engine.whenHeld(2, 20, new AbortController().signal), 'the prompts');
    const never = engine.whenHeld(0, 100, new AbortController().signal);
    const words = engine.text.tokenize(['word '.repeat(1_000_000)], { special: false });
    process.kill(pid(), 'SIGKILL');
    const said = { code: 'engine_failure', message: 'The process of the model ended (SIGKILL).' };
    for (const { done } of runs) await expect(within(done, 'run')).rejects.toMatchObject(said);
    await expect(within(words, 'tokens')).rejects.toMatchObject(said);
    expect(await within(never, 'a wait for a prefix')).toBe(false);
    expect(engine.slots().map(({ phase }) => phase)).toEqual(['idle', 'idle', 'idle', 'idle']);
    expect(() => engine.run(recordedJob({ slot: 0, prompt }).job)).toThrow(said.message);
    await expect(engine.text.tokenize(['more'], { special: false })).rejects.toMatchObject(said);
    expect(await loaded.freeDeviceBytes()).toBe(undefined);
    expect(failures).toEqual([expect.objectContaining(said)]);
  });

  it('ends with dispose, which is no failure', async () => {
    const engine = await load();
    expect(isAlive(pid())).toBe(true);
    await within(engine.dispose(), 'dispose');
    expect([isAlive(pid()), failures]).toEqual([false, []]);
    expect(() => engine.run(recordedJob({ slot: 0, prompt: [1] }).job)).toThrow('was unloaded');
  });

  it('keeps a failing request to itself', async () => {
    const engine = await load();
    const prompt = await promptOf(engine, 20);
    const neighbour = engine.run(recordedJob({ slot: 1, prompt, maxTokens: 50 }).job);
    const broken = recordedJob({
      slot: 0,
      prompt,
      maxTokens: 50,
      onToken: () => {
        throw new Error('text work');
      },
    });
    await expect(within(engine.run(broken.job).done, 'the broken one')).rejects.toMatchObject({
      code: 'engine_failure',
      cause: new Error('text work'),
    });
    const grammar = recordedJob({ slot: 2, prompt, grammar: 'root ::= nonsense(', grammarActive: true });
    await expect(within(engine.run(grammar.job).done, 'the bad grammar')).rejects.toBeInstanceOf(ServeError);
    expect(await within(neighbour.done, 'the neighbour')).toMatchObject({ outputTokens: 50 });
    expect(failures).toEqual([]);
  });

  it('stops reading a text whose reader left', async () => {
    const engine = await load();
    const controller = new AbortController();
    const words = engine.text.tokenize(['word '.repeat(1_000_000)], { special: false, signal: controller.signal });
    const reason = new ServeError('client_closed', 'The client left.');
    controller.abort(reason);
    await expect(within(words, 'tokens')).rejects.toBe(reason);
    expect((await within(engine.text.tokenize(['word'], { special: false }), 'other tokens')).length).toBe(1);
  });
});

describe('the engine in a process of its own beside one in this process', () => {
  let here: LoadedEngine;
  let there: LoadedEngine;
  beforeAll(async () => {
    here = await loadDemoModel();
    there = await loadDemoModelInProcess();
  });
  afterAll(() => Promise.all([here.engine.dispose(), there.engine.dispose()]));

  it('tells the same of the model', () => {
    expect(there.vocabulary).toEqual(here.vocabulary);
    expect(there.engine.info).toMatchObject({
      ...here.engine.info,
      isEndOfGeneration: expect.any(Function),
    });
    const tokens = [...Array(here.engine.info.vocabularySize).keys()];
    const facts = ({ engine: { text, info } }: LoadedEngine) =>
      tokens.map((token) => [[...text.bytes(token)], text.isControl(token), info.isEndOfGeneration(token)]);
    expect(facts(there)).toEqual(facts(here));
    expect([there.embeddingSize, there.parameters, there.trainedContextSize]).toEqual([
      here.embeddingSize,
      here.parameters,
      here.trainedContextSize,
    ]);
  });

  it('gives the same answers and vectors', async () => {
    const chosen = examples.slice(0, 10);
    for (const { prompt } of chosen) {
      const tokens = await there.engine.text.tokenize([prompt], { special: true });
      expect(tokens).toEqual(await here.engine.text.tokenize([prompt], { special: true }));
      const [one, other] = await Promise.all(
        [here, there].map(({ engine }) => answer(engine, tokens, { reuse: tokens.length, maxTokens: 300 })),
      );
      expect(other?.text).toBe(one?.text);
      expect(other?.result.outputTokens).toBe(one?.result.outputTokens);
    }
    const guessing = await loadDemoModelInProcess({ speculation: 'lookup' });
    const repeated = await guessing.engine.text.tokenize([chosen[0]?.prompt ?? ''], { special: true });
    const stopAt = (count: number) => {
      let seen = 0;
      return () => (++seen === count ? ({ type: 'stop' } as const) : ({ type: 'continue' } as const));
    };
    for (const count of [5, 17, 1000]) {
      const [one, other] = await Promise.all(
        [here, guessing].map(({ engine }) =>
          answer(engine, repeated, { maxTokens: 300, ignoreEos: true, onToken: stopAt(count) }),
        ),
      );
      expect(other?.tokens).toEqual(one?.tokens);
      expect(other?.result.reason).toBe(one?.result.reason);
    }
    await guessing.engine.dispose();
    const signal = new AbortController().signal;
    const [mine, its] = await Promise.all(
      [here, there].map(({ openVectors }) =>
        openVectors().embedder.embed(['Hello'], { truncate: false, owner: '', signal }),
      ),
    );
    expect(its).toEqual(mine);
  });
});

describe('loading in a process of its own', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-child-'));
  });
  afterAll(() => rm(folder, { recursive: true }));
  let scripts = 0;
  const childThat = async (script: string) => {
    const entry = join(folder, `${++scripts}.cjs`);
    await writeFile(entry, script);
    return entry;
  };

  it('says why it failed when the process dies of it', async () => {
    const entry = await childThat(
      "process.on('message', () => { console.error('GGML_ASSERT(x) failed'); process.abort(); });",
    );
    await expect(within(loadDemoModelInProcess({ entry }), 'the load')).rejects.toMatchObject({
      code: 'engine_failure',
      message: 'The process of the model ended (SIGABRT).',
      cause: expect.stringContaining('GGML_ASSERT(x) failed'),
    });
  });

  it('gives the errors of the load as they are', async () => {
    const path = join(folder, 'no-model.gguf');
    await expect(within(loadDemoModelInProcess({ path }), 'the load')).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining(`${path} could not be loaded`),
    });
  });

  it('is given up with its signal, and the process with it', async () => {
    const mark = join(folder, 'pid');
    const entry = await childThat(
      `process.on('message', () => require('node:fs').writeFileSync(${JSON.stringify(mark)}, String(process.pid)));`,
    );
    const controller = new AbortController();
    const loading = loadDemoModelInProcess({ entry, signal: controller.signal });
    const pid = await within(numberIn(mark), 'the process');
    const reason = new ServeError('model_not_loaded', 'The load was cancelled.');
    controller.abort(reason);
    await expect(within(loading, 'the load')).rejects.toBe(reason);
    await within(untilGone(pid), 'the end of the process');
  });
});

describe('an engine that breaks in a process of its own', () => {
  it('fails its runs, and the process is ended', async () => {
    const failures: unknown[] = [];
    const loaded = await loadScripted(
      `if (type === 'run') process.send({ type: 'failed', error: { message: 'decode failed', details: {} } });`,
      { onFailure: (error) => failures.push(error) },
    );
    const run = loaded.engine.run(recordedJob({ slot: 0, prompt: [0] }).job);
    const said = { code: 'engine_failure', message: 'The model failed.', cause: new Error('decode failed') };
    await expect(within(run.done, 'run')).rejects.toMatchObject(said);
    expect(failures).toEqual([expect.objectContaining(said)]);
    await within(loaded.engine.dispose(), 'dispose');
    expect(isAlive(loaded.engine.info.processId ?? -1)).toBe(false);
  });

  it('is killed when it does not end by itself', async () => {
    let deadline = () => {};
    const after = (milliseconds: number, callback: () => void) => {
      expect(milliseconds).toBe(10_000);
      deadline = callback;
      return () => undefined;
    };
    const loaded = await loadScripted('', { timers: { after } });
    const disposed = loaded.engine.dispose();
    expect(isAlive(loaded.engine.info.processId ?? -1)).toBe(true);
    deadline();
    await within(disposed, 'dispose');
    expect(isAlive(loaded.engine.info.processId ?? -1)).toBe(false);
  });
});

/** A child that loads nothing and then does what the script says to each message; `type` is the message's. */
async function loadScripted(script: string, changes: Partial<ProcessLoadOptions>): Promise<LoadedEngine> {
  const folder = await mkdtemp(join(tmpdir(), 'serve-model-child-'));
  const entry = join(folder, 'child.cjs');
  await writeFile(
    entry,
    `process.on('message', ({ type }) => {
      const model = {
        processId: process.pid,
        weights: { facts: {}, gpus: [] },
        facts: { slots: 1, contextSize: 64, batchSize: 8, tuning: { threads: {} }, stats: {} },
        description: { vocabulary: { size: 1 }, endTokens: [] },
        tokens: { bytes: new Uint8Array(1), ends: Uint32Array.of(1), control: [] },
      };
      if (type === 'load') process.send({ type: 'opened', model });
      ${script}
    });`,
  );
  try {
    return await within(loadDemoModelInProcess({ entry, ...changes }), 'the load');
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function numberIn(path: string): Promise<number> {
  for (;;) {
    const number = Number(await readFile(path, 'utf8').catch(() => ''));
    if (number > 0) return number;
    await new Promise((resolve) => setImmediate(resolve));
  }
}

import { describe, expect, it } from 'vitest';
import { createDeferred } from '../../src/contract/deferred.ts';
import type { ChatPrompt } from '../../src/contract/request.ts';
import type { FromTemplates, ToTemplates } from '../../src/templates/protocol.ts';
import { type PoolLimits, TemplatePool } from '../../src/templates/template-pool.ts';
import type { StartProcess } from '../../src/templates/template-process.ts';
import { openTemplates } from '../../src/templates/workshop.ts';
import { FakeTime } from '../http/support.ts';

const facts = {
  chatTemplate: 'x',
  toolTemplate: undefined,
  chatFormat: undefined,
  libraryFolder: undefined,
  vocabulary: {
    size: 1,
    bosText: '',
    eosText: '',
    addsBos: false,
    addsEos: false,
    controlTexts: [],
    infill: undefined,
  },
};
const format = { name: 'plain', layout: { type: 'plain' }, reasoning: undefined, toolCalls: undefined } as const;
const examined = {
  format: { ...format, stopStrings: [], visibleTokens: [] },
  capabilities: {
    supportsTools: false,
    describesTools: false,
    supportsReasoning: false,
    reasoningStyle: undefined,
    canDisableThinking: false,
    reasoningAlwaysOn: false,
    supportsPreserveThinking: false,
    readsReasoningEffort: false,
  },
};
const chat = (text: string): ChatPrompt => ({
  type: 'chat',
  messages: [{ role: 'user', content: text }],
  tools: [],
  toolChoice: { type: 'auto' },
  continueFinalMessage: false,
  reasoning: {},
  templateVariables: {},
});
const settled = () => new Promise((resolve) => setImmediate(resolve));

/** Processes of the test: what each was told, and what it says. */
function scene(limits: Partial<PoolLimits> = {}) {
  const time = new FakeTime();
  const processes: ReturnType<typeof started>[] = [];
  function started(onMessage: (message: FromTemplates) => void) {
    const gone = createDeferred<string>();
    const told: ToTemplates[] = [];
    const state = { memory: 0, killed: false, held: false };
    return {
      told,
      state,
      say: onMessage,
      end: (words = '') => gone.resolve(words),
      /** Answers the last task that it was given. */
      answer(): void {
        const last = told.at(-1);
        if (!last || 'forget' in last) throw new Error('It has no task.');
        const { task, id } = last;
        if (task.type === 'examine') onMessage({ id, answer: examined });
        const text = task.type === 'render' ? String(task.chat.messages[0]?.content) : '';
        const opening = { block: 'text', generationPrompt: '' } as const;
        if (task.type === 'render') onMessage({ id, answer: { pieces: [text], opening, warnings: [] } });
      },
      process: {
        send: (message: ToTemplates) => void told.push(message),
        hold: (held: boolean) => {
          state.held = held;
        },
        memory: async () => state.memory,
        kill: () => {
          state.killed = true;
          gone.resolve('');
        },
        gone: gone.promise,
      },
    };
  }
  const start: StartProcess = (onMessage) => {
    const process = started(onMessage);
    processes.push(process);
    queueMicrotask(() => onMessage({ ready: true }));
    return process.process;
  };
  const pool = new TemplatePool({ start, timers: time, limits: { taskMs: 10_000, patienceMs: 500, ...limits } });
  const open = async () => {
    const opening = openTemplates(pool, facts, new AbortController().signal);
    processes.at(-1)?.answer();
    return (await opening).renderer;
  };
  return { pool, time, processes, open };
}

const tasks = (told: readonly ToTemplates[]) =>
  told.map((message) => ('forget' in message ? 'forget' : message.task.type));
const text = async (rendering: Promise<{ readonly pieces: readonly string[] }>) => (await rendering).pieces.join('');

describe('TemplatePool', () => {
  it('gives one process one task after the other, and holds the server only meanwhile', async () => {
    const { open, processes } = scene();
    const renderer = await open();
    const [first] = processes;
    expect(first?.state.held).toBe(false);
    const renderings = [renderer.render(chat('one')), renderer.render(chat('two'))];
    expect(tasks(first?.told ?? [])).toEqual(['examine', 'render']);
    expect(first?.state.held).toBe(true);
    first?.answer();
    first?.answer();
    expect(await Promise.all(renderings.map(text))).toEqual(['one', 'two']);
    expect([processes.length, first?.state.held]).toEqual([1, false]);
  });

  it('hands the errors of templates on', async () => {
    const { open, processes } = scene();
    const renderer = await open();
    const rendering = renderer.render(chat('x'));
    const error = {
      code: 'invalid_request',
      message: 'refused',
      details: { param: 'messages' },
      cause: undefined,
    } as const;
    processes[0]?.say({ id: 2, error });
    await expect(rendering).rejects.toMatchObject({ code: 'invalid_request', message: 'refused' });
  });

  it('ends what never ends, with its process, and lets those behind it go elsewhere at once', async () => {
    const { open, processes, time } = scene();
    const renderer = await open();
    const endless = renderer.render(chat('endless')).catch((error: Error) => error.message);
    const behind = renderer.render(chat('behind'));
    time.pass(499);
    expect(processes).toHaveLength(1);
    time.pass(1);
    // The new one learns the templates first.
    expect(tasks(processes[1]?.told ?? [])).toEqual(['examine', 'render']);
    processes[1]?.say({ id: 0, answer: examined });
    processes[1]?.answer();
    expect(await text(behind)).toBe('behind');
    time.pass(9499);
    expect(processes[0]?.state.killed).toBe(false);
    time.pass(1);
    expect(processes[0]?.state.killed).toBe(true);
    expect(await endless).toBe(
      "The model's chat template was not done within 10 seconds with these messages. Give the model another one with --chat-template-file.",
    );
    const after = renderer.render(chat('after'));
    processes[1]?.answer();
    expect(await text(after)).toBe('after');
    expect(processes).toHaveLength(2);
  });

  it('starts no more processes than it may, and lets those beside the first one go when they idle', async () => {
    const { open, processes, time } = scene({ processes: 2, idleMs: 30_000 });
    const renderer = await open();
    const renderings = ['a', 'b', 'c'].map((name) => renderer.render(chat(name)));
    time.pass(5000);
    expect(processes).toHaveLength(2);
    processes[0]?.answer();
    processes[0]?.answer();
    processes[1]?.answer();
    expect(await Promise.all(renderings.map(text))).toEqual(['a', 'b', 'c']);
    time.pass(30_000);
    await settled();
    expect(processes.filter(({ state }) => !state.killed)).toHaveLength(1);
    time.pass(300_000);
    await settled();
    expect(processes.filter(({ state }) => !state.killed)).toHaveLength(1);
  });

  it('ends what takes the memory', async () => {
    const { open, processes, time } = scene({ memory: 1e9 });
    const renderer = await open();
    const rendering = renderer.render(chat('x')).catch((error: Error) => error.message);
    time.pass(100);
    await settled();
    expect(processes[0]?.state.killed).toBe(false);
    Object.assign(processes[0]?.state ?? {}, { memory: 2e9 });
    time.pass(100);
    expect(await rendering).toMatch(/^The model's chat template took more than 1 GB of memory with these messages\./);
    expect(processes[0]?.state.killed).toBe(true);
  });

  it('tells a crash from a process that could not be started, and goes on after both', async () => {
    const { open, processes, pool } = scene();
    const renderer = await open();
    const rendering = renderer.render(chat('x'));
    processes[0]?.end('Segmentation fault');
    await expect(rendering).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringMatching(/crashed the engine that renders it with these messages/),
      cause: 'Segmentation fault',
    });
    const again = renderer.render(chat('again'));
    processes[1]?.answer();
    expect(await text(again)).toBe('again');

    const nothing = {
      send: () => undefined,
      hold: () => undefined,
      memory: async () => undefined,
      kill: () => undefined,
    };
    const broken = new TemplatePool({
      timers: new FakeTime(),
      start: () => ({ ...nothing, gone: Promise.resolve('no such file') }),
    });
    await expect(openTemplates(broken, facts, new AbortController().signal)).rejects.toMatchObject({
      code: 'engine_failure',
      message: 'The process for chat templates could not be started.',
    });
    pool.close();
  });

  it('forgets whoever left the queue, and templates that nobody renders with', async () => {
    const { open, processes, pool } = scene();
    const renderer = await open();
    const running = renderer.render(chat('running'));
    const leaving = new AbortController();
    const left = renderer.render(chat('left'), undefined, leaving.signal).catch((error: Error) => error.message);
    leaving.abort(new Error('gone'));
    expect(await left).toBe('gone');
    processes[0]?.answer();
    expect(await text(running)).toBe('running');
    expect(tasks(processes[0]?.told ?? [])).toEqual(['examine', 'render']);
    pool.forget('1');
    expect(processes[0]?.told.at(-1)).toEqual({ forget: '1' });
    await expect(renderer.render(chat('x'), undefined, leaving.signal)).rejects.toThrow('gone');
  });

  it('fails what runs and what waits when it closes', async () => {
    const { open, processes, pool } = scene();
    const renderer = await open();
    const renderings = Promise.allSettled([renderer.render(chat('a')), renderer.render(chat('b'))]);
    pool.close();
    expect((await renderings).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    await expect(renderer.render(chat('c'))).rejects.toMatchObject({ code: 'engine_failure' });
    expect(processes.every(({ state }) => state.killed)).toBe(true);
  });
});

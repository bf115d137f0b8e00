import { getEventListeners } from 'node:events';
import type { ApiKey } from '../../src/contract/caller.ts';
import { ServeError } from '../../src/contract/errors.ts';
import type { FinishEvent, GenerationEvent, Usage } from '../../src/contract/events.ts';
import type { ModelProfile } from '../../src/contract/model.ts';
import type { GenerationRequest } from '../../src/contract/request.ts';
import type {
  GenerationService,
  KnownModel,
  ModelDirectory,
  PromptCount,
  RequestRecord,
  ServerState,
  Telemetry,
  Timers,
} from '../../src/contract/services.ts';
import { systemTimers } from '../../src/contract/system-timers.ts';
import { createKeyring, type Keyring } from '../../src/http/access/keyring.ts';
import { createApp } from '../../src/http/app.ts';
import type { AppDependencies, DoorSettings } from '../../src/http/dependencies.ts';
import { defaultDoorSettings } from '../../src/http/dependencies.ts';
import { fakeServices } from './fake-services.ts';

/** Fails with the label instead of hanging the run. */
export async function within<T>(what: string, work: Promise<T>, milliseconds = 5000): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not in time: ${what}`)), milliseconds);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Settles when the condition holds, looked at after every turn of the event loop. */
export async function until(what: string, holds: () => boolean, milliseconds = 5000): Promise<void> {
  const giveUp = performance.now() + milliseconds;
  while (!holds()) {
    if (performance.now() > giveUp) throw new Error(`never came: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** One choice under the test's control: what it is told to say, it says. */
export class FakeRun {
  readonly request: GenerationRequest;
  readonly signal: AbortSignal;
  /** Events taken by the door. */
  taken = 0;
  /** Why the work stopped before its end; undefined while it runs. */
  stoppedBy: unknown;
  #events: (GenerationEvent | ServeError | 'end')[] = [];
  #wake: () => void = () => undefined;

  readonly #spent: ((usage: Usage) => void) | undefined;

  constructor(request: GenerationRequest, signal: AbortSignal, spent?: (usage: Usage) => void) {
    this.request = request;
    this.signal = signal;
    this.#spent = spent;
  }

  say(...events: (GenerationEvent | ServeError | 'end')[]): this {
    this.#events.push(...events);
    this.#wake();
    return this;
  }

  async *run(): AsyncGenerator<GenerationEvent> {
    let complete = false;
    let usage: Usage | undefined;
    try {
      while (true) {
        const next = this.#events.shift();
        if (next === undefined) {
          await this.#wait();
          continue;
        }
        if (next === 'end') return;
        if (next instanceof ServeError) throw next;
        this.taken += 1;
        complete = next.type === 'finish';
        usage = usageAfter(next, usage);
        yield next;
        if (complete) return;
      }
    } finally {
      if (!complete) this.stoppedBy = this.signal.reason ?? 'left';
      if (usage) this.#spent?.(usage);
    }
  }

  #wait(): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => reject(this.signal.reason);
      if (this.signal.aborted) onAbort();
      this.signal.addEventListener('abort', onAbort, { once: true });
      this.#wake = () => {
        this.signal.removeEventListener('abort', onAbort);
        resolve();
      };
    });
  }
}

/** As the conductor counts: the prompt once there is a slot, each piece for a token, and in the end what it says. */
function usageAfter(event: GenerationEvent, before: Usage | undefined): Usage | undefined {
  if (event.type === 'finish') return event.usage;
  if (event.type === 'start')
    return {
      inputTokens: event.inputTokens,
      cachedTokens: event.cachedTokens,
      outputTokens: 0,
      reasoningTokens: 0,
    };
  return before && event.type === 'block-delta' ? { ...before, outputTokens: before.outputTokens + 1 } : before;
}

/** Hands every run to the script, in the order of the calls. */
export class FakeGeneration implements GenerationService {
  readonly runs: FakeRun[] = [];
  script: (run: FakeRun, index: number) => void = (run) => run.say(...answer());

  generate(
    request: GenerationRequest,
    signal: AbortSignal,
    spent?: (usage: Usage) => void,
  ): AsyncIterable<GenerationEvent> {
    const run = new FakeRun(request, signal, spent);
    this.runs.push(run);
    this.script(run, this.runs.length - 1);
    return run.run();
  }

  async countTokens(): Promise<PromptCount> {
    return { inputTokens: 7, cachedTokens: 3, firstTokenMs: 12 };
  }

  /** Names of models, in the order that somebody waited for them. */
  readonly awaited: (string | undefined)[] = [];

  async ready(model: string | undefined): Promise<void> {
    this.awaited.push(model);
  }

  renderPrompt(): Promise<string> {
    return Promise.resolve('prompt');
  }
}

export const finish = (more: Partial<FinishEvent> = {}): FinishEvent => ({
  type: 'finish',
  reason: 'stop',
  usage: { inputTokens: 10, cachedTokens: 4, outputTokens: 2, reasoningTokens: 0 },
  timings: { queueMs: 1, promptMs: 20, predictedMs: 50 },
  seed: 1,
  ...more,
});

export const start: GenerationEvent = { type: 'start', inputTokens: 10, cachedTokens: 4 };

/** start, one block of text in these pieces, finish. */
export function answer(pieces: readonly string[] = ['Hel', 'lo'], last: FinishEvent = finish()): GenerationEvent[] {
  return [
    start,
    { type: 'block-start', index: 0, kind: 'text' },
    ...pieces.map((delta) => ({ type: 'block-delta', index: 0, delta }) as const),
    { type: 'block-end', index: 0 },
    last,
  ];
}

export const profile: ModelProfile = {
  id: 'demo',
  aliases: ['team/demo'],
  path: 'demo.gguf',
  created: 1_700_000_000,
  architecture: 'llama',
  sizeBytes: 1000,
  parameters: 500,
  quantization: 'Q8_0',
  contextSize: 2048,
  trainedContextSize: 4096,
  embeddingSize: 64,
  slots: 4,
  chatTemplate: undefined,
  toolTemplate: undefined,
  chatFormat: undefined,
  generates: true,
  vocabulary: {
    size: 300,
    bosText: '',
    eosText: '',
    addsBos: false,
    addsEos: false,
    controlTexts: [],
    infill: undefined,
  },
  recommendedSampling: {},
  metadata: {},
};

export class FakeModels implements ModelDirectory {
  current: ServerState = 'ready';
  state(): ServerState {
    return this.current;
  }
  list(): readonly ModelProfile[] {
    return this.current === 'empty' || this.current === 'loading' ? [] : [profile];
  }
  async known(): Promise<readonly KnownModel[]> {
    return this.list().map((each) => ({ profile: each, state: 'loaded' }));
  }
  resolve(name: string | undefined): ModelProfile {
    if (this.current === 'loading') throw new ServeError('model_loading', 'loading', { retryAfterSeconds: 3 });
    if (name === 'strict') throw new ServeError('model_not_found', 'no such model', { param: 'model' });
    return profile;
  }
  expect(name: string | undefined): Pick<ModelProfile, 'id' | 'slots'> {
    return this.current === 'loading' ? { id: 'guess', slots: 4 } : this.resolve(name);
  }
}

/** Time stands still until it is moved. */
export class FakeTime implements Timers {
  now = 0;
  #timers = new Set<{ at: number; callback: () => void }>();

  readonly clock = (): number => this.now;

  after(milliseconds: number, callback: () => void): () => void {
    const timer = { at: this.now + milliseconds, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get waiting(): number {
    return this.#timers.size;
  }

  /** In order, timers that are set on the way included. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    while (true) {
      const next = [...this.#timers].filter(({ at }) => at <= end).sort((left, right) => left.at - right.at)[0];
      if (!next) break;
      this.#timers.delete(next);
      this.now = next.at;
      next.callback();
    }
    this.now = end;
  }
}

export interface Door {
  readonly app: ReturnType<typeof createApp>;
  readonly generation: FakeGeneration;
  readonly models: FakeModels;
  readonly records: RequestRecord[];
  readonly logs: unknown[][];
  /** Every request that `post` made, in order. */
  readonly requests: Request[];
  post(path: string, body: unknown, init?: RequestInit): Promise<Response>;
}

/** Keys as they are given: a text is a key without a name. */
interface TestKeys {
  readonly apiKeys?: readonly (string | Partial<ApiKey>)[];
  readonly adminToken?: string;
}

function keyringOf({ apiKeys = [], adminToken }: TestKeys): Keyring {
  const plain = { name: undefined, admin: false, limits: {} };
  const keys = apiKeys.map((key) => (typeof key === 'string' ? { ...plain, key } : { ...plain, key: '', ...key }));
  return createKeyring({ keys, adminToken });
}

export interface DoorOptions {
  readonly settings?: Partial<DoorSettings> & TestKeys;
  readonly time?: FakeTime;
  readonly more?: Partial<AppDependencies>;
}

/** The real app over scripted rooms. Ids count up: id0001, id0002 ... */
export function openDoor({ settings: given = {}, time, more = {} }: DoorOptions = {}): Door {
  const { apiKeys, adminToken, ...settings } = given;
  const keyring = keyringOf(given);
  const generation = new FakeGeneration();
  const models = new FakeModels();
  const records: RequestRecord[] = [];
  const logs: unknown[][] = [];
  const telemetry: Telemetry = { request: (record) => records.push(record), log: (...line) => logs.push(line) };
  let ids = 0;
  const dependencies: AppDependencies = {
    generation,
    models,
    ...fakeServices,
    keyring: () => keyring,
    telemetry,
    clock: time ? time.clock : () => performance.now(),
    unixSeconds: () => 1_750_000_000,
    unixMilliseconds: () => 1_750_000_000_000,
    newId: () => `id${String(++ids).padStart(4, '0')}`,
    timers: time ?? systemTimers,
    ...more,
    settings: { ...defaultDoorSettings, ...settings },
  };
  const app = createApp(dependencies);
  const requests: Request[] = [];
  return {
    requests,
    app,
    generation,
    models,
    records,
    logs,
    post: async (path, body, init = {}) => {
      const request = new Request(`http://localhost${path}`, {
        method: 'POST',
        body: typeof body === 'string' ? body : JSON.stringify(body),
        ...init,
        headers: { 'content-type': 'application/json', ...Object.fromEntries(new Headers(init.headers)) },
      });
      requests.push(request);
      return app.request(request);
    },
  };
}

/** What still listens for the end of a request that is over. */
export function leftListeners(door: Door): number {
  const signals = [...door.requests.map(({ signal }) => signal), ...door.generation.runs.map(({ signal }) => signal)];
  if (signals.length < 2) throw new Error('there was no request to look at');
  return signals.reduce((sum, signal) => sum + getEventListeners(signal, 'abort').length, 0);
}

/** The data of every SSE frame, parsed; `[DONE]` and comments as they are. */
export function sseData(text: string): unknown[] {
  return text
    .split('\n\n')
    .filter((frame) => frame !== '')
    .map((frame) => {
      if (frame.startsWith(':')) return frame;
      const data = frame.replace(/^data: /, '');
      return data === '[DONE]' ? data : JSON.parse(data);
    });
}

export const hello = { model: 'gpt-4o', messages: [{ role: 'user', content: 'Hello' }] };

/** Reads a body on to the text that is waited for, each time from where the last one stopped. */
export function reading(response: Response): (awaited: string) => Promise<string> {
  const reader = response.body?.getReader();
  return async (awaited) => {
    let text = '';
    while (!text.includes(awaited)) {
      const piece = await within(JSON.stringify(awaited), Promise.resolve(reader?.read()));
      if (!piece || piece.done) throw new Error(`the body ended before ${JSON.stringify(awaited)}: ${text}`);
      text += new TextDecoder().decode(piece.value);
    }
    return text;
  };
}

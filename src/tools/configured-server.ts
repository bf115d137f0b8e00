import { ServeError } from '../contract/errors.ts';
import type { JsonObject } from '../contract/json.ts';
import type {
  ServerTool,
  ToolCallLimits,
  ToolOutcome,
  ToolServerConfig,
  ToolServerReport,
  ToolServerState,
} from '../contract/server-tools.ts';
import type { Clock, Telemetry } from '../contract/services.ts';
import { untilAborted } from '../contract/signals.ts';
import { CallFailure } from './call-failure.ts';
import type { Connection, ConnectionOptions } from './connection.ts';

export interface ServerDependencies {
  readonly connect: (options: ConnectionOptions) => Promise<Connection>;
  readonly clock: Clock;
  readonly log: Telemetry['log'];
  readonly version: string;
  /** Takes the configuration's secrets out of a text. */
  readonly hide: (text: string) => string;
}

/** A server that is started by a package manager loads itself first. */
const connectMs = 60_000;
const firstBackoffMs = 1000;
const longestBackoffMs = 60_000;

/** One server of the configuration: started on first use, started anew when it is used after it has ended. */
export class ConfiguredServer {
  readonly #config: ToolServerConfig;
  readonly #dependencies: ServerDependencies;
  #connection: Promise<Connection> | undefined;
  /** What was begun last: what an earlier one tells does not count. */
  #attempt: AbortController | undefined;
  #tools: readonly ServerTool[] = [];
  #state: ToolServerState;
  #problem: string | undefined;
  #failures = 0;
  /** The last start came to nothing. */
  #isDown = false;
  #notBefore = Number.NEGATIVE_INFINITY;
  #closed = false;

  constructor(config: ToolServerConfig, dependencies: ServerDependencies) {
    this.#config = config;
    this.#dependencies = dependencies;
    this.#problem = config.problem;
    this.#state = config.disabled ? 'disabled' : config.place ? 'idle' : 'failed';
  }

  get name(): string {
    return this.#config.name;
  }

  report(): ToolServerReport {
    return {
      name: this.name,
      transport: this.#config.place?.transport ?? 'stdio',
      state: this.#state,
      ...(this.#problem !== undefined && { problem: this.#problem }),
      tools: this.#tools,
    };
  }

  /**
   * Its tools, once it runs. Rejects with a CallFailure that says why it does not. `patient: false`: one whose last start
   * came to nothing is tried again, but nobody waits for that.
   */
  async tools({ patient = true } = {}): Promise<readonly ServerTool[]> {
    const running = this.#running();
    running.catch(() => undefined); // not everybody waits for it
    if (!patient && this.#isDown) return refuse(this.#problem ?? `${this.name} does not run just now.`);
    await running;
    return this.#tools;
  }

  async call(name: string, args: JsonObject, limits: ToolCallLimits): Promise<ToolOutcome> {
    const connection = await untilAborted(this.#running(), limits.signal);
    const outcome = await connection.call(name, args, limits);
    this.#failures = 0;
    return outcome;
  }

  async restart(): Promise<ToolServerReport> {
    await this.#end();
    this.#failures = 0;
    this.#isDown = false;
    this.#notBefore = Number.NEGATIVE_INFINITY;
    await this.#running().catch(() => undefined);
    return this.report();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#end();
  }

  #running(): Promise<Connection> {
    const { place, disabled } = this.#config;
    const { clock } = this.#dependencies;
    if (this.#connection !== undefined) return this.#connection;
    if (this.#closed) return refuse('This server is about to stop.');
    if (disabled) return refuse(`${this.name} is switched off in the configuration.`);
    if (!place) return refuse(this.#problem ?? 'Its configuration cannot be used.');
    const waitMs = this.#notBefore - clock();
    if (waitMs > 0) return refuse(`${this.#problem ?? this.name} It is tried again in ${Math.ceil(waitMs / 1000)} s.`);
    const connection = this.#start(place);
    this.#connection = connection;
    connection.catch(() => undefined); // whoever waits for it is told
    return connection;
  }

  async #start(place: NonNullable<ToolServerConfig['place']>): Promise<Connection> {
    const { connect, version, hide, log } = this.#dependencies;
    const { name } = this;
    this.#state = 'starting';
    this.#problem = undefined;
    const attempt = new AbortController();
    this.#attempt = attempt;
    const isCurrent = () => this.#attempt === attempt;
    try {
      const connection = await connect({
        server: name,
        place,
        version,
        connectMs,
        signal: attempt.signal,
        onLine: (line) => log('info', hide(line), { toolServer: name }),
        onTools: (tools) => {
          if (!isCurrent()) return;
          this.#tools = tools;
          log('info', `tools of ${name} changed: it has ${tools.length}`);
        },
        onClosed: () => {
          if (isCurrent()) this.#lost();
        },
      });
      if (!isCurrent()) return connection;
      this.#tools = connection.tools;
      this.#state = 'ready';
      this.#isDown = false;
      log('info', `tools of ${name} are ready: ${connection.tools.length}`);
      return connection;
    } catch (error) {
      const reason = hide(error instanceof Error ? error.message : String(error));
      const problem = `${name} could not be started: ${reason}.`.replace(/\.\.$/, '.');
      if (isCurrent()) this.#failed(problem);
      throw new CallFailure(problem);
    }
  }

  /** It ended by itself: used again it starts at once the first time, later after a while. */
  #lost(): void {
    if (this.#closed || this.#state !== 'ready') return;
    this.#state = 'idle';
    this.#problem = `${this.name} has ended by itself.`;
    this.#connection = undefined;
    this.#waitLonger(this.#failures === 0 ? 0 : firstBackoffMs);
    this.#dependencies.log('warn', this.#problem);
  }

  #failed(problem: string): void {
    this.#state = 'failed';
    this.#isDown = true;
    this.#problem = problem;
    this.#connection = undefined;
    this.#tools = [];
    this.#waitLonger(firstBackoffMs);
    this.#dependencies.log('warn', problem);
  }

  #waitLonger(firstMs: number): void {
    const waitMs = Math.min(longestBackoffMs, firstMs * 2 ** this.#failures);
    this.#failures++;
    this.#notBefore = this.#dependencies.clock() + waitMs;
  }

  async #end(): Promise<void> {
    const connection = this.#connection;
    this.#attempt?.abort(new CallFailure('it is not wanted any more'));
    this.#connection = undefined;
    this.#attempt = undefined;
    if (!connection) return;
    this.#state = this.#config.disabled ? 'disabled' : 'idle';
    await connection.then(
      (open) => open.close(),
      () => undefined,
    );
  }
}

function refuse(sentence: string): Promise<never> {
  return Promise.reject(new CallFailure(sentence));
}

export function noSuchServer(name: string, known: readonly string[]): ServeError {
  return new ServeError(
    'not_found',
    `There is no server of tools ${JSON.stringify(name)}. There are: ${known.join(', ')}.`,
  );
}

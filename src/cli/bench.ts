import { randomInt } from 'node:crypto';
import { availableParallelism, loadavg } from 'node:os';
import { bareFigureOf, type Measurement, measurementsFor, mostStreams } from '../bench/measurements.ts';
import { type BenchRow, columns, toCells, toRows } from '../bench/report.ts';
import { runRounds, type Sample, type WarmTarget, warmUp } from '../bench/run-rounds.ts';
import type { ChatTarget } from '../bench/timed-chat.ts';
import { type Connection, connect } from '../client/connection.ts';
import { servedModel, servedModels } from '../client/models.ts';
import { serverStatus } from '../client/status.ts';
import { type Config, type OperandCommand, packageVersion } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import type { BareModel } from '../main.ts';
import { locateModel } from '../models/locate.ts';
import { machineMemory } from '../models/machine-memory.ts';
import { type BenchServer, startBenchServer } from './bench-server.ts';
import { failureText } from './failure.ts';
import { interruptSignal } from './interrupt.ts';
import { createProgress, type ProgressDisplay } from './progress.ts';
import { obtainModel } from './pull.ts';
import { tableLines } from './table.ts';
import type { Terminal } from './terminal.ts';

type BenchCommand = Extract<OperandCommand, { readonly command: 'bench' }>;

interface Bench {
  readonly name: string;
  readonly config: Config;
  readonly terminal: Terminal;
  readonly progress: ProgressDisplay;
  readonly signal: AbortSignal;
}

interface BenchTarget {
  readonly column: string;
  readonly target: ChatTarget;
}

/** `serve-model bench MODEL`: what a user gets, what the library does alone, and what another server gives. */
export async function bench({ operands, config, given }: BenchCommand, terminal: Terminal): Promise<void> {
  const [name = ''] = operands;
  const signal = interruptSignal();
  const progress = createProgress({ terminal: terminal.interactive, write: terminal.writeError });
  const work = { name, config, terminal, progress, signal };
  warnIfBusy(terminal);
  let server: BenchServer | undefined;
  try {
    const bare = await localModel(work);
    const slots = config.parallel ?? mostStreams;
    const library =
      bare && config.url === undefined ? await measureBare(bare, measurementsHere(config, bare), work) : undefined;
    if (config.url === undefined) {
      progress.show('Starting the server', 0);
      server = await startBenchServer(name, { given, slots, signal }).finally(() => progress.end());
    }
    const own = connect({ url: server?.url ?? config.url ?? '', key: config.apiKey[0] ?? config.adminToken });
    const served = await servedHere(own, server === undefined ? name : undefined, signal);
    const measurements = measurementsFor({ kinds: config.only, tokens: config.tokens, ...served });
    const beside = library ?? (bare ? await measureBare(bare, measurements, work) : []);
    const targets: BenchTarget[] = [
      { column: columns.server, target: { url: own.url, key: own.key, model: served.model } },
    ];
    if (config.peer !== undefined) {
      targets.push({ column: columns.peer, target: await peerTarget(config.peer, served.model, signal) });
    }
    const samples = await measureServers(targets, measurements, work);
    const rows = toRows(measurements, [...samples, ...beside]);
    progress.end();
    show({ rows, served, targets: targets.map(({ target }) => target) }, work);
  } finally {
    progress.end();
    await server?.stop();
  }
}

/** A busy core can halve any figure. */
function warnIfBusy(terminal: Terminal): void {
  const [load = 0] = loadavg();
  if (load < 0.25 * availableParallelism()) return;
  terminal.tell(`the machine is busy (load ${load.toFixed(1)}): figures of one moment will not mean much`);
}

/** Undefined where a server names a model that is not on this machine. */
async function localModel({ name, config, terminal, signal }: Bench): Promise<BareModel | undefined> {
  if (config.url !== undefined) {
    const location = await locateModel(name, config).catch(() => undefined);
    if (location?.type !== 'local') return undefined;
  }
  const path = await obtainModel(name, { config, terminal, signal, memory: () => machineMemory() });
  const { bareModel } = await import('../main.ts');
  const model = await bareModel(path, { ...config, parallel: config.parallel ?? mostStreams });
  if (model.profile.generates) return model;
  throw new ServeError('invalid_request', `${name} gives embeddings or ranks: there is no answer to measure.`);
}

function measurementsHere({ only, tokens }: Config, { contextSize, slots }: BareModel): Measurement[] {
  return measurementsFor({ kinds: only, tokens, contextSize, slots });
}

/** Nothing, told why, where the library cannot: the servers are measured all the same. */
async function measureBare(
  model: BareModel,
  measurements: readonly Measurement[],
  { config, progress, signal, terminal }: Bench,
): Promise<Sample[]> {
  const { rounds } = config;
  const lengths = measurements.map(({ name, streams, promptTokens: depth, answerTokens: tokens }) => {
    return { name, streams, depth, tokens, rounds };
  });
  let done = 0;
  const onRound = (name: string) =>
    progress.show('Measuring the library alone', ++done / (rounds * lengths.length), name);
  progress.show('Measuring the library alone', 0);
  try {
    const lines = await model.measure(lengths, { signal, onRound });
    return lines.flatMap(({ name, ...times }) => {
      const measurement = measurements.find((each) => each.name === name);
      if (!measurement) return [];
      return [{ measurement: name, target: columns.library, value: bareFigureOf(measurement, times) }];
    });
  } catch (error) {
    signal.throwIfAborted();
    terminal.tell(failureText(error, config, 'The library alone cannot be measured'));
    return [];
  } finally {
    progress.end();
  }
}

interface Served {
  readonly model: string;
  readonly contextSize: number;
  readonly slots: number;
}

/** `name`: undefined for what the server has loaded. */
async function servedHere(server: Connection, name: string | undefined, signal: AbortSignal): Promise<Served> {
  const status = await server.call('/api/inference/status', serverStatus, { signal });
  const model = name === undefined ? status.active_model : (await servedModel(server, name, signal)).id;
  const loaded = status.models.find((each) => each.model === model);
  if (loaded) return { model: loaded.model, contextSize: loaded.context_length, slots: loaded.slots };
  throw new ServeError('model_not_loaded', `${server.url} has not loaded ${model ?? 'a model'} yet.`);
}

/** The model of the same name there, else the first one: many servers have only one. */
async function peerTarget(url: string, model: string, signal: AbortSignal): Promise<ChatTarget> {
  const models = await servedModels(connect({ url, key: undefined }), signal);
  const [first] = models;
  const found = models.find(({ id }) => id === model) ?? first;
  if (found) return { url, model: found.id };
  throw new ServeError('model_not_found', `${url} lists no model. Load one there first.`);
}

async function measureServers(
  targets: readonly BenchTarget[],
  measurements: readonly Measurement[],
  { config: { rounds }, progress, signal }: Bench,
): Promise<Sample[]> {
  const caller = { clock: () => performance.now(), signal };
  const warm: WarmTarget[] = [];
  for (const { column, target } of targets) {
    const failed = (error: unknown) => {
      signal.throwIfAborted();
      const words = error instanceof Error ? error.message : String(error);
      throw new ServeError('engine_failure', `${target.url} does not answer: ${printable(words)}`);
    };
    warm.push(await warmUp(column, target, caller).catch(failed));
  }
  let done = 0;
  const all = rounds * measurements.length * warm.length;
  const onTurn = ({ name }: Measurement, { name: column }: WarmTarget, round: number) => {
    const place = warm.length > 1 ? `, ${column}` : '';
    progress.show('Measuring', done++ / all, `${name}${place}, round ${round + 1} of ${rounds}`);
  };
  return runRounds(measurements, warm, { ...caller, rounds, seed: randomInt(2 ** 31), onTurn });
}

interface Outcome {
  readonly rows: readonly BenchRow[];
  readonly served: Served;
  readonly targets: readonly ChatTarget[];
}

function show({ rows, served, targets: [, peer] }: Outcome, { config, terminal }: Bench): void {
  const { tokens, rounds } = config;
  if (config.json) {
    const report = {
      ...{ version: packageVersion(), ...served, tokens, rounds },
      peer: peer ? { url: peer.url, model: peer.model ?? null } : null,
      measurements: rows,
    };
    terminal.write(`${JSON.stringify(report, undefined, 2)}\n`);
  } else {
    const { model, slots, contextSize } = served;
    const beside = peer ? `, beside ${peer.url} with ${peer.model}` : '';
    const often = rounds === 1 ? '1 round' : `medians of ${rounds} rounds`;
    const head = `${model}, ${slots} slots of ${contextSize} tokens, answers of ${tokens} tokens, ${often}`;
    terminal.write(`${printable(head + beside)}\n${tableLines(toCells(rows), [1, 2, 3, 4, 5]).join('\n')}\n`);
  }
  for (const { name, problems } of rows) for (const problem of problems) terminal.tell(`${name}, ${problem}`);
  if (slotsMissing(served, config))
    terminal.tell(`${served.slots} slots: more streams than that would wait for each other`);
}

function slotsMissing({ slots }: Served, { only }: Config): boolean {
  return slots < mostStreams && only.some((kind) => kind === 'prompt' || kind === 'decode');
}

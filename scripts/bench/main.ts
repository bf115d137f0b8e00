import { existsSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { inRepository } from '../in-repository.ts';
import type { ModelName } from './bench-model.ts';
import { makeBenchModel } from './bench-model.ts';
import { decodeScenarios } from './decode-scenarios.ts';
import { toDocument } from './document.ts';
import { embeddingScenario } from './embedding-scenario.ts';
import { latencyScenarios } from './latency-scenarios.ts';
import { describeMachine } from './machine.ts';
import { isModelName, modelPath } from './model-path.ts';
import { rowTable, toRows } from './report.ts';
import { runRounds } from './run-rounds.ts';
import { ownServer, peerServers } from './server.ts';
import { benchSpeculation, speculationName } from './speculation.ts';
import { benchStructured, structuredName } from './structured.ts';

const all = [...decodeScenarios, embeddingScenario, ...latencyScenarios];

const usage = `npm run bench -- [--peer PATH] [--models mini,half-b] [--only NAME,...] [--rounds N] [--out FILE]

--peer PATH    a llama-server to compare with; without it serve-model runs alone
--peer-only    leave serve-model out
--models LIST  default mini,half-b; made on first use, in .cache/bench
--only LIST    of these scenarios: ${[...all.map(({ name }) => name), speculationName, structuredName].join(', ')}
--rounds N     medians over so many rounds; default 5
--out FILE     write the table there; default scripts/bench/BENCHMARKS.md after a whole run with a peer
--own-args ARGS  further flags for serve-model, separated by spaces`;

const { values } = parseArgs({
  options: {
    peer: { type: 'string' },
    'peer-only': { type: 'boolean', default: false },
    models: { type: 'string', default: 'mini,half-b' },
    only: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    out: { type: 'string' },
    'own-args': { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) console.log(usage);
else await main();

async function main(): Promise<void> {
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`--rounds is ${values.rounds}, but must be a whole number from 1.`);
  const names = chosenNames();
  const scenarios = all.filter(({ name }) => names.includes(name));
  const own = values['peer-only'] ? [] : [ownServer(values['own-args'].split(' ').filter(Boolean))];
  const specs = [...own, ...(values.peer === undefined ? [] : peerServers(values.peer))];
  if (specs.length === 0) throw new Error('--peer-only needs --peer PATH.');
  warnIfBusy();
  const tables: { model: ModelName; table: string }[] = [];
  for (const model of scenarios.length === 0 ? [] : chosenModels()) {
    const path = modelPath('.cache/bench', model);
    if (!existsSync(path)) makeBenchModel(model, path);
    const samples = await runRounds({ model, modelPath: path, specs, scenarios, rounds, log: console.error });
    const table = rowTable(toRows(model, scenarios, specs, samples));
    tables.push({ model, table });
    console.log(`\n${model}\n${table}\n`);
  }
  const speculation =
    own.length > 0 && names.includes(speculationName) ? await benchSpeculation(rounds, console.error) : undefined;
  if (speculation !== undefined) console.log(`\n${speculationName}\n${speculation}\n`);
  const structured =
    own.length > 0 && names.includes(structuredName) ? await benchStructured(rounds, console.error) : undefined;
  if (structured !== undefined) console.log(`\n${structuredName}\n${structured}\n`);
  const isWhole = values.only === undefined && tables.length === 2 && specs.length === 3;
  const out = values.out ?? (isWhole ? inRepository('scripts/bench/BENCHMARKS.md') : undefined);
  if (out === undefined) return;
  writeFileSync(out, toDocument({ machine: describeMachine(values.peer), rounds, tables, speculation, structured }));
  console.log(`Written to ${out}.`);
}

/** Servers whose threads wait for each other suffer most from neighbours: one busy core can halve any figure. */
function warnIfBusy(): void {
  const [load = 0] = loadavg();
  if (load > 0.5) console.error(`The machine is busy (load ${load.toFixed(1)}): these figures will not mean much.`);
}

function chosenNames(): readonly string[] {
  const known = [...all.map(({ name }) => name), speculationName, structuredName];
  const names = values.only?.split(',') ?? known;
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) throw new Error(`--only ${unknown}: there is no such scenario.\n\n${usage}`);
  return names;
}

function chosenModels(): ModelName[] {
  return values.models.split(',').map((name) => {
    if (!isModelName(name)) throw new Error(`--models ${name}: there is no such model.\n\n${usage}`);
    return name;
  });
}

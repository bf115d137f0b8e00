import { existsSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import type { ModelName } from './bench-model.ts';
import { makeBenchModel } from './bench-model.ts';
import { decodeScenarios } from './decode-scenarios.ts';
import { toDocument } from './document.ts';
import { embeddingScenario } from './embedding-scenario.ts';
import { latencyScenarios } from './latency-scenarios.ts';
import { describeMachine } from './machine.ts';
import { isModelName, modelPath } from './model-path.ts';
import { toRows, toTable } from './report.ts';
import { runRounds } from './run-rounds.ts';
import { ownServer, peerServers } from './server.ts';

const allScenarios = [...decodeScenarios, embeddingScenario, ...latencyScenarios];

const usage = `npm run bench -- [--peer PATH] [--models mini,half-b] [--only NAME,...] [--rounds N] [--out FILE]

--peer PATH    a llama-server to compare with; without it serve-model runs alone
--peer-only    leave serve-model out
--models LIST  default mini,half-b; made on first use, in .cache/bench
--only LIST    of these scenarios: ${allScenarios.map(({ name }) => name).join(', ')}
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
  const scenarios = chosenScenarios();
  const own = values['peer-only'] ? [] : [ownServer(values['own-args'].split(' ').filter(Boolean))];
  const specs = [...own, ...(values.peer === undefined ? [] : peerServers(values.peer))];
  if (specs.length === 0) throw new Error('--peer-only needs --peer PATH.');
  const tables: { model: ModelName; table: string }[] = [];
  for (const model of chosenModels()) {
    const path = modelPath('.cache/bench', model);
    if (!existsSync(path)) makeBenchModel(model, path);
    const samples = await runRounds({ model, modelPath: path, specs, scenarios, rounds, log: console.error });
    const table = toTable(toRows(model, scenarios, specs, samples));
    tables.push({ model, table });
    console.log(`\n${model}\n${table}\n`);
  }
  const isWhole = values.only === undefined && tables.length === 2 && specs.length === 3;
  const out =
    values.out ?? (isWhole ? resolve(import.meta.dirname, '../../../scripts/bench/BENCHMARKS.md') : undefined);
  if (out === undefined) return;
  writeFileSync(out, toDocument({ machine: describeMachine(values.peer), rounds, tables }));
  console.log(`Written to ${out}.`);
}

function chosenScenarios() {
  const names = values.only?.split(',') ?? allScenarios.map(({ name }) => name);
  return names.map((name) => {
    const scenario = allScenarios.find((candidate) => candidate.name === name);
    if (!scenario) throw new Error(`--only ${name}: there is no such scenario.\n\n${usage}`);
    return scenario;
  });
}

function chosenModels(): ModelName[] {
  return values.models.split(',').map((name) => {
    if (!isModelName(name)) throw new Error(`--models ${name}: there is no such model.\n\n${usage}`);
    return name;
  });
}

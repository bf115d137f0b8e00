import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeBenchModel } from '../bench/bench-model.ts';
import { modelPath } from '../bench/model-path.ts';
import { ownServer, type ServerSpec, startServer } from '../bench/server.ts';
import { inRepository } from '../in-repository.ts';
import { type AgentSpec, agents, contextSize } from './agent-table.ts';
import type { Script } from './api.ts';
import { install } from './install.ts';
import { runAgent } from './run-agent.ts';
import { judge } from './verdict.ts';

const usage = `npm run agents -- [--only NAME,...] [--latest]

Coding agents of the registry against a model of random weights with a context of ${contextSize} tokens. A small proxy makes
each answer the only one that can be: two calls of the shell, then a sentence. What does not install or has no time left is
left out with a line.

--only LIST  of ${agents.map(({ name }) => name).join(', ')}
--latest     the newest versions instead of those that are known to run
--seconds N  for all of it, installing too; default 210`;

/** Milliseconds: with less of them left no agent begins. */
const leastForAgent = 45_000;
const shown = 'steered-once';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: agents.map(({ name }) => name).join(',') },
    latest: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '210' },
    help: { type: 'boolean', default: false },
  },
});

const end = performance.now() + Number(values.seconds) * 1000;

if (values.help) console.log(usage);
else await main();

async function main(): Promise<void> {
  const chosen = values.only.split(',').map((name) => {
    const agent = agents.find((each) => each.name === name);
    if (!agent) throw new Error(`There is no agent ${name}: ${usage}`);
    return agent;
  });
  const folder = mkdtempSync(join(tmpdir(), 'serve-model-agents-'));
  const begun = performance.now();
  try {
    const faults = await runAll(chosen, folder);
    console.log(`agents: ${faults} faults in ${seconds(performance.now() - begun)}`);
    process.exitCode = faults > 0 ? 1 : 0;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface Installed {
  readonly agent: AgentSpec;
  readonly folder: string;
  readonly program: string;
}

/** The number of faults. */
async function runAll(chosen: readonly AgentSpec[], folder: string): Promise<number> {
  const installed = (await Promise.all(chosen.map((agent) => installOne(agent, join(folder, agent.name))))).flat();
  if (installed.length === 0) return 0;
  const model = modelPath(join(folder, 'model'), 'mini');
  makeBenchModel('mini', model);
  const server = await startServer(longServer(), model);
  let faults = 0;
  try {
    for (const each of installed) {
      const left = end - performance.now();
      if (left >= leastForAgent) faults += await runOne(each, server.port, left);
      else console.log(`${each.agent.name}: left out, since only ${seconds(left)} are left`);
    }
  } finally {
    await server.stop();
  }
  return faults;
}

async function installOne(agent: AgentSpec, folder: string): Promise<readonly Installed[]> {
  try {
    const program = await install(agent, join(folder, 'package'), values.latest ? 'latest' : agent.version);
    return [{ agent, folder, program }];
  } catch (thrown) {
    console.log(
      `${agent.name}: left out, since it does not install: ${thrown instanceof Error ? thrown.message : thrown}`,
    );
    return [];
  }
}

async function runOne({ agent, folder, program }: Installed, port: number, deadline: number): Promise<number> {
  const script: Script = {
    tool: agent.tool,
    // The shell writes the word, so that it is not in the call.
    arguments: { [agent.argument]: "printf '%s-%s' steered once" },
    calls: 2,
    closing: 'The steered session is over.',
  };
  const begun = performance.now();
  const { secondTurn, faults } = await runAgent(agent, program, script, { folder, port, deadline }).then(
    (session) => judge(session, script, shown),
    (thrown: unknown) => ({ secondTurn: undefined, faults: [String(thrown)] }),
  );
  const turn = secondTurn
    ? `${(secondTurn.share * 100).toFixed(1)} % of the ${secondTurn.prompt} tokens of its second turn cached, `
    : '';
  console.log(`${agent.name}: ${turn}${seconds(performance.now() - begun)}`);
  for (const fault of faults) console.log(`  fault: ${fault}`);
  return faults.length;
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1000).toFixed(0)} s`;
}

/** The demo's template has tools; the benchmark's models have none. */
function longServer(): ServerSpec {
  const template = inRepository('scripts/demo-model/chat_template.jinja');
  const own = ownServer([]);
  return {
    ...own,
    args: (model, port) => [
      ...[inRepository('dist/cli/serve-model.js'), model, '--port', `${port}`],
      ...['--ctx-size', `${contextSize}`, '--parallel', '2', '--chat-template-file', template],
      ...['--chat-store', 'off'],
    ],
  };
}

import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { join } from 'node:path';
import { type ServedModel, servedModel } from '../client/models.ts';
import { noServer, type RunningServer, runningServers } from '../client/running-servers.ts';
import { serverStatus } from '../client/status.ts';
import type { Config, OperandCommand } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import type { Agent, AgentFacts, AgentPlan } from '../launch/agent.ts';
import { agents, isAgentName } from '../launch/agents.ts';
import { noKey, showPlan } from '../launch/show-plan.ts';
import { writeFiles } from '../launch/write-files.ts';
import type { Terminal } from './terminal.ts';

type LaunchCommand = Extract<OperandCommand, { readonly command: 'launch' }>;

/** `serve-model launch AGENT [-- ARGS]`: the agent takes the terminal over, and its exit code is this program's. */
export async function launch({ operands, config }: LaunchCommand, terminal: Terminal): Promise<void> {
  const [name = '', ...args] = operands;
  if (!isAgentName(name)) throw new Error(`the table of commands lets ${name} through, which is no agent`);
  const agent = agents[name];
  const { server, model } = await servedHere(config);
  const contextLength = model.contextLength ?? agent.contextNeeded;
  const facts: AgentFacts = {
    url: server.url,
    key: server.key ?? noKey,
    model: model.id,
    contextLength,
    folder: join(config.dataFolder, 'agents', name),
    now: new Date().toISOString(),
  };
  const plan = agent.plan(facts);
  terminal.tell(contextText(name, agent, model.id, contextLength));
  if (config.print) {
    terminal.write(`${showPlan(agent, facts, args)}\n`);
    return;
  }
  if (process.platform === 'win32') {
    const message = `Agents are started on Linux and macOS. serve-model launch ${name} --print shows what to set.`;
    throw new ServeError('not_implemented', message);
  }
  await writeFiles(facts.folder, plan.files);
  process.exitCode = await runAgent(agent, plan, args);
}

async function servedHere(config: Config): Promise<{ server: RunningServer; model: ServedModel }> {
  const [server] = await runningServers(config);
  if (!server) throw noServer();
  const [asked] = config.model;
  const name = asked ?? (await server.call('/api/inference/status', serverStatus)).active_model;
  if (name === null) {
    throw new ServeError('model_not_loaded', `${server.url} has no model loaded yet. Name one with --model, or wait.`);
  }
  return { server, model: await servedModel(server, name) };
}

function contextText(name: string, { contextNeeded }: Agent, model: string, contextLength: number): string {
  const has = `${name} needs a context of about ${contextNeeded} tokens, and ${printable(model)} has ${contextLength}.`;
  if (contextLength >= contextNeeded) return has;
  return `WARNING: ${has} Start the server with --ctx-size ${contextNeeded}, if need be with --parallel 1.`;
}

/** Its exit code. Ctrl-C is the agent's: this program waits for what it does about it. */
function runAgent(agent: Agent, plan: AgentPlan, given: readonly string[]): Promise<number> {
  const env = { ...process.env, ...plan.set };
  for (const name of plan.unset) delete env[name];
  const ignore = () => {};
  process.on('SIGINT', ignore);
  return new Promise((resolve, reject) => {
    const child = spawn(agent.program, [...plan.args, ...given], { stdio: 'inherit', env });
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal));
    child.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ENOENT' ? notInstalled(agent) : error),
    );
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal ? constants.signals[signal] : 0)));
  });
}

function notInstalled({ program, install }: Agent): ServeError {
  return new ServeError('not_found', `${program} is not installed here. ${install} installs it.`);
}

import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { promisify } from 'node:util';
import { type AgentSpec, programOf } from './agent-table.ts';

const run = promisify(execFile);
const installDeadline = 120_000;
const versionDeadline = 30_000;

/** The path of the agent's program, installed into a folder of its own. Throws with the reason where it does not install. */
export async function install(agent: AgentSpec, folder: string, version: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"private": true}');
  const args = ['install', '--no-audit', '--no-fund', '--ignore-scripts', `${agent.packageName}@${version}`];
  await run('npm', args, { cwd: folder, timeout: installDeadline });
  const programs = programsOf(agent, join(folder, 'node_modules'));
  for (const program of programs) if (await answers(program, folder)) return program;
  throw new Error(
    programs.length === 0
      ? `${agent.packageName} has no program for ${process.platform} on ${process.arch}`
      : `${programOf(agent)} does not run on this machine`,
  );
}

/** In packages that carry the platform in their name; some have one for older processors beside it. */
function programsOf(agent: AgentSpec, modules: string): readonly string[] {
  return readdirSync(modules, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name === programOf(agent))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => path.includes(`-${process.platform}-${process.arch}`) && !path.includes(`${sep}.bin${sep}`));
}

async function answers(program: string, home: string): Promise<boolean> {
  const env = { PATH: process.env.PATH ?? '', HOME: home };
  return run(program, ['--version'], { env, timeout: versionDeadline }).then(
    () => true,
    () => false,
  );
}

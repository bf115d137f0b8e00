import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { withDeadline } from '../bench/deadline.ts';
import { type AgentSpec, prepare } from './agent-table.ts';
import type { Script } from './api.ts';
import { type Exchange, startProxy } from './proxy.ts';

export interface Session {
  readonly exchanges: readonly Exchange[];
  readonly exitCode: number | null;
  /** Standard output and error. */
  readonly output: string;
}

/** One session of an agent from its start to its end, without a network, within so many milliseconds. */
export async function runAgent(
  agent: AgentSpec,
  program: string,
  script: Script,
  { folder, port, deadline }: { readonly folder: string; readonly port: number; readonly deadline: number },
): Promise<Session> {
  const [home, work] = [join(folder, 'home'), join(folder, 'work')];
  for (const each of [home, work]) mkdirSync(each, { recursive: true });
  const proxy = await startProxy(port, script);
  const { args, set } = await prepare(agent, { home, work, url: `http://127.0.0.1:${proxy.port}` });
  const child = spawn(program, args, {
    cwd: work,
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: folder, ...noNetwork, ...set },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  try {
    const [exitCode]: unknown[] = await withDeadline(once(child, 'close'), deadline, `${agent.name} to end`);
    return { exchanges: proxy.exchanges, exitCode: typeof exitCode === 'number' ? exitCode : null, output };
  } catch (thrown) {
    const calls = proxy.exchanges.map(({ call, status }) => `${call} ${status}`).join(', ') || 'none';
    throw new Error(`${String(thrown)}; its requests: ${calls}; its output: ${output.slice(-2000)}`);
  } finally {
    child.kill('SIGKILL');
    await proxy.close();
  }
}

/** Whatever an agent asks elsewhere is refused at once, by a port that nobody listens to. */
const nowhere = 'http://127.0.0.1:9';
const noNetwork = {
  HTTP_PROXY: nowhere,
  HTTPS_PROXY: nowhere,
  NO_PROXY: '127.0.0.1,localhost',
};

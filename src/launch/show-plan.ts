import { join } from 'node:path';
import type { Agent, AgentFacts } from './agent.ts';

/** What a start would set, as a script for a POSIX shell. In place of the key stands the variable that it comes from. */
export function showPlan(agent: Agent, facts: AgentFacts, args: readonly string[]): string {
  const plan = agent.plan({ ...facts, key: facts.key === noKey ? noKey : keyVariable });
  const files = plan.files.flatMap(({ path, text, keep }) => [
    `# ${join(facts.folder, path)}${keep ? ', where it is missing' : ''}:`,
    ...text
      .trimEnd()
      .split('\n')
      .map((line) => `#   ${line}`),
  ]);
  const set = Object.entries(plan.set).map(([name, value]) => `export ${name}=${shellWord(value)}`);
  const unset = plan.unset.length === 0 ? [] : [`unset ${plan.unset.join(' ')}`];
  const command = [agent.program, ...plan.args, ...args].map(shellWord).join(' ');
  return [...files, ...set, ...unset, command].join('\n');
}

const keyVariable = '$SERVE_MODEL_API_KEY';

/** The key for servers that want none. */
export const noKey = 'none';

function shellWord(text: string): string {
  if (text === keyVariable) return `"${text}"`;
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}

import { runningServers } from '../client/running-servers.ts';
import type { OperandCommand } from '../config.ts';
import { checkRows, outlookLines } from '../doctor/show.ts';
import { tableLines } from './table.ts';
import type { Terminal } from './terminal.ts';

type DoctorCommand = Extract<OperandCommand, { readonly command: 'doctor' }>;

/** `serve-model doctor [MODEL]`: what this machine has, and what it will do. Exit code 1 where something does not serve. */
export async function runDoctor({ config, operands: [model] }: DoctorCommand, terminal: Terminal): Promise<void> {
  const { examineMachine } = await import('../main.ts');
  const servers = await runningServers({ ...config, url: undefined }).catch(() => []);
  const ownUrls = servers.map(({ url }) => url);
  const report = await examineMachine({ config, model, ownUrls, tell: terminal.tell });
  const lines = [...tableLines(checkRows(report)), ...outlookLines(report)];
  terminal.write(config.json ? `${JSON.stringify(report, undefined, 2)}\n` : `${lines.join('\n')}\n`);
  if (report.checks.some(({ state }) => state === 'problem')) process.exitCode = 1;
}

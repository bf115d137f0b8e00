import { randomUUID } from 'node:crypto';
import { tmpdir } from 'node:os';
import { runningServers } from '../client/running-servers.ts';
import { type Config, loadWish, type OperandCommand, packageFacts } from '../config.ts';
import { checkRows, outlookLines } from '../doctor/show.ts';
import { hugePageVariables } from '../models/huge-pages.ts';
import { tableLines } from './table.ts';
import type { Terminal } from './terminal.ts';

type DoctorCommand = Extract<OperandCommand, { readonly command: 'doctor' }>;

/** `serve-model doctor [MODEL]`: what this machine has, and what it will do. Exit code 1 where something does not serve. */
export async function runDoctor({ config, operands: [model] }: DoctorCommand, terminal: Terminal): Promise<void> {
  const [{ doctorChild }, { examineMachine }] = await Promise.all([
    import('../main.ts'),
    import('../doctor/examine-machine.ts'),
  ]);
  const servers = await runningServers({ ...config, url: undefined }).catch(() => []);
  const { version, engines } = packageFacts();
  const { seconds, threads, host, port } = config;
  const report = await examineMachine({
    ...{ model, places: config, folders: foldersOf(config), tell: terminal.tell },
    ...{ version, wantedNode: engines.node, seconds, threads, host, port },
    wish: loadWish(config),
    ownUrls: servers.map(({ url }) => url),
    hub: config.hub ? config.hfEndpoint : undefined,
    entry: doctorChild,
    env: { ...process.env, ...hugePageVariables(process.env) },
    clock: () => performance.now(),
    unixMilliseconds: () => Date.now(),
    newId: randomUUID,
  });
  const lines = [...tableLines(checkRows(report)), ...outlookLines(report)];
  terminal.write(config.json ? `${JSON.stringify(report, undefined, 2)}\n` : `${lines.join('\n')}\n`);
  if (report.checks.some(({ state }) => state === 'problem')) process.exitCode = 1;
}

/** That a server with these flags would write to. */
function foldersOf({ modelsDir, responseStore, prefixCacheDir, chatStore }: Config) {
  return [
    { what: 'models', folder: modelsDir },
    { what: 'responses', folder: responseStore === 'memory' ? undefined : responseStore },
    { what: 'prompts', folder: prefixCacheDir },
    { what: 'chats', folder: chatStore.kept ? chatStore.folder : undefined },
    { what: 'temporary', folder: tmpdir() },
  ].flatMap(({ what, folder }) => (folder === undefined ? [] : [{ what, folder }]));
}

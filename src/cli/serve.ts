import { allKeys, type Config, packageVersion } from '../config.ts';
import { type RunningServer, startServer } from '../main.ts';
import { machineMemory } from '../models/machine-memory.ts';
import { bannerLines } from './banner.ts';
import { createProgress } from './progress.ts';
import { obtainModel } from './pull.ts';
import { handleKeySignal, handleSignals } from './signals.ts';
import type { Terminal } from './terminal.ts';

const phaseLabels = { load: 'Loading the model', calibrate: 'Measuring the machine' } as const;

/** Starts the server and stays until a signal ends it. Throws when it cannot start. */
export async function serve(config: Config, terminal: Terminal): Promise<void> {
  let server: RunningServer | undefined;
  handleSignals(process, () => server, terminal.tell);
  const nowRunning = config.keyFile && handleKeySignal(process, () => server);
  const ready = await withModelFiles(config, terminal);
  const progress = createProgress({ terminal: terminal.interactive, write: terminal.writeError });
  progress.show(phaseLabels.load, 0);
  try {
    server = await startServer(ready, {
      progress: (phase, fraction) => progress.show(phaseLabels[phase], fraction),
    });
  } finally {
    progress.end();
  }
  nowRunning?.();
  const { profile, device, url, generates } = server;
  const asked = { needsKey: allKeys(config).length > 0, contextLeftOpen: config.ctxSize === 0 };
  const facts = { version: packageVersion(), profile, device, url, generates, ...asked };
  // With JSON logs stdout holds nothing but log lines.
  const write = config.logFormat === 'json' ? terminal.writeError : terminal.write;
  write(`${bannerLines(facts).join('\n')}\n`);
  if (isOpen(config)) {
    terminal.tell(
      `WARNING: whoever reaches ${config.host} can use this server. Set --api-key, or listen on 127.0.0.1.`,
    );
  }
}

/** Reachable from other machines, and no key is asked for. */
function isOpen(config: Config): boolean {
  return allKeys(config).length === 0 && !/^(localhost|127\.[\d.]+|::1|\[::1\])$/.test(config.host);
}

/** Models that lie on the hub are downloaded first: the server itself knows files only. */
async function withModelFiles(config: Config, terminal: Terminal): Promise<Config> {
  const options = { config, terminal, signal: new AbortController().signal, memory: () => machineMemory() };
  const obtain = async (target: string | undefined) =>
    target === undefined ? undefined : await obtainModel(target, options);
  const model: string[] = [];
  for (const target of config.model) model.push(await obtainModel(target, options));
  const draftModel = await obtain(config.draftModel);
  const embeddingModel = await obtain(config.embeddingModel);
  return Object.freeze({ ...config, model, draftModel, embeddingModel });
}

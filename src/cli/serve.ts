import { type Config, packageVersion } from '../config.ts';
import { type RunningServer, startServer } from '../main.ts';
import { bannerLines } from './banner.ts';
import { createProgress } from './progress.ts';
import { handleSignals } from './signals.ts';
import type { Terminal } from './terminal.ts';

const phaseLabels = { load: 'Loading the model', calibrate: 'Measuring the machine' } as const;

/** Starts the server and stays until a signal ends it. Throws when it cannot start. */
export async function serve(config: Config, terminal: Terminal): Promise<void> {
  let server: RunningServer | undefined;
  handleSignals(process, () => server, terminal.tell);
  const progress = createProgress({ terminal: terminal.interactive, write: terminal.writeError });
  try {
    server = await startServer(config, {
      progress: (phase, fraction) => progress.show(phaseLabels[phase], fraction),
    });
  } finally {
    progress.end();
  }
  const { profile, device, url } = server;
  const facts = { version: packageVersion(), profile, device, url, needsKey: config.apiKey.length > 0 };
  // With JSON logs stdout holds nothing but log lines.
  const write = config.logFormat === 'json' ? terminal.writeError : terminal.write;
  write(`${bannerLines(facts).join('\n')}\n`);
}

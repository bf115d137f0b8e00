import { publishPortFile } from '../client/port-files.ts';
import { allKeys, type Config, packageVersion } from '../config.ts';
import { type LoadedFacts, type OpenServer, openServer } from '../main.ts';
import { bannerLines } from './banner.ts';
import { failureText } from './failure.ts';
import { openBrowser } from './open-browser.ts';
import { createProgress } from './progress.ts';
import { handleKeySignal, handleSignals } from './signals.ts';
import { startObserver } from './start-observer.ts';
import type { Terminal } from './terminal.ts';

/**
 * Starts the server, tells its address at once, and stays until a signal ends it. Throws when it cannot start; when its
 * model cannot be had it throws too, having told those who waited, unless --stay.
 */
export async function serve(config: Config, terminal: Terminal): Promise<void> {
  let server: OpenServer | undefined;
  let isLoaded = false;
  // What is loading need not be waited for: the process ends.
  const stoppable = () => server && (isLoaded ? server : { drain: server.drain, close: server.leave });
  handleSignals(process, stoppable, terminal.tell);
  const nowRunning = config.keyFile && handleKeySignal(process, () => server);
  const progress = createProgress({ terminal: terminal.interactive, write: terminal.writeError });
  let published: ReturnType<typeof publish> | undefined;
  server = await openServer(config, {
    listening: (url) => {
      published = publish(url, config);
      terminal.tell(`listening on ${url}, the model comes next`);
      warnOfOpenness(config, terminal);
    },
    ...startObserver(config, terminal, progress),
  });
  nowRunning?.();
  const { url } = server;
  if (config.open) void showInBrowser(url, terminal);
  const facts = await loadedFacts(server, config, terminal).finally(() => progress.end());
  isLoaded = true;
  if (!facts) return;
  void published?.then((file) => file?.update([facts.profile.id, ...facts.profile.aliases]));
  const asked = { needsKey: allKeys(config).length > 0, contextLeftOpen: config.ctxSize === 0 };
  // With JSON logs stdout holds nothing but log lines.
  const write = config.logFormat === 'json' ? terminal.writeError : terminal.write;
  write(`${bannerLines({ version: packageVersion(), url, ...facts, ...asked }).join('\n')}\n`);
}

/** Undefined where the server stays without a model. */
async function loadedFacts(server: OpenServer, config: Config, terminal: Terminal): Promise<LoadedFacts | undefined> {
  try {
    return await server.loaded;
  } catch (error) {
    if (!config.stay) {
      await server.leave();
      throw error;
    }
    terminal.tell(failureText(error, config));
    terminal.tell('The server stays (--stay). Load a model with POST /api/inference/load.');
    return undefined;
  }
}

/** Lets the other commands of this user find the server, until its process ends. */
async function publish(url: string, { runtimeFolder }: Config) {
  const facts = { pid: process.pid, url, models: [], started: new Date().toISOString() };
  const file = await publishPortFile(runtimeFolder, facts);
  process.once('exit', () => file?.removeNow());
  return file;
}

async function showInBrowser(url: string, terminal: Terminal): Promise<void> {
  if (!(await openBrowser(url))) terminal.tell(`No browser could be opened. The address is ${url}`);
}

function warnOfOpenness(config: Config, terminal: Terminal): void {
  if (!isOpen(config)) return;
  terminal.tell(`WARNING: whoever reaches ${config.host} can use this server. Set --api-key, or listen on 127.0.0.1.`);
}

/** Reachable from other machines, and no key is asked for. */
function isOpen(config: Config): boolean {
  return allKeys(config).length === 0 && !/^(localhost|127\.[\d.]+|::1|\[::1\])$/.test(config.host);
}

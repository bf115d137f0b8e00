import { type Config, completionScript, packageVersion, parseConfig } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { discardPrepared } from '../prepare.ts';
import { failureText } from './failure.ts';
import { processTerminal, type Terminal } from './terminal.ts';

/** The `serve-model` command. What needs the native library is loaded only when it is used. */
export async function run(argv: readonly string[], terminal: Terminal = processTerminal()): Promise<void> {
  let config: Config | undefined;
  let failed: string | undefined;
  try {
    const parsed = parseConfig(argv, process.env);
    if (parsed.command !== 'serve') failed = `serve-model ${parsed.command} failed`;
    if ('config' in parsed) config = parsed.config;
    if (parsed.command !== 'serve' || parsed.config.engineProcess) discardPrepared();
    switch (parsed.command) {
      case 'help':
        terminal.write(`${parsed.text}\n`);
        return;
      case 'version':
        terminal.write(`${packageVersion()}\n`);
        return;
      case 'serve': {
        const { serve } = await import('./serve.ts');
        await serve(parsed.config, terminal);
        return;
      }
      case 'list':
      case 'inspect':
      case 'pull':
      case 'rm': {
        const { runLibraryCommand } = await import('./library-commands.ts');
        await runLibraryCommand(parsed, terminal);
        return;
      }
      case 'ps':
      case 'stop': {
        const { runRunningCommand } = await import('./running.ts');
        await runRunningCommand(parsed, terminal);
        return;
      }
      case 'doctor': {
        const { runDoctor } = await import('./doctor.ts');
        await runDoctor(parsed, terminal);
        return;
      }
      case 'run':
      case 'chat': {
        const { runChatCommand } = await import('./chat-commands.ts');
        await runChatCommand(parsed, terminal);
        return;
      }
      case 'launch': {
        const { launch } = await import('./launch.ts');
        await launch(parsed, terminal);
        return;
      }
      case 'quantize': {
        const { quantize } = await import('./quantize.ts');
        await quantize(parsed, terminal);
        return;
      }
      case 'bench': {
        const { bench } = await import('./bench.ts');
        await bench(parsed, terminal);
        return;
      }
      case 'completion':
        terminal.write(await completionScript(parsed.operands[0] ?? ''));
        return;
      default:
        return parsed satisfies never;
    }
  } catch (error) {
    terminal.tell(failureText(error, config, failed));
    if (error instanceof ServeError && error.code === 'cancelled') process.exit(process.exitCode ?? 130);
    // exitCode alone would wait for what a half-started server left behind.
    process.exit(1);
  }
}

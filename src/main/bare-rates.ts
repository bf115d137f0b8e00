import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Config, loadWish } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import type { Fit } from '../models/fit.ts';
import { fitsHere } from '../models/fit-here.ts';
import { type FileProfile, readModelProfile } from '../models/profile.ts';
import type { BareRatesJob, BareRatesLine, NamedLength } from './bare-rates-job.ts';
import { bareRatesChild } from './entries.ts';
import { computeWish, weightsWish } from './load-settings.ts';

/** A model as it would be loaded with these flags, and what measures it without a server. */
export interface BareModel {
  readonly profile: FileProfile;
  /** Tokens of a slot. */
  readonly contextSize: number;
  readonly slots: number;
  /** Milliseconds of every round. Throws ServeError, or the signal's reason. */
  measure(lengths: readonly NamedLength[], options: BareOptions): Promise<BareRatesLine[]>;
}

interface BareOptions {
  readonly signal: AbortSignal;
  readonly onRound: (name: string) => void;
}

/** ServeError where there is no such model, or no room for it. */
export async function bareModel(path: string, config: Config): Promise<BareModel> {
  const profile = await readModelProfile(path, { projector: false });
  const fit = fitsHere(loadWish(config))(profile);
  if ('tooLarge' in fit) throw new ServeError('insufficient_memory', fit.tooLarge);
  return {
    profile,
    contextSize: fit.contextSize,
    slots: fit.slots,
    measure: (lengths, options) => runChild(jobOf(profile, config, fit, lengths), options),
  };
}

function jobOf({ path }: FileProfile, config: Config, fit: Fit, lengths: readonly NamedLength[]): BareRatesJob {
  const { threads, flashAttention, batchSize, keyType, valueType } = computeWish(config, {});
  const weights = weightsWish(path, config, loadWish(config), fit);
  return { weights, threads, flashAttention, batchSize, keyType, valueType, lengths };
}

/** In a process of its own, which gives all memory back before a server takes it. */
async function runChild(job: BareRatesJob, { signal, onRound }: BareOptions): Promise<BareRatesLine[]> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [fileURLToPath(bareRatesChild), JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const lines: BareRatesLine[] = [];
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line: BareRatesLine = JSON.parse(text);
    lines.push(line);
    onRound(line.name);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    if (code === 0) return lines;
    const words = /^(?:Error|\w*Error): (.+)$/m.exec(said)?.[1] ?? said.trim().split('\n').at(-1) ?? '';
    throw new ServeError('engine_failure', `The library alone could not be measured: ${printable(words)}`);
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

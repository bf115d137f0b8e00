import { Worker } from 'node:worker_threads';
import type { Timers } from '../../contract/services.ts';
import { CallFailure } from '../call-failure.ts';
import type { Converter } from './page-text.ts';

/** Of a page that is made to be slow. An ordinary one of 4 MB takes 3 s. */
const longestMs = 20_000;
const mostMegabytes = 512;

export interface PageToConvert {
  readonly html: string;
  readonly url: string;
}

/**
 * Pages become text in a thread of their own, one for each: somebody else's page can take it seconds and hundreds of
 * megabytes, and while it works answers go on.
 */
export function createConverter(entry: URL, timers: Timers): Converter {
  return (html, url, signal) =>
    new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const page: PageToConvert = { html, url };
      const worker = new Worker(entry, { workerData: page, resourceLimits: { maxOldGenerationSizeMb: mostMegabytes } });
      const end = (settle: () => void) => {
        disarm();
        signal.removeEventListener('abort', onAbort);
        worker.terminate().catch(() => undefined);
        settle();
      };
      const fail = (sentence: string) => end(() => reject(new CallFailure(sentence)));
      const onAbort = () => end(() => reject(signal.reason));
      const disarm = timers.after(longestMs, () => fail('The page took too long to be read.'));
      signal.addEventListener('abort', onAbort, { once: true });
      worker.once('message', (text: unknown) => end(() => resolve(String(text))));
      worker.once('error', () => fail('The page could not be read.'));
      worker.once('exit', () => fail('The page could not be read.'));
    });
}

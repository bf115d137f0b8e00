import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createDeferred } from '../contract/deferred.ts';
import { ServeError } from '../contract/errors.ts';
import { untilAborted } from '../contract/signals.ts';
import { makeFolder } from '../files/make-folder.ts';
import { readGguf } from './gguf.ts';
import { downloadUrl, type HubAccess, type HubFile, type HubModel } from './hub.ts';
import { showHubName } from './hub-name.ts';

export interface DownloadProgress {
  readonly bytes: number;
  readonly totalBytes: number;
  /** Unknown at the beginning. */
  readonly etaSeconds: number | undefined;
}

export interface DownloadOptions extends HubAccess {
  readonly modelsDir: string;
  readonly onProgress: (progress: DownloadProgress) => void;
  /** false: the model alone, without what lets it see. */
  readonly withProjector?: boolean | undefined;
  /** Give up after so long without a byte. */
  readonly stallMs?: number;
}

/** Half-written files live here, so nothing of them can be taken for a model. */
const stagingName = '.downloads';

/** Where a hub model lies in the models folder: owner/repo/file. */
function localPath(model: HubModel, modelsDir: string): string {
  return join(folderOf(model, modelsDir), basename(model.files[0]?.path ?? ''));
}

/** The model and what lets it see, each to be downloaded by itself; the model last, since it is what is found. */
function partsOf(model: HubModel, withProjector = true): HubModel[] {
  const { projector, ...own } = model;
  if (!projector || !withProjector) return [own];
  return [{ name: model.name, quantization: undefined, bytes: projector.bytes, files: [projector] }, own];
}

export function downloadBytes(model: HubModel, withProjector?: boolean): number {
  return partsOf(model, withProjector).reduce((sum, { bytes }) => sum + bytes, 0);
}

/** A model and its projector; gives the path to load. Throws as `downloadFiles`. */
export async function downloadModel(model: HubModel, options: DownloadOptions): Promise<string> {
  const totalBytes = downloadBytes(model, options.withProjector);
  let before = 0;
  for (const part of partsOf(model, options.withProjector)) {
    const done = before;
    await downloadFiles(part, {
      ...options,
      onProgress: ({ bytes, etaSeconds }) => options.onProgress({ bytes: done + bytes, totalBytes, etaSeconds }),
    });
    before += part.bytes;
  }
  return localPath(model, options.modelsDir);
}

/**
 * Downloads all parts, checks size, checksum and header of each, and only then moves them into the models folder.
 * What is there already is kept; a download that broke off goes on where it was.
 * Throws ServeError, or the signal's reason when it is aborted (what was read stays for the next time).
 */
function downloadFiles(model: HubModel, options: DownloadOptions): Promise<void> {
  return inTurn(localPath(model, options.modelsDir), options.signal, () => bringFiles(model, options));
}

/** Settle when the last one who wants a place filled is done; by the place. */
const turns = new Map<string, Promise<void>>();

/** Two at once would write the same unfinished files. Who waits finds the files there, or goes on with them. */
async function inTurn(place: string, signal: AbortSignal, bring: () => Promise<void>): Promise<void> {
  const before = turns.get(place) ?? Promise.resolve();
  const own = createDeferred<void>();
  const turn = before.then(() => own.promise);
  turns.set(place, turn);
  try {
    await untilAborted(before, signal);
    await bring();
  } finally {
    own.resolve();
    if (turns.get(place) === turn) turns.delete(place);
  }
}

async function bringFiles(model: HubModel, options: DownloadOptions): Promise<void> {
  const final = folderOf(model, options.modelsDir);
  if (await allThere(model.files, final)) return;
  const staging = folderOf(model, join(options.modelsDir, stagingName));
  await makeFolder(staging);
  await fetchFiles(model, staging, options);
  if (await dropWrongSizes(model.files, staging)) await fetchFiles(model, staging, options);
  for (const file of model.files) await verify(file, join(staging, basename(file.path)), options.signal);
  await makeFolder(final);
  // The first part last: it is what a model is found by.
  for (const file of model.files.toReversed()) {
    await rename(join(staging, basename(file.path)), join(final, basename(file.path)));
  }
}

/** The downloader was seen, rarely, to leave a few bytes too many behind: such a file is fetched once more. */
async function dropWrongSizes(files: readonly HubFile[], folder: string): Promise<boolean> {
  let dropped = false;
  for (const file of files) {
    const path = join(folder, basename(file.path));
    if ((await sizeOf(path)) === file.bytes) continue;
    await rm(path, { force: true });
    dropped = true;
  }
  return dropped;
}

function folderOf({ name }: HubModel, root: string): string {
  return join(root, name.owner, name.repo);
}

async function allThere(files: readonly HubFile[], folder: string): Promise<boolean> {
  const sizes = await Promise.all(files.map((file) => sizeOf(join(folder, basename(file.path)))));
  return files.every((file, index) => sizes[index] === file.bytes);
}

function sizeOf(path: string): Promise<number | undefined> {
  return stat(path).then(
    (found) => found.size,
    () => undefined,
  );
}

async function fetchFiles(model: HubModel, staging: string, options: DownloadOptions): Promise<void> {
  const first = model.files[0];
  if (!first || (await allThere(model.files, staging))) return;
  const watch = watchProgress(model, options);
  try {
    const { createModelDownloader } = await import('node-llama-cpp');
    const downloader = await watch.race(
      createModelDownloader({
        modelUri: downloadUrl(first, model.name, options.endpoint),
        dirPath: staging,
        fileName: basename(first.path),
        deleteTempFileOnCancel: false,
        endpoints: { huggingFace: options.endpoint },
        ...(options.token !== undefined && { tokens: { huggingFace: options.token } }),
        onProgress: ({ downloadedSize, estimatedTimeLeft }) => watch.progress(downloadedSize, estimatedTimeLeft),
      }),
    );
    try {
      await watch.race(downloader.download());
    } finally {
      await downloader.cancel({ deleteTempFile: false });
    }
  } catch (error) {
    options.signal.throwIfAborted();
    if (error instanceof ServeError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    const message = `The download of ${showHubName(model.name)} broke off: ${reason}. Start it again, it goes on where it was.`;
    throw new ServeError('overloaded', message, {}, { cause: error });
  } finally {
    watch.end();
  }
}

/** Ends the wait for the downloader when the signal says so or no byte comes: it has neither by itself. */
function watchProgress(model: HubModel, { signal, onProgress, stallMs = 60_000 }: DownloadOptions) {
  const stop = new AbortController();
  const stalled = () =>
    stop.abort(
      new ServeError(
        'overloaded',
        `The download of ${showHubName(model.name)} stands still for ${Math.round(stallMs / 1000)} s. Start it again, it goes on where it was.`,
      ),
    );
  let timer = setTimeout(stalled, stallMs);
  let seen = 0;
  const onAbort = () => stop.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const stopped = new Promise<never>((_, reject) => {
    stop.signal.addEventListener('abort', () => reject(stop.signal.reason), { once: true });
    if (stop.signal.aborted) reject(stop.signal.reason);
  });
  stopped.catch(() => {}); // it may come when nobody waits any more
  return {
    race: <Value>(work: Promise<Value>): Promise<Value> => Promise.race([work, stopped]),
    progress(bytes: number, etaMs: number) {
      if (bytes === seen) return;
      seen = bytes;
      clearTimeout(timer);
      timer = setTimeout(stalled, stallMs);
      const etaSeconds = Number.isFinite(etaMs) ? Math.ceil(etaMs / 1000) : undefined;
      onProgress({ bytes: Math.min(bytes, model.bytes), totalBytes: model.bytes, etaSeconds });
    },
    end() {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    },
  };
}

async function verify(file: HubFile, path: string, signal: AbortSignal): Promise<void> {
  const size = await sizeOf(path);
  const wrong =
    size !== file.bytes ? `${size ?? 0} bytes instead of ${file.bytes}` : await wrongSum(file, path, signal);
  if (wrong !== undefined) {
    await rm(path, { force: true });
    throw new ServeError('overloaded', `${file.path} arrived damaged (${wrong}) and was deleted. Download it again.`);
  }
  await readGguf(path).catch(async (error: unknown) => {
    await rm(path, { force: true });
    throw error;
  });
}

async function wrongSum(file: HubFile, path: string, signal: AbortSignal): Promise<string | undefined> {
  if (file.sha256 === undefined) return undefined;
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { signal, highWaterMark: 1 << 20 })) hash.update(piece);
  return hash.digest('hex') === file.sha256.toLowerCase() ? undefined : 'its checksum is wrong';
}

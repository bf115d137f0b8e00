import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type DownloadOptions, type DownloadProgress, downloadModel } from '../../src/models/download.ts';
import { listHubModels } from '../../src/models/hub.ts';
import { parseHubName } from '../../src/models/hub-name.ts';
import { ggufBytes, stringEntry, tensor } from '../models/gguf-bytes.ts';
import { type HubFixture, type HubTrouble, startHub } from '../models/hub-fixture.ts';

let folder = '';
const open: HubFixture[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-download-'));
});
afterEach(async () => {
  for (const hub of open.splice(0)) await hub.close();
  await rm(folder, { recursive: true, maxRetries: 3 });
});

const small = 100_000n;
/** More than two of the downloader's pieces of 5 MB. */
const large = 3_000_000n;
const model = (values: bigint) =>
  ggufBytes({
    entries: [stringEntry('general.architecture', 'llama')],
    tensors: [tensor('w', [values], 0, 0n)],
    weights: Number(values) * 4,
  });

async function hubWith(files: Readonly<Record<string, Uint8Array>>, trouble: HubTrouble = {}): Promise<HubFixture> {
  const hub = await startHub(files, trouble);
  open.push(hub);
  return hub;
}

async function download(hub: HubFixture, options: Partial<DownloadOptions> = {}): Promise<string> {
  const name = parseHubName('owner/repo');
  if (!name) throw new Error('no name');
  const access = { endpoint: hub.endpoint, token: undefined, signal: new AbortController().signal, ...options };
  const [first] = await listHubModels(name, access);
  if (!first) throw new Error('no model');
  return downloadModel(first, { ...access, modelsDir: folder, onProgress: () => {}, ...options });
}

/** Everything below the models folder that could be taken for a model. */
async function models(): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  return names.filter((name) => name.endsWith('.gguf') && !name.startsWith('.')).sort();
}

describe('downloadModel', () => {
  it('brings the file into the models folder and tells how far it is', async () => {
    const bytes = model(large);
    const hub = await hubWith({ 'm-Q8_0.gguf': bytes });
    const seen: DownloadProgress[] = [];
    const path = await download(hub, { onProgress: (progress) => seen.push(progress) });
    expect(path).toBe(join(folder, 'owner', 'repo', 'm-Q8_0.gguf'));
    expect(Buffer.compare(await readFile(path), bytes)).toBe(0);
    expect(seen.every(({ bytes: done, totalBytes }) => done <= totalBytes && totalBytes === bytes.length)).toBe(true);
    expect(seen.at(-1)?.bytes).toBe(bytes.length);
  });

  it('brings all parts of a split model', async () => {
    const parts = { 'sub/m-00001-of-00002.gguf': model(small), 'sub/m-00002-of-00002.gguf': model(small) };
    const path = await download(await hubWith(parts));
    expect(path).toBe(join(folder, 'owner', 'repo', 'm-00001-of-00002.gguf'));
    expect(await models()).toEqual(['owner/repo/m-00001-of-00002.gguf', 'owner/repo/m-00002-of-00002.gguf']);
  });

  it('brings the projector along, unless it is not wanted', async () => {
    const files = { 'm-Q8_0.gguf': model(small), 'mmproj-m-f16.gguf': model(large) };
    const hub = await hubWith(files);
    await download(hub, { withProjector: false });
    expect(await models()).toEqual(['owner/repo/m-Q8_0.gguf']);
    const seen: DownloadProgress[] = [];
    const path = await download(hub, { onProgress: (progress) => seen.push(progress) });
    expect(path).toBe(join(folder, 'owner', 'repo', 'm-Q8_0.gguf'));
    expect(await models()).toEqual(['owner/repo/m-Q8_0.gguf', 'owner/repo/mmproj-m-f16.gguf']);
    expect(new Set(seen.map(({ totalBytes }) => totalBytes))).toEqual(
      new Set([files['m-Q8_0.gguf'].length + files['mmproj-m-f16.gguf'].length]),
    );
  });

  it('keeps what is there already', async () => {
    const hub = await hubWith({ 'm.gguf': model(small) });
    await download(hub);
    const before = hub.requests.length;
    await download(hub);
    expect(hub.requests.slice(before)).toEqual(['GET /api/models/owner/repo/tree/main?recursive=1']);
  });

  it('fetches it once for all who want it at once; who leaves holds up nobody', async () => {
    const bytes = model(large);
    let letGo: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    const hub = await hubWith({ 'm.gguf': bytes }, { held });
    const leave = new AbortController();
    let begun: () => void = () => undefined;
    const beginning = new Promise<void>((resolve) => {
      begun = resolve;
    });
    const first = download(hub, { onProgress: () => begun() });
    await beginning;
    const waiting = [download(hub), download(hub)];
    const left = download(hub, { signal: leave.signal });
    leave.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    letGo();
    const paths = await Promise.all([first, ...waiting]);
    expect(new Set(paths).size).toBe(1);
    expect(Buffer.compare(await readFile(paths[0] ?? ''), bytes)).toBe(0);
    const begins = hub.requests.filter((request) => /resolve.* bytes=0-/.test(request));
    expect(begins.length).toBeLessThanOrEqual(2);
  });

  it('goes on after cut connections', async () => {
    const bytes = model(large);
    const hub = await hubWith({ 'm.gguf': bytes }, { cuts: 3 });
    expect(Buffer.compare(await readFile(await download(hub)), bytes)).toBe(0);
    expect(hub.trouble.cuts).toBe(0);
  });

  it('works with a server that knows no ranges', async () => {
    const bytes = model(small);
    const hub = await hubWith({ 'm.gguf': bytes }, { noRanges: true });
    expect(Buffer.compare(await readFile(await download(hub)), bytes)).toBe(0);
  });

  it('sends the token', async () => {
    const hub = await hubWith({ 'm.gguf': model(small) }, { token: 'secret' });
    await download(hub, { token: 'secret' });
    expect(await models()).toEqual(['owner/repo/m.gguf']);
  });

  it.each<[string, HubTrouble, RegExp]>([
    ['a wrong checksum', { wrongSum: true }, /m\.gguf arrived damaged \(its checksum is wrong\) and was deleted/],
    ['a file of another length', { short: true }, /m\.gguf arrived damaged \(400\d+ bytes instead of 400\d+\)/],
  ])('leaves nothing of %s', async (_, trouble, sentence) => {
    const hub = await hubWith({ 'm.gguf': model(small) }, trouble);
    await expect(download(hub)).rejects.toThrow(sentence);
    expect(await readdir(folder, { recursive: true })).not.toContainEqual(expect.stringMatching(/gguf$/));
  });

  it('leaves nothing of a file that is no model', async () => {
    const hub = await hubWith({ 'm.gguf': new TextEncoder().encode('<html>Sign in</html>') });
    await expect(download(hub)).rejects.toThrow('This is no GGUF file');
    expect(await models()).toEqual([]);
  });

  it('gives up on a server that stands still, and goes on the next time', async () => {
    const bytes = model(large);
    const hub = await hubWith({ 'm.gguf': bytes }, { stallAfter: 1000 });
    await expect(download(hub, { stallMs: 300 })).rejects.toThrow(/stands still for 0 s\. Start it again/);
    expect(await models()).toEqual([]);
    hub.trouble = {};
    expect(Buffer.compare(await readFile(await download(hub)), bytes)).toBe(0);
  });

  it('stops at once when it is cancelled, and goes on the next time', async () => {
    const bytes = model(large);
    const hub = await hubWith({ 'm.gguf': bytes }, { slow: 50_000 });
    const cancel = new AbortController();
    const reason = new Error('cancelled');
    const onProgress = ({ bytes: done }: DownloadProgress) => {
      if (done > 9_000_000) cancel.abort(reason);
    };
    await expect(download(hub, { signal: cancel.signal, onProgress })).rejects.toBe(reason);
    expect(await models()).toEqual([]);
    hub.trouble = {};
    const before = hub.requests.length;
    expect(Buffer.compare(await readFile(await download(hub)), bytes)).toBe(0);
    const pieces = (requests: readonly string[]) => new Set(requests.filter((request) => request.includes('bytes=')));
    const first = pieces(hub.requests.slice(0, before));
    const again = pieces(hub.requests.slice(before));
    expect(again.size).toBeLessThan(first.size);
  });

  it('does not start when it is cancelled already', async () => {
    const hub = await hubWith({ 'm.gguf': model(small) });
    await expect(download(hub, { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no');
  });
});

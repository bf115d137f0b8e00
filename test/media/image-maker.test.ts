import { describe, expect, it } from 'vitest';
import type { ProjectorFile } from '../../src/contract/projector.ts';
import type { DownloadOptions } from '../../src/contract/public-web.ts';
import { createImageMaker } from '../../src/main/images.ts';
import { withUsableProjectors } from '../../src/main/known-projector.ts';
import type { Picture } from '../../src/media/eye.ts';
import { knownProjectors, openEye } from '../../src/media/families.ts';
import { Pictures } from '../../src/media/pictures.ts';
import type { FileProfile } from '../../src/models/profile.ts';

const projector: ProjectorFile = { path: 'p', sizeBytes: 1, dataStart: 0, metadata: {}, tensors: [] };
const tile = { width: 2, height: 1, bytes: new Uint8Array(6) };
const picture: Picture = {
  parts: [
    { type: 'text', text: '<image>' },
    { type: 'rows', tile, columns: 3, lines: 2 },
  ],
};
const signal = new AbortController().signal;
const one = { owner: '', scope: '' };
const other = { owner: 'other', scope: 'other' };

/** Reads every file as the same picture, and counts. */
function reader() {
  const files: Uint8Array[] = [];
  const read = async (file: Uint8Array) => {
    files.push(file);
    return picture;
  };
  return { files, read };
}

function maker(allowImageUrls: boolean) {
  const asked: [string, DownloadOptions][] = [];
  const web = {
    download: async (url: string, options: DownloadOptions) => {
      asked.push([url, options]);
      return { bytes: Uint8Array.of(1, 2, 3), contentType: 'image/png', url };
    },
    open: () => Promise.reject(new Error('not asked for')),
  };
  const config = { imageCacheMb: 1, maxBodyMb: 2, allowImageUrls };
  const read = reader();
  return { asked, read, images: createImageMaker(projector, { positions: 'grid' }, { config, web, reader: read }) };
}

describe('images for a prompt', () => {
  it('are texts and runs of ids, whose positions on a grid go behind the larger side', async () => {
    const { images } = maker(false);
    const file = (base64: string) => ({ type: 'image', source: { type: 'file', base64 } }) as const;
    const [mark, rows] = await images.read(file('AAAA'), one, signal);
    expect(mark).toEqual({ type: 'text', text: '<image>' });
    expect(rows).toMatchObject({ type: 'rows', columns: 3, lines: 2, tile });
    const [, again] = await images.read(file('AAAA'), other, signal);
    const [, different] = await images.read(file('AAAB'), one, signal);
    const ids = (part: typeof rows) => (part?.type === 'rows' ? part.ids : []);
    expect(ids(rows)).toHaveLength(6);
    expect(ids(again)).toEqual(ids(rows));
    expect(ids(different)).not.toEqual(ids(rows));
    // What one scope has sent makes nothing quicker for another.
    expect(rows?.type === 'rows' && again?.type === 'rows' && rows.key !== again.key).toBe(true);
  });

  it('behind an address are fetched where that is allowed, within limits, and else nothing is asked', async () => {
    const named = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' }, param: 'x' } as const;
    const open = maker(true);
    await open.images.read(named, one, signal);
    expect(open.asked).toEqual([
      ['https://example.com/a.png', expect.objectContaining({ maxBytes: 2 * 1024 * 1024, param: 'x', signal })],
    ]);
    const closed = maker(false);
    await expect(closed.images.read(named, one, signal)).rejects.toThrow('--allow-image-urls');
    expect(closed.asked).toEqual([]);
  });
});

describe('pictures', () => {
  it('are read once for each content, also when two ask at the same time, as long as there is room', async () => {
    const read = reader();
    const pictures = new Pictures({ reader: read, projector, cacheBytes: 20 });
    const [cat, dog] = [Uint8Array.of(1), Uint8Array.of(2)];
    await Promise.all([pictures.read(cat, one, signal), pictures.read(cat, one, signal)]);
    await pictures.read(cat, one, signal);
    expect(read.files).toHaveLength(1);
    await pictures.read(cat, { owner: '', scope: 'salt' }, signal);
    expect(read.files).toHaveLength(2);
    await pictures.read(dog, one, signal);
    await pictures.read(cat, one, signal);
    expect(read.files).toHaveLength(4);
  });

  it('of one owner push out none of another who has fewer, however many come', async () => {
    const read = reader();
    const pictures = new Pictures({ reader: read, projector, cacheBytes: 40 });
    await pictures.read(Uint8Array.of(0), other, signal);
    for (let file = 1; file < 9; file++) await pictures.read(Uint8Array.of(file), one, signal);
    expect(read.files).toHaveLength(9);
    await pictures.read(Uint8Array.of(0), other, signal);
    await pictures.read(Uint8Array.of(8), one, signal);
    expect(read.files).toHaveLength(9);
    await pictures.read(Uint8Array.of(6), one, signal);
    expect(read.files).toHaveLength(10);
  });
});

describe('a projector that is not known', () => {
  it('is left out with a sentence, and the model serves text', () => {
    const file = { projector } as FileProfile;
    const told: string[] = [];
    expect(withUsableProjectors(file, (sentence) => told.push(sentence)).projector).toBeUndefined();
    expect(told).toEqual([expect.stringContaining('has no vision encoder')]);
  });

  it('is named with those that are', () => {
    const metadata = { 'clip.has_vision_encoder': true, 'clip.projector_type': 'sonar' };
    expect(() => openEye({ ...projector, metadata })).toThrow(
      `The projector p is of the kind sonar, which is not known here. Known kinds: ${knownProjectors.join(', ')}. Serve text alone with --no-mmproj.`,
    );
    expect(() => openEye(projector)).toThrow('has no vision encoder');
  });
});

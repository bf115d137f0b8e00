import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type ProjectorFile, sensesOf } from '../../src/contract/projector.ts';
import type { DownloadOptions } from '../../src/contract/public-web.ts';
import { mediaIn } from '../../src/engine/media-ids.ts';
import { withUsableProjectors } from '../../src/main/known-projector.ts';
import { createMediaMaker } from '../../src/main/media.ts';
import type { Hearing } from '../../src/media/ear.ts';
import type { Picture } from '../../src/media/eye.ts';
import { knownProjectors, openEye } from '../../src/media/families.ts';
import { PreparedMedia } from '../../src/media/prepared-media.ts';
import type { MediaFile } from '../../src/media/process/media-reader.ts';
import type { FileProfile } from '../../src/models/profile.ts';
import { readProjector } from '../../src/models/projector.ts';
import { tinyEars } from '../support/tiny-ears.ts';
import { tinyFamilies } from '../support/tiny-families.ts';
import { writeProjector } from '../support/tiny-projectors.ts';

const folder = mkdtempSync(join(tmpdir(), 'media-maker-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const senses = { 'clip.has_vision_encoder': true, 'clip.has_audio_encoder': true };
/** As a file has it: facts and shapes. */
function writtenProjector(senses: Parameters<typeof writeProjector>[1]): Promise<ProjectorFile> {
  const path = join(folder, 'mmproj.gguf');
  writeProjector(path, senses);
  return readProjector(path);
}

const projector: ProjectorFile = { path: 'p', sizeBytes: 1, dataStart: 0, metadata: senses, tensors: [] };
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

const hearing: Hearing = {
  parts: [{ type: 'rows', rows: 4, tile: { frames: 2, bands: 1, values: new Float32Array(2) } }],
};

/** Reads every file as the same picture, or as the same sound, and counts. */
function reader() {
  const files: Uint8Array[] = [];
  const read = async ({ type, file }: MediaFile) => {
    files.push(file);
    return type === 'image' ? picture : hearing;
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
  return { asked, read, media: createMediaMaker(projector, { positions: 'grid' }, { config, web, reader: read }) };
}

const image = (byte: number) => ({ type: 'image', file: Uint8Array.of(byte) }) as const;

describe('sounds for a prompt', () => {
  it('are runs of ids that follow one another, also where images lie on a grid', async () => {
    const { media } = maker(false);
    expect([media.takes('image'), media.takes('audio')]).toEqual([true, true]);
    const [rows] = await media.read({ type: 'audio', source: { type: 'file', base64: 'AAAA' } }, one, signal);
    if (rows?.type !== 'rows') throw new Error('They are rows.');
    expect(rows.columns).toBeUndefined();
    expect(mediaIn(rows.ids)).toEqual([{ start: 0, rows: 4, advance: 4 }]);
  });

  it('are not fetched where that is not allowed', async () => {
    const named = { type: 'audio', source: { type: 'url', url: 'https://example.com/a.wav' } } as const;
    await expect(maker(false).media.read(named, one, signal)).rejects.toThrow('This server fetches no sounds');
    const open = maker(true);
    await open.media.read(named, one, signal);
    expect(open.asked).toEqual([['https://example.com/a.wav', expect.objectContaining({ accept: 'audio/*' })]]);
  });
});

describe('images for a prompt', () => {
  it('are texts and runs of ids, whose positions on a grid go behind the larger side', async () => {
    const { media } = maker(false);
    const file = (base64: string) => ({ type: 'image', source: { type: 'file', base64 } }) as const;
    const [mark, rows] = await media.read(file('AAAA'), one, signal);
    expect(mark).toEqual({ type: 'text', text: '<image>' });
    expect(rows).toMatchObject({ type: 'rows', columns: 3, tile });
    const [, again] = await media.read(file('AAAA'), other, signal);
    const [, different] = await media.read(file('AAAB'), one, signal);
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
    await open.media.read(named, one, signal);
    expect(open.asked).toEqual([
      ['https://example.com/a.png', expect.objectContaining({ maxBytes: 2 * 1024 * 1024, param: 'x', signal })],
    ]);
    const closed = maker(false);
    await expect(closed.media.read(named, one, signal)).rejects.toThrow('--allow-image-urls');
    expect(closed.asked).toEqual([]);
  });
});

describe('what was read', () => {
  it('are read once for each content, also when two ask at the same time, as long as there is room', async () => {
    const read = reader();
    const pictures = new PreparedMedia({ reader: read, projector, cacheBytes: 20 });
    const [cat, dog] = [image(1), image(2)];
    await Promise.all([pictures.read(cat, one, signal), pictures.read(cat, one, signal)]);
    await pictures.read(cat, one, signal);
    expect(read.files).toHaveLength(1);
    await pictures.read(cat, { owner: '', scope: 'salt' }, signal);
    expect(read.files).toHaveLength(2);
    await pictures.read(dog, one, signal);
    await pictures.read(cat, one, signal);
    expect(read.files).toHaveLength(4);
  });

  it('as an image is not what was read as a sound', async () => {
    const read = reader();
    const media = new PreparedMedia({ reader: read, projector, cacheBytes: 1000 });
    const file = Uint8Array.of(1);
    const seen = await media.read({ type: 'image', file }, one, signal);
    const heard = await media.read({ type: 'audio', file }, one, signal);
    expect([seen.prepared, heard.prepared]).toEqual([picture, hearing]);
    expect(heard.hash).not.toEqual(seen.hash);
  });

  it('of one owner push out none of another who has fewer, however many come', async () => {
    const read = reader();
    const pictures = new PreparedMedia({ reader: read, projector, cacheBytes: 40 });
    await pictures.read(image(0), other, signal);
    for (let file = 1; file < 9; file++) await pictures.read(image(file), one, signal);
    expect(read.files).toHaveLength(9);
    await pictures.read(image(0), other, signal);
    await pictures.read(image(8), one, signal);
    expect(read.files).toHaveLength(9);
    await pictures.read(image(6), one, signal);
    expect(read.files).toHaveLength(10);
  });
});

describe('a projector that is not known', () => {
  it('is left out with a sentence, and the model serves text', () => {
    const file = { projector: { ...projector, metadata: {} } } as FileProfile;
    const told: string[] = [];
    expect(withUsableProjectors(file, (sentence) => told.push(sentence)).projector).toBeUndefined();
    expect(told).toEqual([expect.stringContaining('has no vision encoder')]);
  });

  it('is left out for what it cannot do, and used for the rest', async () => {
    const metadata = { ...senses, 'clip.vision.projector_type': 'sonar', 'clip.audio.projector_type': 'bat' };
    const whole = await writtenProjector({ vision: tinyFamilies.llava, audio: tinyEars.ultravox });
    const deaf = { ...whole, metadata: { ...whole.metadata, 'clip.audio.projector_type': 'bat' } };
    const blind = { ...whole, metadata: { ...whole.metadata, 'clip.vision.projector_type': 'sonar' } };
    const told: string[] = [];
    const usable = (file: ProjectorFile) =>
      sensesOf(withUsableProjectors({ projector: file } as FileProfile, (sentence) => told.push(sentence)).projector);
    expect(usable(whole)).toEqual({ images: true, audio: true });
    expect(told).toEqual([]);
    expect(usable(deaf)).toEqual({ images: true, audio: false });
    expect(usable(blind)).toEqual({ images: false, audio: true });
    expect(usable({ ...projector, metadata })).toEqual({ images: false, audio: false });
    expect(told).toEqual(['bat', 'sonar', 'sonar'].map((kind) => expect.stringContaining(`of the kind ${kind}`)));
  });

  it('is named with those that are', () => {
    const metadata = { ...senses, 'clip.projector_type': 'sonar' };
    expect(() => openEye({ ...projector, metadata })).toThrow(
      `The projector p is of the kind sonar, which is not known here. Known kinds: ${knownProjectors.join(', ')}. Serve text alone with --no-mmproj.`,
    );
    expect(() => openEye({ ...projector, metadata: {} })).toThrow('has no vision encoder');
  });
});

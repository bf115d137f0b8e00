import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { type ProjectorFile, sensesOf } from '../contract/projector.ts';
import type { PublicWeb } from '../contract/public-web.ts';
import type { MediaPart } from '../contract/request.ts';
import type { Timers } from '../contract/services.ts';
import type { EngineInfo } from '../engine/engine.ts';
import { mediaIds } from '../engine/media-ids.ts';
import type { MediaMaker, PlacedPart } from '../generation/media-maker.ts';
import { PreparedMedia } from '../media/prepared-media.ts';
import { MediaReader } from '../media/process/media-reader.ts';
import { mediaChild } from './entries.ts';
import { mediaLimits } from './room-settings.ts';

const megabyte = 1024 * 1024;
/** Of an image behind an address. */
const downloadMs = 20_000;

/** The process that reads images and sounds; it is started by the first one. */
export function createMediaReader(config: Config, timers: Timers): MediaReader {
  return new MediaReader({ entry: fileURLToPath(mediaChild), timers, limits: mediaLimits(config) });
}

export interface MediaMakerTools {
  readonly config: Pick<Config, 'imageCacheMb' | 'maxBodyMb' | 'allowImageUrls'>;
  readonly reader: Pick<MediaReader, 'read'>;
  readonly web: PublicWeb;
}

/** Half of what images and sounds may take is for what was read, half for their rows, which the engine keeps. */
export function mediaCacheBytes({ imageCacheMb }: Pick<Config, 'imageCacheMb'>): number {
  return (imageCacheMb * megabyte) / 2;
}

/** Images and sounds for a model that sees or hears. */
export function createMediaMaker(
  projector: ProjectorFile,
  { positions }: NonNullable<EngineInfo['media']>,
  { config, reader, web }: MediaMakerTools,
): MediaMaker {
  const media = new PreparedMedia({ reader, projector, cacheBytes: mediaCacheBytes(config) });
  const senses = sensesOf(projector);
  return {
    takes: (type) => (type === 'image' ? senses.images : senses.audio),
    async read(part, sharer, signal) {
      const file = await fileOf(part, { config, web }, signal);
      const { prepared, hash } = await media.read({ type: part.type, file }, sharer, signal);
      return prepared.parts.map((each, place): PlacedPart => {
        if (each.type === 'text') return each;
        const { tile } = each;
        const key = `${sharer.scope} ${Buffer.from(hash).toString('hex')} ${place}`;
        const common = { type: 'rows', key, owner: sharer.owner } as const;
        if ('rows' in each) return { ...common, tile, ids: mediaIds(each.rows, spread(hash, place, each.rows)) };
        const { columns, lines } = each;
        const rows = columns * lines;
        const advance = positions === 'grid' ? Math.max(columns, lines) : 0;
        return { ...common, tile, columns, ids: mediaIds(rows, spread(hash, place, rows), advance) };
      });
    },
  };
}

/** Four bytes for each row. */
function spread(hash: Uint8Array, place: number, rows: number): Uint8Array {
  const blocks = Array.from({ length: Math.ceil((rows * 4) / 32) }, (_, block) =>
    createHash('sha256').update(hash).update(`${place} ${block}`).digest(),
  );
  return Buffer.concat(blocks);
}

async function fileOf(
  { type, source, param }: MediaPart,
  { config, web }: Pick<MediaMakerTools, 'config' | 'web'>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  switch (source.type) {
    case 'file':
      return Buffer.from(source.base64, 'base64');
    case 'url': {
      if (!config.allowImageUrls) throw noUrls(type);
      const limits = { maxBytes: config.maxBodyMb * megabyte, timeoutMs: downloadMs, accept: `${type}/*`, signal };
      const { bytes } = await web.download(source.url, { ...limits, ...(param !== undefined && { param }) });
      return bytes;
    }
    case 'placed':
      throw new ServeError('internal', 'This was read already.');
    default:
      return source satisfies never;
  }
}

function noUrls(type: MediaPart['type']): ServeError {
  return new ServeError(
    'invalid_request',
    `This server fetches no ${type === 'image' ? 'images' : 'sounds'}: send the file itself as a data: URI or base64, or start the server with --allow-image-urls.`,
  );
}

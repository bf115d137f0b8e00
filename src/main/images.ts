import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import type { ProjectorFile } from '../contract/projector.ts';
import type { PublicWeb } from '../contract/public-web.ts';
import type { ImagePart } from '../contract/request.ts';
import type { Timers } from '../contract/services.ts';
import type { EngineInfo } from '../engine/engine.ts';
import { imageIds } from '../engine/image-ids.ts';
import type { ImageMaker, PlacedPart } from '../generation/image-maker.ts';
import { Pictures } from '../media/pictures.ts';
import { ImageReader } from '../media/process/image-reader.ts';
import { imageChild } from './entries.ts';

const megabyte = 1024 * 1024;
/** Of an image behind an address. */
const downloadMs = 20_000;

/** The process that reads images; it is started by the first one. */
export function createImageReader(config: Pick<Config, 'imageMaxPixels'>, timers: Timers): ImageReader {
  return new ImageReader({
    entry: fileURLToPath(imageChild),
    timers,
    limits: { mostPixels: config.imageMaxPixels },
  });
}

export interface ImageMakerTools {
  readonly config: Pick<Config, 'imageCacheMb' | 'maxBodyMb' | 'allowImageUrls'>;
  readonly reader: Pick<ImageReader, 'read'>;
  readonly web: PublicWeb;
}

/** Half of what images may take is for pictures, half for their rows, which the engine keeps. */
export function imageCacheBytes({ imageCacheMb }: Pick<Config, 'imageCacheMb'>): number {
  return (imageCacheMb * megabyte) / 2;
}

/** Images for a model that sees. */
export function createImageMaker(
  projector: ProjectorFile,
  { positions }: NonNullable<EngineInfo['images']>,
  { config, reader, web }: ImageMakerTools,
): ImageMaker {
  const pictures = new Pictures({ reader, projector, cacheBytes: imageCacheBytes(config) });
  return {
    async read(part, sharer, signal) {
      const file = await fileOf(part, { config, web }, signal);
      const { picture, hash } = await pictures.read(file, sharer, signal);
      return picture.parts.map((each, place): PlacedPart => {
        if (each.type === 'text') return each;
        const { columns, lines, tile } = each;
        const key = `${sharer.scope} ${Buffer.from(hash).toString('hex')} ${place}`;
        const advance = positions === 'grid' ? Math.max(columns, lines) : 0;
        const rows = columns * lines;
        return {
          type: 'rows',
          columns,
          lines,
          tile,
          key,
          owner: sharer.owner,
          ids: imageIds(rows, spread(hash, place, rows), advance),
        };
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
  { source, param }: ImagePart,
  { config, web }: Pick<ImageMakerTools, 'config' | 'web'>,
  signal: AbortSignal,
): Promise<Uint8Array> {
  switch (source.type) {
    case 'file':
      return Buffer.from(source.base64, 'base64');
    case 'url': {
      if (!config.allowImageUrls) throw noUrls();
      const limits = { maxBytes: config.maxBodyMb * megabyte, timeoutMs: downloadMs, accept: 'image/*', signal };
      const { bytes } = await web.download(source.url, { ...limits, ...(param !== undefined && { param }) });
      return bytes;
    }
    case 'placed':
      throw new ServeError('internal', 'This image was read already.');
    default:
      return source satisfies never;
  }
}

function noUrls(): ServeError {
  return new ServeError(
    'invalid_request',
    'This server fetches no images: send the file itself as a data: URI or base64, or start the server with --allow-image-urls.',
  );
}

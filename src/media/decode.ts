import sharp from 'sharp';
import { ServeError } from '../contract/errors.ts';
import { decodeBmp } from './bmp.ts';
import { type FileKind, kindOfFile, refused } from './file-kinds.ts';
import { checkSize, type ImageLimits } from './limits.ts';
import type { Pixels } from './pixels.ts';

/** Of libvips, those that read what `kindOfFile` knows: not SVG, whose pictures may name files, nor anything else. */
sharp.block({ operation: ['VipsForeignLoad'] });
sharp.unblock({
  operation: [
    'VipsForeignLoadPng',
    'VipsForeignLoadJpeg',
    'VipsForeignLoadWebp',
    'VipsForeignLoadNsgif',
    'VipsForeignLoadHeif',
    'VipsForeignLoadTiff',
  ],
});
// Its threads would take the cores from those that compute; nothing is asked for twice.
sharp.concurrency(1);
sharp.cache(false);

/** As libvips names what it has found. */
const formats: Readonly<Record<Exclude<FileKind, 'bmp'>, string>> = {
  png: 'png',
  jpeg: 'jpeg',
  webp: 'webp',
  gif: 'gif',
  avif: 'heif',
  tiff: 'tiff',
};

/**
 * The first image of a file, turned as its EXIF data says, on white where it is transparent. Colour profiles are left
 * alone, as the models' own programs do. ServeError invalid_request.
 */
export async function decodeImage(file: Uint8Array, limits: ImageLimits): Promise<Pixels> {
  const kind = kindOfFile(file);
  if (kind === 'bmp') return decodeBmp(file, limits);
  const options = { failOn: 'error', limitInputPixels: limits.mostPixels, ignoreIcc: true, pages: 1 } as const;
  try {
    const { width, height, format } = await sharp(file, { ...options, limitInputPixels: false }).metadata();
    if (format !== formats[kind]) throw refused(`it begins like one kind of file and goes on like another`);
    checkSize(width, height, limits);
    const { data, info } = await sharp(file, options)
      .autoOrient()
      .flatten({ background: '#ffffff' })
      .toColourspace('srgb')
      .removeAlpha()
      .raw({ depth: 'uchar' })
      .toBuffer({ resolveWithObject: true });
    if (info.channels !== 3) throw refused(`it has ${info.channels} colour channels`);
    return { width: info.width, height: info.height, bytes: new Uint8Array(data) };
  } catch (error) {
    if (error instanceof ServeError) throw error;
    throw refused('it is damaged or cut off', error);
  }
}

import { z } from 'zod';
import { ServeError } from '../../contract/errors.ts';
import type { PublicWeb, WebAnswer } from '../../contract/public-web.ts';
import { imageLine, isReadableImage, type ToolCallLimits, type ToolImage } from '../../contract/server-tools.ts';
import { CallFailure } from '../call-failure.ts';
import { type BuiltInTool, builtInTool } from './built-in-tool.ts';
import { type Converter, mediaType, type Page, pageText } from './page-text.ts';
import { within } from './time-limit.ts';

export interface FetchOptions {
  readonly web: PublicWeb;
  readonly convert: Converter;
}

/** Of what is decoded; of a longer page the beginning is read. */
const mostBytes = 4 * 1024 * 1024;
const longestMs = 30_000;

/** Places that can give it as text are asked for that. */
const accept = 'text/markdown, text/html;q=0.9, application/xhtml+xml;q=0.9, text/plain;q=0.8, */*;q=0.5';

export function fetchTool({ web, convert }: FetchOptions): BuiltInTool {
  return builtInTool({
    name: 'fetch',
    description: 'Reads a page, a text file or an image of the public web, pages as Markdown.',
    args: z.object({
      url: z.string().min(1).max(4000).describe('Its address, with http:// or https://'),
      start: z.int().min(0).optional().describe('Character to begin at, to go on reading a long page.'),
    }),
    run: async ({ url, start = 0 }, limits) => {
      const timeoutMs = Math.min(longestMs, limits.timeoutMs);
      const { page, status, isWhole } = await within(timeoutMs, limits.signal, (signal) => load(url, web, signal));
      const image = imageOf(page);
      if (image && isWhole) return { content: `${page.url}\n\n${imageLine(image)}`, isError: false, images: [image] };
      const text = await pageText(page, convert, limits.signal);
      const isError = status < 200 || status > 299;
      if (isError && start === 0)
        return { content: `Status ${status}\n${excerpt(page, text, { limits, start, isWhole })}`, isError };
      if (start > 0 && start >= text.length) throw new CallFailure(`The page has only ${text.length} characters.`);
      return excerpt(page, text, { limits, start, isWhole });
    },
  });
}

function imageOf({ bytes, contentType }: Page): ToolImage | undefined {
  const mimeType = mediaType(contentType);
  return isReadableImage(mimeType) ? { base64: Buffer.from(bytes).toString('base64'), mimeType } : undefined;
}

interface Loaded {
  readonly page: Page;
  readonly status: number;
  readonly isWhole: boolean;
}

async function load(url: string, web: PublicWeb, signal: AbortSignal): Promise<Loaded> {
  try {
    const answer = await web.open({ url, headers: { accept }, timeoutMs: longestMs, signal });
    const { bytes, isWhole } = await readBegin(answer);
    return {
      page: { url: answer.url, bytes, contentType: answer.headers['content-type'] },
      status: answer.status,
      isWhole,
    };
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof ServeError && error.code !== 'internal') throw new CallFailure(error.message);
    throw error;
  }
}

async function readBegin({ body }: WebAnswer): Promise<{ bytes: Uint8Array; isWhole: boolean }> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > mostBytes) return { bytes: Buffer.concat(chunks).subarray(0, mostBytes), isWhole: false };
  }
  return { bytes: Buffer.concat(chunks), isWhole: true };
}

interface Reading {
  readonly limits: Pick<ToolCallLimits, 'maxCharacters'>;
  readonly start: number;
  readonly isWhole: boolean;
}

/** What the model has room for, and how it gets the rest. */
function excerpt({ url }: Page, text: string, { limits, start, isWhole }: Reading): string {
  if (text === '') return `${url}\n\n[The page has no text. It may be one that only shows some in a browser.]`;
  const room = Math.max(100, limits.maxCharacters - url.length - 200);
  const end = Math.min(text.length, start + room);
  const ofWhat = isWhole ? `${text.length}` : `the first ${text.length}, of a page longer than ${mostBytes} bytes`;
  const notes = [
    ...(start > 0 || end < text.length || !isWhole ? [`Characters ${start} to ${end} of ${ofWhat}.`] : []),
    ...(end < text.length ? [`Call again with start: ${end} for more.`] : []),
  ];
  return `${url}\n\n${text.slice(start, end)}${notes.length > 0 ? `\n\n[${notes.join(' ')}]` : ''}`;
}

import { z } from 'zod';
import {
  bytesOfBase64,
  imageLine,
  isReadableImage,
  type ToolImage,
  type ToolOutcome,
} from '../contract/server-tools.ts';

/** Loose on purpose: a content of a kind that nobody knows yet is a note to the model, not a failed call. */
export const callResult = z.looseObject({
  content: z.array(z.unknown()).optional(),
  structuredContent: z.unknown().optional(),
  isError: z.boolean().optional(),
});

const resource = z.looseObject({
  uri: z.string().optional(),
  mimeType: z.string().optional(),
  text: z.string().optional(),
  blob: z.string().optional(),
});

const part = z.looseObject({
  type: z.string(),
  text: z.string().optional(),
  data: z.string().optional(),
  mimeType: z.string().optional(),
  name: z.string().optional(),
  uri: z.string().optional(),
  resource: resource.optional(),
});

/** A model reads hundreds of tokens for each. */
const mostImages = 4;

/** What a tool gave: all that the model can read of it, images for one that sees, and a note for what it cannot. */
export function readResult({
  content = [],
  structuredContent,
  isError = false,
}: z.output<typeof callResult>): ToolOutcome {
  const images: ToolImage[] = [];
  const texts = content.map((wire) => partText(wire, images));
  // Servers that give structured content repeat it as text for those who do not know it.
  const hasText = content.some((each) => part.safeParse(each).data?.type === 'text');
  if (structuredContent !== undefined && !hasText) texts.push(JSON.stringify(structuredContent));
  return { content: texts.join('\n'), isError, ...(images.length > 0 && { images }) };
}

/** Images are put aside. */
function partText(wire: unknown, images: ToolImage[]): string {
  const read = part.safeParse(wire);
  if (!read.success) return '[a content that cannot be read was left out]';
  const { type, text, data = '', mimeType = 'unknown type', name, uri, resource: embedded } = read.data;
  switch (type) {
    case 'text':
      return text ?? '';
    case 'image':
      return keepImage({ base64: data, mimeType }, images);
    case 'audio':
      return `[audio of ${bytesOfBase64(data)} bytes (${mimeType}) was left out]`;
    case 'resource_link':
      return `[${name ?? 'resource'}: ${uri ?? ''}]`;
    case 'resource': {
      const { blob, mimeType: kind = 'unknown type', text: written, uri: place = '' } = embedded ?? {};
      if (written !== undefined) return written;
      if (blob !== undefined && isReadableImage(kind)) return keepImage({ base64: blob, mimeType: kind }, images);
      return `[resource ${place} (${kind}) was left out: it is no text]`;
    }
    default:
      return `[content of type ${JSON.stringify(type)} was left out]`;
  }
}

function keepImage(image: ToolImage, images: ToolImage[]): string {
  if (!isReadableImage(image.mimeType) || images.length === mostImages)
    return `[image of ${bytesOfBase64(image.base64)} bytes (${image.mimeType}) was left out]`;
  images.push(image);
  return imageLine(image);
}

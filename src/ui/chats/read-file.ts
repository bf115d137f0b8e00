/** What becomes of a file that somebody gives: text that the model reads, a picture, or the reason why not. */
export type GivenFile =
  | { readonly kind: 'text'; readonly name: string; readonly text: string }
  | { readonly kind: 'image'; readonly name: string; readonly type: string; readonly bytes: Blob }
  | { readonly kind: 'refused'; readonly name: string; readonly why: Refusal };

export type Refusal = 'empty' | 'text-size' | 'image-size' | 'binary' | 'blind';

/** An entry of a chat has at most a megabyte, in which line ends and quotes take two bytes each. */
export const mostTextBytes = 700_000;
/** A request with it, a third longer as base64, stays below the 32 MB that the server takes. */
export const mostImageBytes = 20_000_000;

/** What the server decodes, by the first bytes of a file; names may say anything. */
const imageMarks: readonly { readonly type: string; readonly at: number; readonly mark: string }[] = [
  { type: 'image/png', at: 0, mark: '\x89PNG\r\n' },
  { type: 'image/jpeg', at: 0, mark: '\xff\xd8\xff' },
  { type: 'image/gif', at: 0, mark: 'GIF8' },
  { type: 'image/webp', at: 8, mark: 'WEBP' },
  { type: 'image/avif', at: 4, mark: 'ftypavif' },
  { type: 'image/tiff', at: 0, mark: 'II*\0' },
  { type: 'image/tiff', at: 0, mark: 'MM\0*' },
  { type: 'image/bmp', at: 0, mark: 'BM' },
];

/** `sees`: the model takes pictures; undefined while nobody knows. */
export async function readGiven(file: File, sees: boolean | undefined): Promise<GivenFile> {
  const { name } = file;
  const refused = (why: Refusal): GivenFile => ({ kind: 'refused', name, why });
  if (file.size === 0) return refused('empty');
  const head = String.fromCharCode(...new Uint8Array(await file.slice(0, 64).arrayBuffer()));
  const type = imageMarks.find(({ at, mark }) => head.startsWith(mark, at))?.type;
  // Two letters are too few to tell a picture from a text that begins with them.
  if (type !== undefined && !(type === 'image/bmp' && file.type !== type)) {
    if (sees === false) return refused('blind');
    if (file.size > mostImageBytes) return refused('image-size');
    return { kind: 'image', name, type, bytes: new Blob([file], { type }) };
  }
  if (file.size > mostTextBytes * 2) return refused(head.includes('\0') ? 'binary' : 'text-size');
  const text = decoded(new Uint8Array(await file.arrayBuffer()));
  if (text === undefined) return refused('binary');
  return new TextEncoder().encode(text).length > mostTextBytes ? refused('text-size') : { kind: 'text', name, text };
}

/** UTF-8, or UTF-16 with its mark; undefined for what is no text. */
function decoded(bytes: Uint8Array): string | undefined {
  const [first, second] = bytes;
  const coding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  try {
    const text = new TextDecoder(coding, { fatal: true }).decode(bytes);
    return text.includes('\0') ? undefined : text;
  } catch {
    return undefined;
  }
}

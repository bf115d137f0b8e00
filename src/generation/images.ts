import { ServeError } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import {
  type ChatPrompt,
  type Content,
  type ContentPart,
  type GenerationRequest,
  type ImagePart,
  isImagePart,
} from '../contract/request.ts';
import type { PlacedImage } from './image-maker.ts';
import type { ModelRuntime } from './runtime.ts';

export interface ChatWithImages {
  /** Its image parts are numbers of `images`. */
  readonly chat: ChatPrompt;
  readonly images: readonly PlacedImage[];
  /** What the client should know although it gets its answer. */
  readonly warnings: readonly string[];
}

/**
 * Reads the images of a conversation before it is rendered. A model without eyes refuses them, but for those that come
 * out of tools: there a note stands for them, since nobody asked for them.
 */
export async function readChatImages(
  runtime: ModelRuntime,
  chat: ChatPrompt,
  request: GenerationRequest,
  signal: AbortSignal,
): Promise<ChatWithImages> {
  const images: PlacedImage[] = [];
  let noted = false;
  const place = async (part: ContentPart): Promise<ContentPart> => {
    if (part.type === 'text') return part;
    try {
      images.push(await readImage(runtime, part, request, signal));
    } catch (error) {
      signal.throwIfAborted();
      if (!part.orNote || !(error instanceof ServeError) || error.code !== 'invalid_request') throw error;
      return { type: 'text', text: `[this image cannot be read: ${error.message}]` };
    }
    return { type: 'image', source: { type: 'placed', index: images.length - 1 } };
  };
  const contentOf = async (content: Content, isResult: boolean): Promise<Content> => {
    if (typeof content === 'string' || !content.some(isImagePart)) return content;
    if (!runtime.images && isResult) {
      noted = true;
      return content.map((part) => (part.type === 'text' ? part : note));
    }
    const placed: ContentPart[] = [];
    for (const part of content) placed.push(await place(part));
    return placed;
  };
  const messages: ChatPrompt['messages'][number][] = [];
  for (const message of chat.messages) {
    const { content } = message;
    if (content === null) messages.push(message);
    else messages.push({ ...message, content: await contentOf(content, message.role === 'tool') });
  }
  return { chat: { ...chat, messages }, images, warnings: noted ? [notedWarning] : [] };
}

/** The same conversation with notes for the images that need not be shown; undefined: it has none. */
export function withoutSpareImages(chat: ChatPrompt): ChatPrompt | undefined {
  const isSpare = (part: ContentPart) => part.type === 'image' && part.orNote === true;
  const has = (content: Content | null) => Array.isArray(content) && content.some(isSpare);
  if (!chat.messages.some(({ content }) => has(content))) return undefined;
  const noteIn = (content: Content) =>
    typeof content === 'string' ? content : content.map((part) => (isSpare(part) ? note : part));
  const messages = chat.messages.map((message) => {
    const { content } = message;
    return content === null ? message : { ...message, content: noteIn(content) };
  });
  return { ...chat, messages };
}

export async function readImage(
  { images, profile }: ModelRuntime,
  part: ImagePart,
  { cacheScope = '', keys }: GenerationRequest,
  signal: AbortSignal,
): Promise<PlacedImage> {
  if (!images) throw cannotSee(profile, part);
  try {
    return await images.read(part, { owner: keys.owner ?? '', scope: cacheScope }, signal);
  } catch (error) {
    if (!(error instanceof ServeError) || part.param === undefined) throw error;
    throw new ServeError(error.code, error.message, { param: part.param, ...error.details }, { cause: error.cause });
  }
}

const notedWarning = 'a tool gave back an image, which this model cannot see: a note stands in its place';
const note = { type: 'text', text: '[an image, which this model cannot see]' } as const;

function cannotSee({ id }: Pick<ModelProfile, 'id'>, { param }: ImagePart): ServeError {
  return new ServeError(
    'invalid_request',
    `${id} reads text only: it has no projector (mmproj file) that would let it see images. Send text alone, or start the server with a model that sees, or with --mmproj FILE.`,
    param === undefined ? {} : { param },
  );
}

import { ServeError } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import {
  type ChatPrompt,
  type Content,
  type ContentPart,
  type GenerationRequest,
  isMediaPart,
  type MediaPart,
} from '../contract/request.ts';
import type { PlacedMedium } from './media-maker.ts';
import type { ModelRuntime } from './runtime.ts';

export interface ChatWithMedia {
  /** Its images and sounds are numbers of `media`. */
  readonly chat: ChatPrompt;
  readonly media: readonly PlacedMedium[];
  /** What the client should know although it gets its answer. */
  readonly warnings: readonly string[];
}

/**
 * Reads the images and sounds of a conversation before it is rendered. A model without eyes or ears refuses them, but for
 * those that come out of tools: there a note stands for them, since nobody asked for them.
 */
export async function readChatMedia(
  runtime: ModelRuntime,
  chat: ChatPrompt,
  request: GenerationRequest,
  signal: AbortSignal,
): Promise<ChatWithMedia> {
  const media: PlacedMedium[] = [];
  const noted = new Set<MediaPart['type']>();
  const place = async (part: ContentPart): Promise<ContentPart> => {
    if (part.type === 'text') return part;
    try {
      media.push(await readMedium(runtime, part, request, signal));
    } catch (error) {
      signal.throwIfAborted();
      if (!part.orNote || !(error instanceof ServeError) || error.code !== 'invalid_request') throw error;
      return { type: 'text', text: `[${of[part.type].medium} cannot be read: ${error.message}]` };
    }
    return { type: part.type, source: { type: 'placed', index: media.length - 1 } };
  };
  const contentOf = async (content: Content, isResult: boolean): Promise<Content> => {
    if (typeof content === 'string' || !content.some(isMediaPart)) return content;
    const placed: ContentPart[] = [];
    for (const part of content) {
      const isBeyond = isResult && part.type !== 'text' && !runtime.media?.takes(part.type);
      if (isBeyond) noted.add(part.type);
      placed.push(isBeyond ? noteFor(part) : await place(part));
    }
    return placed;
  };
  const messages: ChatPrompt['messages'][number][] = [];
  for (const message of chat.messages) {
    const { content } = message;
    if (content === null) messages.push(message);
    else messages.push({ ...message, content: await contentOf(content, message.role === 'tool') });
  }
  return { chat: { ...chat, messages }, media, warnings: [...noted].map((type) => of[type].warning) };
}

/** The same conversation with notes for the images and sounds that need not be shown; undefined: it has none. */
export function withoutSpareMedia(chat: ChatPrompt): ChatPrompt | undefined {
  const isSpare = (part: ContentPart): part is MediaPart => part.type !== 'text' && part.orNote === true;
  const has = (content: Content | null) => Array.isArray(content) && content.some(isSpare);
  if (!chat.messages.some(({ content }) => has(content))) return undefined;
  const noteIn = (content: Content) =>
    typeof content === 'string' ? content : content.map((part) => (isSpare(part) ? noteFor(part) : part));
  const messages = chat.messages.map((message) => {
    const { content } = message;
    return content === null ? message : { ...message, content: noteIn(content) };
  });
  return { ...chat, messages };
}

export async function readMedium(
  { media, profile }: ModelRuntime,
  part: MediaPart,
  { cacheScope = '', keys }: GenerationRequest,
  signal: AbortSignal,
): Promise<PlacedMedium> {
  if (!media?.takes(part.type)) throw cannotTake(profile, part, media !== undefined);
  try {
    return await media.read(part, { owner: keys.owner ?? '', scope: cacheScope }, signal);
  } catch (error) {
    if (!(error instanceof ServeError) || part.param === undefined) throw error;
    throw new ServeError(error.code, error.message, { param: part.param, ...error.details }, { cause: error.cause });
  }
}

const of = {
  image: {
    ...{ medium: 'this image', verb: 'see images', sees: 'sees' },
    warning: 'a tool gave back an image, which this model cannot see: a note stands in its place',
    note: '[an image, which this model cannot see]',
  },
  audio: {
    ...{ medium: 'this sound', verb: 'hear sounds', sees: 'hears' },
    warning: 'a tool gave back a sound, which this model cannot hear: a note stands in its place',
    note: '[a sound, which this model cannot hear]',
  },
} as const satisfies Record<MediaPart['type'], object>;

function noteFor({ type }: MediaPart): ContentPart {
  return { type: 'text', text: of[type].note };
}

function cannotTake({ id }: Pick<ModelProfile, 'id'>, { type, param }: MediaPart, takesOthers: boolean): ServeError {
  const { verb, sees } = of[type];
  const what = takesOthers
    ? `${id} cannot ${verb}: its projector (mmproj file) has no encoder for them.`
    : `${id} reads text only: it has no projector (mmproj file) that would let it ${verb}.`;
  return new ServeError(
    'invalid_request',
    `${what} Send text alone, or start the server with a model that ${sees}, or with --mmproj FILE.`,
    param === undefined ? {} : { param },
  );
}

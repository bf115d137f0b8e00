import type { AttachedImage, Message } from '../chats/message.ts';
import { type PromptOptions, wireMessages } from '../chats/request.ts';
import { imagesOf } from './files.ts';

export interface RequestBodyOptions {
  /** What goes along with every request: sampling, thinking, and the like. */
  readonly settings: () => Readonly<Record<string, unknown>>;
  readonly prompt: () => PromptOptions;
  readonly loadImages: (images: readonly AttachedImage[]) => Promise<void>;
}

/** What is asked for otherwise than the settings have it. */
export interface Asked {
  readonly model?: string | undefined;
  /** So many were asked for with the same words before. */
  readonly index?: number;
}

/** For /v1/chat/completions, as the settings are when it is called. */
export async function requestBody(
  { settings, prompt, loadImages }: RequestBodyOptions,
  path: readonly Message[],
  { model, index = 0 }: Asked = {},
): Promise<Readonly<Record<string, unknown>>> {
  await loadImages(imagesOf(path));
  const chosen = otherSeed(settings(), index);
  return { ...chosen, ...(model !== undefined && { model }), messages: wireMessages(path, prompt()) };
}

/** With one seed all answers to a question would be one. */
function otherSeed(settings: Readonly<Record<string, unknown>>, index: number): Readonly<Record<string, unknown>> {
  const { seed } = settings;
  return index > 0 && typeof seed === 'number' ? { ...settings, seed: seed + index } : settings;
}

import type { ApiClient } from '../api/client.ts';
import { member } from '../api/failure.ts';
import { isImage, type Message } from '../chats/message.ts';

/** What a prompt would take; of exactly the one that would be sent. */
export interface Price {
  readonly tokens: number;
  /** Of these are read already; an estimate. */
  readonly cached: number | undefined;
  readonly firstTokenMs: number | undefined;
}

const afterMs = 250;
/** Pictures go along with every count. */
const withImagesAfterMs = 1000;

/** So many milliseconds after the last change it is counted. */
export function countAfterMs(path: readonly Message[]): number {
  const hasImages = path.some((message) => message.role === 'user' && (message.files ?? []).some(isImage));
  return hasImages ? withImagesAfterMs : afterMs;
}

/** Of a request to `/v1/chat/completions`. Rejects with an `ApiFailure` where that would be refused. */
export async function priceOf(
  api: Pick<ApiClient, 'call'>,
  body: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): Promise<Price | undefined> {
  const answer = await api.call<unknown>('v1/chat/completions/input_tokens', { body, signal });
  const tokens = member(answer, 'input_tokens');
  const cached = member(answer, 'cached_tokens');
  const first = member(answer, 'first_token_ms');
  if (typeof tokens !== 'number') return undefined;
  return {
    tokens,
    cached: typeof cached === 'number' ? cached : undefined,
    firstTokenMs: typeof first === 'number' ? first : undefined,
  };
}

import { ServeError } from '../contract/errors.ts';
import type { GenerationEvent } from '../contract/events.ts';
import type { ChatPrompt, GenerationRequest, Prompt, RequestKeys } from '../contract/request.ts';
import { requestDefaults } from '../contract/request.ts';
import type { GenerationService } from '../contract/services.ts';

type ChatNeeds = Pick<ChatPrompt, 'type' | 'messages'>;
/** What the door alone may say: who asks, and what hangs on that. */
type OfTheDoor = 'prompt' | 'keys' | 'cacheSalt' | 'cacheScope' | 'serverTools' | 'resumable';

/** What `EmbeddedServer.generate` takes: a prompt, and what shall differ from the defaults of all APIs. */
export interface GenerateRequest extends Partial<Omit<GenerationRequest, OfTheDoor>> {
  /** A chat by its messages alone, `{type: 'chat', messages}`, or with what a chat has besides; or any other prompt. */
  readonly prompt: (ChatNeeds & Partial<Omit<ChatPrompt, 'type' | 'messages'>>) | Exclude<Prompt, ChatPrompt>;
  /** `cancelId` and `sessionId` mean what they mean in the APIs. */
  readonly keys?: Pick<RequestKeys, 'sessionId' | 'userHint' | 'cancelId'>;
}

const chatDefaults = {
  tools: [],
  toolChoice: { type: 'auto' },
  reasoning: {},
  templateVariables: {},
  continueFinalMessage: true,
} as const satisfies Omit<ChatPrompt, 'type' | 'messages'>;

/** The events of one answer. Whatever the signal's reason is, the work hears that its client has left. */
export async function* embeddedGenerate(
  generation: GenerationService,
  { prompt, ...more }: GenerateRequest,
  signal?: AbortSignal,
): AsyncGenerator<GenerationEvent, void, undefined> {
  const controller = new AbortController();
  const leave = () => controller.abort(new ServeError('client_closed', 'The signal of generate() was aborted.'));
  if (signal?.aborted) leave();
  signal?.addEventListener('abort', leave, { once: true });
  try {
    const whole = prompt.type === 'chat' ? { ...chatDefaults, ...prompt } : prompt;
    yield* generation.generate({ ...requestDefaults, ...more, prompt: whole }, controller.signal);
  } finally {
    signal?.removeEventListener('abort', leave);
  }
}

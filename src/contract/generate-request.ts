import type { ChatPrompt, GenerationRequest, Prompt, RequestKeys } from './request.ts';

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

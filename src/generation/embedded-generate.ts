import { ServeError } from '../contract/errors.ts';
import type { GenerationEvent } from '../contract/events.ts';
import type { GenerateRequest } from '../contract/generate-request.ts';
import { type ChatPrompt, requestDefaults } from '../contract/request.ts';
import type { GenerationService } from '../contract/services.ts';

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

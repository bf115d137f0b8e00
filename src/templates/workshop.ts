import type { ChatFormat, RenderedPrompt } from '../contract/chat-format.ts';
import type { ChatPrompt, OutputShape } from '../contract/request.ts';
import type { Capabilities } from '../prompt/capabilities.ts';
import type { ChatFormatReport, Task, TemplateFacts } from './protocol.ts';
import type { TemplatePool } from './template-pool.ts';

/** A model's prompts, made in another process. */
interface RemoteRenderer {
  readonly capabilities: Capabilities;
  /** As PromptRenderer.render. invalid_request also when the template does not end. */
  render(chat: ChatPrompt, answer?: OutputShape, signal?: AbortSignal): Promise<RenderedPrompt>;
}

export interface OpenedTemplates {
  readonly format: ChatFormat;
  readonly renderer: RemoteRenderer;
  /** Nobody renders with them any more. */
  close(): void;
}

/** Examines a model's templates and says how to render with them. Throws ServeError when they are of no use. */
export async function openTemplates(
  pool: TemplatePool,
  facts: TemplateFacts,
  signal: AbortSignal,
): Promise<OpenedTemplates> {
  const key = pool.newKey();
  const { format, capabilities } = await pool.run({ type: 'examine', key, facts }, signal);
  return {
    format,
    renderer: {
      capabilities,
      render: (chat, answer = { type: 'text' }, own) => pool.run({ type: 'render', key, chat, answer }, own),
    },
    close: () => pool.forget(key),
  };
}

/** For people: how the format of a model was found. */
export function explainTemplates(
  pool: TemplatePool,
  facts: Extract<Task, { type: 'explain' }>['facts'],
  signal?: AbortSignal,
): Promise<ChatFormatReport> {
  return pool.run({ type: 'explain', facts }, signal);
}

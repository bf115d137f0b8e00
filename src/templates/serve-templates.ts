import type { RenderedPrompt } from '../contract/chat-format.ts';
import { toWire } from '../contract/wire-error.ts';
import type { PromptRenderer } from '../prompt/renderer.ts';
import type {
  Answers,
  ChatFormatReport,
  Examined,
  FromTemplates,
  Task,
  TemplateFacts,
  ToTemplates,
} from './protocol.ts';

/** The workshops that the process runs; built by main. */
export interface TemplateWork {
  examine(facts: TemplateFacts): { readonly format: Examined['format']; readonly renderer: PromptRenderer };
  explain(facts: Extract<Task, { type: 'explain' }>['facts']): ChatFormatReport;
}

/** The process's end: returns what takes the server's messages. */
export function serveTemplates(work: TemplateWork, send: (message: FromTemplates) => void) {
  const renderers = new Map<string, PromptRenderer>();

  function answer(task: Task): Answers[Task['type']] {
    switch (task.type) {
      case 'examine': {
        const { format, renderer } = work.examine(task.facts);
        renderers.set(task.key, renderer);
        return { format, capabilities: renderer.capabilities };
      }
      case 'render':
        return render(renderers.get(task.key), task);
      case 'explain':
        return work.explain(task.facts);
      default:
        return task satisfies never;
    }
  }

  return (message: ToTemplates): void => {
    if ('forget' in message) {
      renderers.delete(message.forget);
      return;
    }
    try {
      send({ id: message.id, answer: answer(message.task) });
    } catch (error) {
      send({ id: message.id, error: toWire(error) });
    }
  };
}

function render(renderer: PromptRenderer | undefined, task: Extract<Task, { type: 'render' }>): RenderedPrompt {
  if (!renderer) throw new Error('These templates were not examined here.');
  return renderer.render(task.chat, task.answer);
}

import type { ChatFormat } from '../contract/chat-format.ts';
import type { TemplateShape } from './template-shape.ts';

/** What users may ask of this model, for the model status and for refusals. */
export interface Capabilities {
  readonly supportsTools: boolean;
  /** The template describes tools; otherwise they are described in the system text. */
  readonly describesTools: boolean;
  readonly supportsReasoning: boolean;
  /** How thinking is controlled; undefined: it cannot be. */
  readonly reasoningStyle: 'enable_thinking' | 'thinking' | 'reasoning_effort' | undefined;
  readonly canDisableThinking: boolean;
  readonly reasoningAlwaysOn: boolean;
  /** Thoughts of earlier turns can stay in the prompt. */
  readonly supportsPreserveThinking: boolean;
  readonly readsReasoningEffort: boolean;
}

export function capabilitiesOf(shape: TemplateShape, format: ChatFormat): Capabilities {
  const supportsReasoning = format.reasoning !== undefined;
  const canDisableThinking = supportsReasoning && shape.thinkingSwitch !== undefined;
  const byEffort = supportsReasoning && shape.readsEffort ? 'reasoning_effort' : undefined;
  return {
    supportsTools: format.toolCalls !== undefined,
    describesTools: shape.toolsVariable !== undefined,
    supportsReasoning,
    reasoningStyle: canDisableThinking ? shape.thinkingSwitch : byEffort,
    canDisableThinking,
    reasoningAlwaysOn: supportsReasoning && !canDisableThinking,
    supportsPreserveThinking: supportsReasoning && shape.preservesReasoning,
    readsReasoningEffort: shape.readsEffort,
  };
}

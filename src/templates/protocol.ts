import type { ChatFormat, RenderedPrompt } from '../contract/chat-format.ts';
import type { VocabularyFacts } from '../contract/model.ts';
import type { ChatPrompt, OutputShape } from '../contract/request.ts';
import type { WireError } from '../contract/wire-error.ts';
import type { Capabilities } from '../prompt/capabilities.ts';

/** What a model's prompts are made with. */
export interface TemplateFacts {
  /** Jinja text; undefined when the model has none. */
  readonly chatTemplate: string | undefined;
  readonly toolTemplate: string | undefined;
  /** Overrides the family that the template tells. */
  readonly chatFormat: string | undefined;
  readonly vocabulary: VocabularyFacts;
  /** Where llama.cpp's own engine for templates lies; undefined: the built-in one renders. */
  readonly libraryFolder: string | undefined;
}

/** What is found by rendering made-up turns. */
export interface Examined {
  readonly format: ChatFormat;
  readonly capabilities: Capabilities;
}

export interface ChatFormatReport {
  /** As `--chat-format` takes it, but for formats that were found in the template's own turns. */
  readonly name: string;
  /** How it was found, a part of a sentence. */
  readonly why: string;
  readonly thinks: boolean;
  readonly callsTools: boolean;
}

/** What the process does, one at a time; each is answered. `key` names facts that were examined before. */
export type Task =
  | { readonly type: 'examine'; readonly key: string; readonly facts: TemplateFacts }
  | { readonly type: 'render'; readonly key: string; readonly chat: ChatPrompt; readonly answer: OutputShape }
  | { readonly type: 'explain'; readonly facts: Omit<TemplateFacts, 'vocabulary' | 'libraryFolder'> };

export interface Answers {
  readonly examine: Examined;
  readonly render: RenderedPrompt;
  readonly explain: ChatFormatReport;
}

/** To the process, by structured clone. `forget`: nobody renders with these facts any more. */
export type ToTemplates = { readonly id: number; readonly task: Task } | { readonly forget: string };

export type FromTemplates =
  /** First of all. */
  | { readonly ready: true }
  | { readonly id: number; readonly answer: Answers[keyof Answers] }
  | { readonly id: number; readonly error: WireError };

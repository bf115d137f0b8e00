import type { ChatFormat, PromptOpening, RenderedPrompt } from '../contract/chat-format.ts';
import type { JsonObject } from '../contract/json.ts';
import type { VocabularyFacts } from '../contract/model.ts';
import type { ChatPrompt } from '../contract/request.ts';
import { type Capabilities, capabilitiesOf } from './capabilities.ts';
import { type CompileTemplate, jinjaCompiler, toRefusal } from './jinja.ts';
import { templateMessages } from './messages.ts';
import { findOpening } from './opening.ts';
import { preservation, probeTemplate } from './probe.ts';
import { createProtector, type Protection } from './protect.ts';
import { strftime } from './strftime.ts';

export interface PromptRendererOptions {
  /** Jinja text. */
  readonly template: string;
  /** Taken when tools are given, where the model has a separate one. */
  readonly toolTemplate?: string | undefined;
  readonly vocabulary: VocabularyFacts;
  readonly format: ChatFormat;
  readonly now: () => Date;
  /** A template engine; the default needs no native code. */
  readonly compile?: CompileTemplate | undefined;
}

export interface PromptRenderer {
  /** Throws ServeError invalid_request, in the template's own words where it refuses. */
  render(chat: ChatPrompt): RenderedPrompt;
  readonly capabilities: Capabilities;
}

/** Compiles and probes a model's template once; rendering is pure but for the date. */
export function createPromptRenderer(options: PromptRendererOptions): PromptRenderer {
  const plain = createTemplate(options, options.template);
  const withTools = options.toolTemplate === undefined ? plain : createTemplate(options, options.toolTemplate);
  const protector = createProtector([...options.vocabulary.controlTexts, ...options.format.visibleTokens]);
  return {
    capabilities: capabilitiesOf(withTools.shape, options.format),
    render(chat) {
      const offersTools = chat.tools.length > 0 && chat.toolChoice.type !== 'none';
      return renderChat(offersTools ? withTools : plain, chat, protector(JSON.stringify(chat)), options);
    },
  };
}

function createTemplate({ vocabulary, now, compile = jinjaCompiler(now) }: PromptRendererOptions, text: string) {
  const render = compile(text);
  const base = { bos_token: vocabulary.bosText, eos_token: vocabulary.eosText };
  return { render, base, shape: probeTemplate(text, render, base) };
}

type Template = ReturnType<typeof createTemplate>;

function renderChat(
  template: Template,
  chat: ChatPrompt,
  protection: Protection,
  { vocabulary, format, now }: PromptRendererOptions,
): RenderedPrompt {
  const last = chat.messages.at(-1);
  const continued =
    chat.continueFinalMessage && last?.role === 'assistant' && !last.toolCalls?.length ? last : undefined;
  const messages = templateMessages(continued ? chat.messages.slice(0, -1) : chat.messages, template.shape, protection);
  const variables = { ...template.base, messages, ...requestVariables(chat, template, protection, now()) };
  const render = (generation: boolean) =>
    withoutBos(attempt(template, generation ? { ...variables, add_generation_prompt: true } : variables), vocabulary);
  const rendered = render(true);
  const opening = findOpening(rendered, () => render(false), format, continued, protection);
  return {
    pieces: protection.split(rendered + opening.prefill),
    opening: withoutSeparators(opening.opening, protection),
  };
}

function attempt(template: Template, variables: JsonObject): string {
  try {
    return template.render(variables);
  } catch (thrown) {
    throw toRefusal(thrown);
  }
}

function withoutSeparators(opening: PromptOpening, protection: Protection): PromptOpening {
  return { ...opening, generationPrompt: protection.split(opening.generationPrompt).join('') };
}

/** The tokenizer writes it itself. */
function withoutBos(text: string, { addsBos, bosText }: VocabularyFacts): string {
  return addsBos && bosText !== '' && text.startsWith(bosText) ? text.slice(bosText.length) : text;
}

function requestVariables(chat: ChatPrompt, { shape }: Template, protection: Protection, now: Date): JsonObject {
  const { enabled, effort, budget } = chat.reasoning;
  const tools = chat.toolChoice.type === 'none' ? [] : chat.tools;
  const thinking = enabled ?? budget !== 0;
  return {
    ...(tools.length > 0 && { tools: tools.map(({ definition }) => protection.value(definition) ?? null) }),
    ...(chat.documents && { documents: protection.value(chat.documents) ?? null }),
    enable_thinking: thinking,
    ...(shape.thinkingSwitch === 'thinking' && { thinking }),
    ...(effort !== undefined && { reasoning_effort: effort, reasoning_strength: effort }),
    ...preservation(true),
    datetime: strftime(now, '%b %d %Y'),
    date_string: strftime(now, '%d %b %Y'),
    ...chat.templateVariables,
  };
}

import type { ChatFormat, CompileTemplate, RenderedPrompt } from '../contract/chat-format.ts';
import { ServeError } from '../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { VocabularyFacts } from '../contract/model.ts';
import { type ChatPrompt, isMediaPart, type OutputShape } from '../contract/request.ts';
import { adaptConversation } from './adapt.ts';
import { type Capabilities, capabilitiesOf } from './capabilities.ts';
import { effortAsVariables, effortsToTry } from './efforts.ts';
import { isRefusal, jinjaCompiler, toRefusal, withFallback } from './jinja.ts';
import { templateMessage } from './messages.ts';
import { closeOpenThought, continueMessage, openingOf } from './opening.ts';
import { createProtector, type Protection } from './protect.ts';
import { SpokenCalls } from './spoken-calls.ts';
import { asSpoken, spokenTurns } from './spoken-turns.ts';
import { strftime } from './strftime.ts';
import { appended, preservation, templateShape } from './template-shape.ts';
import { simpleTool, wholeTool } from './tool-definitions.ts';

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
  /**
   * Throws ServeError invalid_request, in the template's own words where it refuses. Templates that describe the form of
   * the answer get its JSON schema.
   */
  render(chat: ChatPrompt, answer?: OutputShape): RenderedPrompt;
  readonly capabilities: Capabilities;
}

/** Compiles and probes a model's template once; rendering is pure but for the date. */
export function createPromptRenderer(options: PromptRendererOptions): PromptRenderer {
  const plain = createTemplate(options, options.template);
  const withTools = options.toolTemplate === undefined ? plain : createTemplate(options, options.toolTemplate);
  const protector = createProtector([...options.vocabulary.controlTexts, ...options.format.visibleTokens]);
  return {
    capabilities: capabilitiesOf(withTools.shape, options.format),
    render(chat, answer = { type: 'text' }) {
      const template = offeredTools(chat).length > 0 ? withTools : plain;
      const protection = protector(JSON.stringify([chat, answer]));
      return new Rendering(template, { chat, answer }, protection, options).run();
    },
  };
}

function createTemplate({ vocabulary, now, compile }: PromptRendererOptions, text: string) {
  const own = jinjaCompiler(now);
  const renderText = compileOrRefuse(compile ? withFallback(compile, own) : own, text);
  const base = { bos_token: vocabulary.bosText, eos_token: vocabulary.eosText };
  const shape = templateShape(text, renderText, base);
  const narrow = readVariables(text);
  return { text, render: (variables: JsonObject) => renderText(narrow(variables)), base, shape };
}

/** Those that the template names: llama.cpp's engine copies all variables for every turn of a loop. */
function readVariables(template: string): (variables: JsonObject) => JsonObject {
  const named = new Map<string, boolean>();
  const isNamed = (name: string) => {
    const known = named.get(name) ?? template.includes(name);
    if (named.size < 256) named.set(name, known);
    return known;
  };
  return (variables) => Object.fromEntries(Object.entries(variables).filter(([name]) => isNamed(name)));
}

function compileOrRefuse(compile: CompileTemplate, template: string) {
  try {
    return compile(template);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw new ServeError(
      'invalid_request',
      `The chat template is no valid Jinja: ${reason} Give the server another one with --chat-template-file.`,
      {},
      { cause: thrown },
    );
  }
}

type Template = ReturnType<typeof createTemplate>;

function offeredTools(chat: ChatPrompt): ChatPrompt['tools'] {
  return chat.toolChoice.type === 'none' ? [] : chat.tools;
}

const asGiven = (definition: JsonObject) => definition;

interface Request {
  readonly chat: ChatPrompt;
  readonly answer: OutputShape;
}

/** One request's way through the template. */
class Rendering {
  readonly #template: Template;
  readonly #chat: ChatPrompt;
  readonly #answer: OutputShape;
  readonly #protection: Protection;
  readonly #options: PromptRendererOptions;
  readonly #spoken: SpokenCalls;
  #effort: string | undefined;

  constructor(template: Template, request: Request, protection: Protection, options: PromptRendererOptions) {
    this.#template = template;
    this.#chat = request.chat;
    this.#answer = request.answer;
    this.#protection = protection;
    this.#options = options;
    this.#spoken = new SpokenCalls(protection, options.format);
  }

  /** Templates that refuse the effort that was asked for get the nearest that they take. */
  run(): RenderedPrompt {
    const { effort: asked } = this.#chat.reasoning;
    if (asked === undefined) return this.#run(undefined, []);
    const refusals: unknown[] = [];
    for (const effort of effortsToTry(asked, this.#template.text)) {
      try {
        return this.#run(effort, effort === asked ? [] : [takenAs(asked, effort)]);
      } catch (refused) {
        // Others are refused as well, or for another reason, which the first refusal tells.
        refusals.push(refused);
      }
    }
    throw refusals[0];
  }

  #run(effort: string | undefined, warnings: readonly string[]): RenderedPrompt {
    this.#effort = effort;
    const { format } = this.#options;
    const { messages, continueFinalMessage } = this.#chat;
    const last = messages.at(-1);
    const isContinued = continueFinalMessage && last?.role === 'assistant' && !last.toolCalls?.length;
    const { rendered, variables } = this.#prompt(isContinued ? messages.slice(0, -1) : messages);
    const generationPrompt = this.#generationPrompt(rendered, variables);
    const { text, opening } = isContinued
      ? continueMessage(last, generationPrompt, format, this.#protection)
      : this.#begin(generationPrompt);
    const before = this.#asSpoken(rendered.slice(0, rendered.length - generationPrompt.length), generationPrompt);
    const shown = this.#protection.split(opening.generationPrompt).join('');
    const { pieces, media } = this.#protection.place(before + text);
    checkMedia(messages, media);
    const placed = media.length > 0 ? { media } : {};
    return { pieces, ...placed, opening: { ...opening, generationPrompt: shown }, warnings };
  }

  #asSpoken(before: string, generationPrompt: string): string {
    const { text, places } = this.#spoken.turnsIn(before);
    if (places.size === 0) return text;
    const { messages } = this.#chat;
    const begun = new Map([[messages.at(-1)?.role, generationPrompt]]);
    const turns = spokenTurns(messages, places).map((turn) => {
      const role = messages[turn.index - 1]?.role;
      const known = begun.get(role) ?? this.#generationPromptOf(messages.slice(0, turn.index));
      begun.set(role, known);
      return { ...turn, generationPrompt: known };
    });
    return asSpoken(text, turns, { format: this.#options.format, protection: this.#protection });
  }

  #generationPromptOf(messages: ChatPrompt['messages']): string {
    try {
      const { rendered, variables } = this.#prompt(messages);
      return this.#generationPrompt(rendered, variables);
    } catch {
      // Some templates refuse conversations that end so.
      return '';
    }
  }

  /** Templates that fail on the tools as they are get them once more in a form that every template can print. */
  #prompt(messages: ChatPrompt['messages']) {
    const attempt = (tools: JsonValue[]): { readonly rendered: string; readonly variables: JsonObject } => {
      const variables = this.#variables(messages, tools);
      const rendered = this.#spoken.write(this.#render({ ...variables, add_generation_prompt: true }));
      if (rendered !== undefined) return { rendered, variables };
      this.#spoken.giveUp();
      return attempt(tools);
    };
    const { wantsWholeTools } = this.#template.shape;
    try {
      return attempt(this.#tools(wantsWholeTools ? wholeTool : asGiven));
    } catch (thrown) {
      if (offeredTools(this.#chat).length === 0 || isRefusal(thrown)) throw toRefusal(thrown);
      try {
        return attempt(this.#tools(simpleTool));
      } catch {
        throw toRefusal(thrown);
      }
    }
  }

  /** A budget of 0 holds for templates that cannot switch thinking off, too. */
  #begin(generationPrompt: string) {
    const { format } = this.#options;
    if (this.#chat.reasoning.budget === 0) return closeOpenThought(generationPrompt, format);
    return { text: generationPrompt, opening: openingOf(generationPrompt, format) };
  }

  /** Most prompts end with one of those found by probing; only others are rendered a second time to compare. */
  #generationPrompt(rendered: string, variables: JsonObject): string {
    const { generationPrompts } = this.#template.shape;
    const known = generationPrompts?.find((text) => rendered.endsWith(text)) ?? (generationPrompts ? undefined : '');
    if (known !== undefined) return known;
    return appended(rendered, this.#withoutGeneration(variables), this.#options.vocabulary.eosText);
  }

  /** Some templates render only with a generation prompt: then none is known. */
  #withoutGeneration(variables: JsonObject): string {
    try {
      return this.#spoken.write(this.#render({ ...variables, add_generation_prompt: false })) ?? '';
    } catch {
      return '';
    }
  }

  #render(variables: JsonObject): string {
    return withoutBos(this.#template.render(variables), this.#options.vocabulary);
  }

  #variables(messages: ChatPrompt['messages'], tools: readonly JsonValue[]): JsonObject {
    const { shape, base } = this.#template;
    const { format, now } = this.#options;
    const context = { shape, format, protection: this.#protection, spoken: this.#spoken };
    const objects = messages.map((message, index) => templateMessage(message, index, context));
    return {
      ...base,
      messages: adaptConversation(objects, tools, shape, format),
      ...(tools.length > 0 && { tools, ...this.#otherTools(tools) }),
      ...(this.#chat.documents && { documents: this.#protection.value(this.#chat.documents) ?? null }),
      ...this.#responseFormat(),
      ...this.#reasoning(),
      ...preservation(true),
      datetime: strftime(now(), '%b %d %Y'),
      date_string: strftime(now(), '%d %b %Y'),
      ...this.#given(this.#chat.templateVariables),
    };
  }

  /** Variables of the request are user text like any other. */
  #given(variables: JsonObject): JsonObject {
    return Object.fromEntries(Object.entries(variables).map(([name, value]) => [name, this.#protection.value(value)]));
  }

  #tools(write: (definition: JsonObject) => JsonObject): JsonValue[] {
    return offeredTools(this.#chat).map(({ definition }) => this.#protection.value(write(definition)) ?? null);
  }

  /** The bare schema, as llama.cpp hands it over; any JSON is the schema without a condition. */
  #responseFormat(): JsonObject {
    const answer = this.#answer;
    if (!this.#template.shape.responseSchema || (answer.type !== 'json' && answer.type !== 'json-schema')) return {};
    const schema = answer.type === 'json-schema' ? answer.schema : {};
    return isJsonObject(schema) ? { response_format: this.#protection.value(schema) } : {};
  }

  /** Templates that look for the tools under another name. */
  #otherTools(tools: readonly JsonValue[]): JsonObject {
    const variable = this.#template.shape.toolsVariable;
    if (variable === 'functions') return { functions: JSON.stringify(tools) };
    return variable === 'xml_tools' ? { xml_tools: tools } : {};
  }

  /** Absent wishes leave the choice to the template, but that thinking models think. */
  #reasoning(): JsonObject {
    const { enabled, budget } = this.#chat.reasoning;
    const effort = this.#effort;
    const { reasoning } = this.#options.format;
    const asked = budget === 0 ? false : enabled;
    const thinking = asked ?? (reasoning !== undefined && !reasoning.onlyWhenAsked);
    return {
      enable_thinking: thinking,
      ...(this.#template.shape.thinkingSwitch === 'thinking' && asked !== undefined && { thinking }),
      ...(effort !== undefined && thinking && this.#given(effortAsVariables(effort))),
    };
  }
}

function takenAs(asked: string, effort: string): string {
  return `the reasoning effort ${JSON.stringify(asked.slice(0, 60))} was taken as ${JSON.stringify(effort)}`;
}

/** None may get lost, and none may stand twice: what a template does with the text of a message is its own matter. */
function checkMedia(messages: ChatPrompt['messages'], placed: readonly { readonly index: number }[]): void {
  const wanted = messages.flatMap(({ role, content }, at) =>
    Array.isArray(content) ? content.filter(isMediaPart).map((part) => ({ part, role, at })) : [],
  );
  const seen = new Set(placed.map(({ index }) => index));
  const lost = wanted.find(({ part: { source } }) => source.type !== 'placed' || !seen.has(source.index));
  if (!lost && placed.length === wanted.length) return;
  const { at, role } = lost ?? { at: 0, role: 'user' };
  throw new ServeError(
    'invalid_request',
    `The model's chat template does not show ${lost?.part.type === 'audio' ? 'sounds' : 'images'} where they stand in messages[${at}] (${role}). Put them into a message of the user.`,
    { param: `messages[${at}].content` },
  );
}

/** The tokenizer writes it itself. */
function withoutBos(text: string, { addsBos, bosText }: VocabularyFacts): string {
  return addsBos && bosText !== '' && text.startsWith(bosText) ? text.slice(bosText.length) : text;
}

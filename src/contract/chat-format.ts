import type { JsonObject } from './json.ts';

/**
 * How a model family writes its answers. One row of output's table per family; prompt, output and grammar read the same
 * row. Markers are literal text of the model's output, whitespace included; the machines accept any other
 * whitespace around them, a grammar writes them as they stand.
 */
export interface ChatFormat {
  readonly name: string;
  readonly layout: AnswerLayout;
  readonly reasoning: ReasoningMarkers | undefined;
  /** undefined: the family has no calls, everything is text. */
  readonly toolCalls: ToolCallFormat | undefined;
  /** Markers around the answer's text that are not shown (Cohere, Granite 3.3, Kimi K3). */
  readonly text?: { readonly open: string; readonly close: string };
  /** Further markers that are never shown, wherever they stand between blocks or in text. */
  readonly hidden?: readonly string[];
  /** Ends of turn that come spelled out as text. */
  readonly stopStrings: readonly string[];
  /** Control tokens that the machines must see as text; all others are hidden. */
  readonly visibleTokens: readonly string[];
}

/** What an answer consists of. */
type AnswerLayout = PlainLayout | MessageLayout | PartLayout;

/** Thought, text and calls one after the other. */
interface PlainLayout {
  readonly type: 'plain';
}

/** Messages, `start role head body end`, whose heads say whom they are for (gpt-oss, Muse). The prompt writes the first `start role`. */
export interface MessageLayout {
  readonly type: 'messages';
  readonly start: string;
  readonly role: string;
  /** Ends a head. */
  readonly message: string;
  /** What may end a message; the first where another one follows. */
  readonly ends: readonly [string, ...string[]];
  /** Markers inside heads, by the word that stands for them in the head's text (`channel=`). */
  readonly fields: Readonly<Record<string, string>>;
  /** As they are written, up to and with `message`. */
  readonly heads: {
    readonly thought: string;
    readonly text: string;
    /** Of a text in front of calls, where that has a head of its own. */
    readonly preamble?: string;
    /** Ways to write `open NAME nameEnd`. */
    readonly calls: readonly { readonly open: string; readonly nameEnd: string }[];
  };
  /** How the first head may begin besides its markers. */
  readonly beginnings: readonly string[];
  /** Whom a message is for by its `to=`: all others are tools. */
  readonly recipients: Readonly<Record<string, 'reasoning' | 'text' | 'nobody'>>;
  /** What a message without a recipient is, by its `channel=`: all others are text. */
  readonly channels: Readonly<Record<string, 'reasoning' | 'text'>>;
  /** Markers that a body that a grammar writes goes without. */
  readonly notInBodies: readonly string[];
}

/** Parts, `name nameEnd body`, with `separator` between them (Functionary 3.2). The prompt writes the first separator. */
export interface PartLayout {
  readonly type: 'parts';
  readonly separator: string;
  /** Between two calls. */
  readonly callSeparator: string;
  /** The name of a part that is text. */
  readonly textName: string;
  readonly nameEnd: string;
}

/** What stands between the bodies of two messages, up to the head of the second. */
export function nextMessage({ ends, start, role }: MessageLayout): string {
  return ends[0] + start + role;
}

export interface ReasoningMarkers {
  readonly open: string;
  readonly close: string;
  /** Further texts that end the reasoning without belonging to it (a call may end an unclosed thought). */
  readonly alsoEndedBy?: readonly string[];
  /** The opening marker is a token that is nothing else: it opens a thought also in the middle of a line. */
  readonly opensAnywhere?: boolean;
  /** The model thinks only when a request asks for it. */
  readonly onlyWhenAsked?: boolean;
  /** What the template writes between a thought and the answer, where that is more than `close`; see closingText. */
  readonly forcedClose?: string;
}

/** The text that ends an open thought; where nothing tells it, on lines of its own as its opening marker is. */
export function closingText({ open, close, forcedClose }: ReasoningMarkers): string {
  return forcedClose ?? (open.endsWith('\n') ? `\n${close.trim()}\n\n` : close);
}

/** The whitespace that the template writes between the marker that ends a thought and the answer's own text. */
export function spaceBehindThought(markers: ReasoningMarkers): string {
  const close = markers.close.trim();
  const closing = closingText(markers);
  return /^\s*/.exec(closing.slice(closing.indexOf(close) + close.length))?.[0] ?? '';
}

/**
 * An answer's calls: `section.open? call (separator call)* section.close?`, a call being `open ... close`. What stands
 * between open and close is the syntax's matter.
 */
interface CallFrame {
  readonly section?: { readonly open: string; readonly close: string };
  readonly open: string;
  readonly close: string;
  readonly separator: string;
  /** The family may make several calls in one answer. */
  readonly parallel: boolean;
}

/** `open {"name": N, "arguments": {...}} close`; with `array`, section.open and section.close contain the brackets. */
export interface JsonCalls extends CallFrame {
  readonly syntax: 'json';
  readonly array: boolean;
  readonly keys: { readonly name: string; readonly arguments: string; readonly id?: string };
  /** A marker that may stand in front of the object or of a Python call `name.call(key="text")` (Llama 3). */
  readonly pythonTag?: string;
  /** The object is `{"N": {arguments}}` (Apertus); keys are not used. */
  readonly nameIsKey?: boolean;
}

/** `open N nameEnd {json} close`; with an id `open N idOpen ID nameEnd {json} close` or `open ID idEnd N nameEnd ...`. */
export interface NamedJsonCalls extends CallFrame {
  readonly syntax: 'named-json';
  readonly nameEnd: string;
  /** Between name and id (Mistral Small 3.2: `[CALL_ID]`). */
  readonly idOpen?: string;
  /** Between id and name (Solar: `<|tool_call:name|>`). */
  readonly idEnd?: string;
  /** DeepSeek: what may stand in front of the name; where `open` ends with it, models leave it out all the same. */
  readonly kindOpen?: string;
  /** Kimi K2: the name is written `functions.N:INDEX`, and that text is the call's id. */
  readonly indexedName?: boolean;
}

/**
 * `open N nameEnd (parameter.open K keyEnd V parameter.close)* close`, parameters joined by `parameter.separator`.
 * Values are raw text where the tool's schema says string, else JSON. With `attribute`, it stands after the quote that
 * ends the key: `K" string="true">` (DSML: whether the value is raw text), `K" type="T"<|sep|>` (Kimi K3: the schema's type).
 */
export interface TaggedCalls extends CallFrame {
  readonly syntax: 'tagged';
  readonly nameEnd: string;
  readonly parameter: {
    readonly open: string;
    readonly keyEnd: string;
    readonly close: string;
    readonly separator: string;
    readonly attribute?: 'string' | 'type';
    /** A value may stand in `<![CDATA[...]]>` (MiniCPM5). */
    readonly cdata?: boolean;
  };
  /** Kimi K3: ` index="1"` stands after the quote that ends the name, counting the answer's calls. */
  readonly numbered?: boolean;
}

/** Gemma 4: `<|tool_call>call:N{key:<|"|>text<|"|>,n:3}<tool_call|>`: unquoted keys, strings between `quote`s. */
export interface DictCalls extends CallFrame {
  readonly syntax: 'dict';
  readonly quote: string;
}

/** LFM2: `open [name(key="text", n=3), other()] close`: Python literals. */
export interface PythonCalls extends CallFrame {
  readonly syntax: 'python';
}

/** MiniMax M3: every tag carries `namespace` before it; objects and arrays are nested tags. */
export interface NamespacedCalls extends CallFrame {
  readonly syntax: 'namespaced';
  readonly namespace: string;
}

/** The layout itself says who is called: the body is the arguments as JSON. */
interface AddressedCalls {
  readonly syntax: 'addressed';
  readonly parallel: boolean;
}

export type ToolCallFormat =
  | JsonCalls
  | NamedJsonCalls
  | TaggedCalls
  | DictCalls
  | PythonCalls
  | NamespacedCalls
  | AddressedCalls;

/** What a rendered prompt leaves open: where the model's text begins. */
export interface PromptOpening {
  readonly block: 'text' | 'reasoning';
  /** The end of the prompt that belongs to the answer (a `<think>` opened by the template, a prefill). */
  readonly generationPrompt: string;
  /** The model goes on in the middle of a text (prefill): leading whitespace belongs to it. */
  readonly continues?: boolean;
}

export interface RenderedPrompt {
  /** Pieces to be tokenized one by one, see TokenText.tokenize. */
  readonly pieces: readonly string[];
  /** Where the request's images and sounds stand, by their number: in front of the piece at `before`. In the order of the prompt. */
  readonly media?: readonly { readonly index: number; readonly before: number }[];
  readonly opening: PromptOpening;
  /** What the client should know although the prompt was made. */
  readonly warnings: readonly string[];
}

/** A compiled chat template. Throws whatever its engine throws. */
export type RenderTemplate = (variables: JsonObject) => string;
/** An engine for templates. */
export type CompileTemplate = (template: string) => RenderTemplate;

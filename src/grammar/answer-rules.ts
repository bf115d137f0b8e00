import {
  type ChatFormat,
  type MessageLayout,
  nextMessage,
  type PartLayout,
  type PromptOpening,
  spaceBehindThought,
} from '../contract/chat-format.ts';
import { callRules, callTriggers } from './call-rules.ts';
import { anyChar } from './gbnf/code-points.ts';
import { factored } from './gbnf/factored.ts';
import type { Expression } from './gbnf/gbnf.ts';
import { anyOf, chars, choice, optional, repeat, sequence, text } from './gbnf/gbnf.ts';
import type { Automaton } from './regex/automaton.ts';
import { intersect, notContaining } from './regex/automaton.ts';
import { parseRegex } from './regex/regex.ts';
import { regexAutomaton } from './regex/regex-automaton.ts';
import { automatonRules } from './schema/automaton-rules.ts';
import type { JsonRules } from './schema/json-rules.ts';
import type { CallableTool, ToolArguments } from './tool-arguments.ts';

/** What an answer may consist of besides thoughts. */
export interface AnswerParts {
  readonly format: ChatFormat;
  readonly opening: PromptOpening;
  /** The form of the answer's text: free, an expression, or (undefined) no text at all. */
  readonly content: 'free' | Expression | undefined;
  /** The form may begin with whitespace: what stands after a thought is written in one way, so that both stay apart. */
  readonly exactText: boolean;
  /** Calls that may be made; undefined: none, and their markers are kept out of free text. */
  readonly calls: { readonly tools: readonly CallableTool[]; readonly parallel: boolean } | undefined;
}

/**
 * The whole of what a model generates, from its first token on: an optional thought, then text or calls. Everything is
 * in one grammar so that nothing has to be switched on in the middle of a token.
 */
export function answerRules(parts: AnswerParts, args: ToolArguments): Expression {
  const { layout } = parts.format;
  switch (layout.type) {
    case 'plain':
      return new PlainAnswer(parts, args).whole();
    case 'messages':
      return messageAnswer(parts, layout, args);
    case 'parts':
      return partAnswer(parts, layout, args);
    default:
      return layout satisfies never;
  }
}

/** Line breaks and blanks that models put between the parts. */
function space(json: JsonRules): Expression {
  return json.book.define('space', repeat(anyOf('\n '), 0, 2));
}

/** Any text without these markers. */
function textWithout(json: JsonRules, markers: readonly string[]): Expression {
  if (markers.length === 0) return repeat(chars(anyChar), 0);
  const key = markers.join('\u0000');
  const automaton = textAutomata.get(key) ?? notContaining(markers);
  textAutomata.set(key, automaton);
  return automatonRules(json.book, automaton, 'raw', 'text');
}

/** Kept for good: the markers are those of the families. */
const textAutomata = new Map<string, Automaton>();

/** Thought, text and calls one after the other. */
class PlainAnswer {
  #parts: AnswerParts;
  #args: ToolArguments;
  #json: JsonRules;

  constructor(parts: AnswerParts, args: ToolArguments) {
    this.#parts = parts;
    this.#args = args;
    this.#json = args.json;
  }

  whole(): Expression {
    const { format, opening, content } = this.#parts;
    const { reasoning } = format;
    const body = this.#json.book.define('body', this.#body());
    if (!reasoning || opening.continues === true) return opening.block === 'text' ? body : this.#thought(body);
    if (opening.block === 'reasoning')
      return content === 'free' ? choice(this.#unfinished(), this.#thought(body)) : this.#thought(body);
    // A thought that the prompt has closed already is not begun again.
    const closed = opening.generationPrompt.includes(reasoning.close.trim());
    if (closed) return body;
    return choice(body, sequence(space(this.#json), text(reasoning.open.trim()), this.#thought(body)));
  }

  /** After the opening marker: the thought to its end, and what follows. */
  #thought(body: Expression): Expression {
    const { format, exactText } = this.#parts;
    const { reasoning } = format;
    if (!reasoning) return body;
    const close = reasoning.close.trim();
    const also = reasoning.alsoEndedBy ?? [];
    const thinking = textWithout(this.#json, [close, ...also]);
    const calls = this.#calls();
    const between = exactText ? text(spaceBehindThought(reasoning)) : space(this.#json);
    const after = sequence(text(close), between, body);
    return sequence(thinking, also.length > 0 && calls ? choice(after, calls) : after);
  }

  /** Free answers may also end within the thought. */
  #unfinished(): Expression {
    const { reasoning } = this.#parts.format;
    return textWithout(this.#json, [reasoning?.close.trim() ?? '', ...(reasoning?.alsoEndedBy ?? [])]);
  }

  #calls(): Expression | undefined {
    const { format, calls } = this.#parts;
    const { toolCalls } = format;
    if (!calls || !toolCalls || toolCalls.syntax === 'addressed') return undefined;
    return this.#json.book.define(
      'calls',
      callRules(toolCalls, calls.tools, { args: this.#args, parallel: calls.parallel }),
    );
  }

  #body(): Expression {
    const { content, format } = this.#parts;
    const calls = this.#calls();
    const last = calls && sequence(calls, optional(text('\n')));
    if (content === 'free') return this.#free(last);
    const wrapper = format.text;
    const value =
      content && sequence(optional(text(wrapper?.open ?? '')), content, optional(text(wrapper?.close ?? '')));
    // Within a prefilled answer no call begins.
    if (this.#parts.opening.continues === true && this.#parts.opening.block === 'text' && value) return value;
    // Nothing stands before the value: it would be part of the answer, which is then none of the form's texts.
    const call = last && sequence(space(this.#json), last);
    return choice(...[value, call].filter((each) => each !== undefined));
  }

  /** Text, in which an opening marker can only begin a whole call. */
  #free(calls: Expression | undefined): Expression {
    const { toolCalls } = this.#parts.format;
    const triggers = toolCalls && toolCalls.syntax !== 'addressed' ? callTriggers(toolCalls) : [];
    if (triggers.length > 0) return sequence(textWithout(this.#json, triggers), ...(calls ? [optional(calls)] : []));
    // Calls without a marker begin the answer with their brace, or with the tag of Python calls.
    const python = toolCalls?.syntax === 'json' ? (toolCalls.pythonTag ?? '') : '';
    const free = notContaining(python === '' ? [] : [python]);
    if (!calls) return automatonRules(this.#json.book, free, 'raw', 'text');
    const noBrace = intersect(free, regexAutomaton(parseRegex('^\\s*(?:[^\\s{]|$)'), 100), 1_000);
    return choice(automatonRules(this.#json.book, noBrace, 'raw', 'text'), calls);
  }
}

/** Messages: thoughts, and then the answer, or calls. */
function messageAnswer(parts: AnswerParts, layout: MessageLayout, args: ToolArguments): Expression {
  const { format, opening, content, calls } = parts;
  const { json } = args;
  const { heads } = layout;
  const inside = textWithout(json, layout.notInBodies);
  const next = text(nextMessage(layout));
  const final = content && sequence(text(heads.text), content === 'free' ? inside : content);
  const options = (calls?.tools ?? []).flatMap((tool) =>
    heads.calls.map(({ open, nameEnd }) =>
      sequence(text(open + tool.tool.name + nameEnd), callBody(tool, format.toolCalls, args)),
    ),
  );
  const many = calls?.parallel === true && format.toolCalls?.parallel === true;
  const last = factored(
    json.book,
    'last',
    [final, ...(many ? [repeated(options, next, json)] : options)].filter((each) => each !== undefined),
  );
  const thought = sequence(text(heads.thought), inside, next);
  const preamble = heads.preamble === undefined ? undefined : sequence(text(heads.preamble), inside, next);
  const before = repeat(content === 'free' && calls && preamble ? choice(thought, preamble) : thought, 0);
  const whole = sequence(before, last);
  return opening.block === 'reasoning' ? sequence(inside, next, whole) : whole;
}

/** What a message to a tool says: its arguments, or the family's markup for a call. */
function callBody(tool: CallableTool, toolCalls: ChatFormat['toolCalls'], args: ToolArguments): Expression {
  if (!toolCalls || toolCalls.syntax === 'addressed') return args.object(tool);
  return callRules(toolCalls, [tool], { args, parallel: false });
}

/** Parts: text, or calls, or text and then calls. */
function partAnswer({ content, calls }: AnswerParts, layout: PartLayout, args: ToolArguments): Expression {
  const { json } = args;
  const { separator, callSeparator, textName, nameEnd } = layout;
  const inside = textWithout(json, [separator]);
  const answer = content && sequence(text(textName + nameEnd), content === 'free' ? inside : content);
  const options = (calls?.tools ?? []).map((tool) => sequence(text(tool.tool.name + nameEnd), args.object(tool)));
  const called = calls?.parallel ? repeated(options, text(callSeparator), json) : once(options, json);
  const both = content === 'free' && answer && called ? sequence(answer, text(separator), called) : undefined;
  return choice(...[answer, called, both].filter((each) => each !== undefined));
}

/** One of these; undefined where there is none. */
function once(options: readonly Expression[], { book }: JsonRules): Expression | undefined {
  return options.length === 0 ? undefined : book.define('call', factored(book, 'call', options));
}

/** One of these, and more of them. */
function repeated(options: readonly Expression[], separator: Expression, json: JsonRules): Expression | undefined {
  const one = once(options, json);
  return one && sequence(one, repeat(sequence(separator, one), 0));
}

import type { ChatFormat, PromptOpening } from '../contract/chat-format.ts';
import { ServeError } from '../contract/errors.ts';
import type { JsonValue } from '../contract/json.ts';
import { type OutputShape, requiresCall, type Tool, type ToolChoice } from '../contract/request.ts';
import { answerRules } from './answer-rules.ts';
import { withoutEndlessRules } from './gbnf/cut-endless-rules.ts';
import type { Expression, Grammar } from './gbnf/gbnf.ts';
import { printGrammar, rule } from './gbnf/gbnf.ts';
import { checkGrammar } from './gbnf/gbnf-check.ts';
import { hoistCounts, prefixRules, shareBeginnings } from './gbnf/gbnf-rewrite.ts';
import { refuseTooManyReadings } from './gbnf/readings-count.ts';
import { restBehind } from './gbnf/rest-behind.ts';
import { readOneWay } from './one-way.ts';
import { JsonRules, jsonNotation, pythonNotation } from './schema/json-rules.ts';
import { fitsNothing, newBook, schemaRules } from './schema/json-schema.ts';
import type { RuleBook } from './schema/rule-book.ts';
import type { Loosened } from './schema/schema-compiler.ts';
import { argumentsSchema, type CallableTool, ToolArguments, type ToolLoosened } from './tool-arguments.ts';

/** Everything about a request that decides what form its answer must have. */
export interface ConstraintRequest {
  readonly format: ChatFormat;
  /** undefined: a raw completion, in which there are neither thoughts nor calls. */
  readonly opening: PromptOpening | undefined;
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice;
  readonly parallelToolCalls?: boolean | undefined;
  readonly outputShape: OutputShape;
  /** For tools that say nothing themselves: their arguments follow their schemas. */
  readonly strictTools: boolean;
}

/** The grammars of a constraint as data. */
export interface CountedGrammars {
  readonly whole: Grammar;
  readonly afterReasoning: Grammar | undefined;
}

export interface Constraint {
  /** GBNF that holds from the first generated token to the last; undefined: the model is free. */
  readonly grammar: string | undefined;
  /**
   * GBNF of what follows a thought that was ended from outside (a budget that injects the closing marker). To be
   * switched on with the token behind the injected ones. undefined: as `grammar`.
   */
  readonly afterReasoning: string | undefined;
  /** Where a client wrote the grammar: its open readings are to be counted while it runs, see ReadingsCount. */
  readonly counted?: CountedGrammars;
  readonly loosened: readonly (ToolLoosened | Loosened)[];
  /** Schemas that have to be checked afterwards: of the answer, and of arguments by tool name. */
  readonly checks: { readonly answer?: JsonValue; readonly tools: ReadonlyMap<string, JsonValue> };
}

const free: Constraint = {
  grammar: undefined,
  afterReasoning: undefined,
  loosened: [],
  checks: { tools: new Map() },
};

/**
 * What the grammar of an answer must be. Throws ServeError: invalid_request for schemas and grammars that are refused
 * and for tools that do not exist, unsupported_parameter where the family has no tool calls.
 */
export function constrain(request: ConstraintRequest): Constraint {
  const chosen = chosenTools(request);
  if (request.outputShape.type === 'text' && chosen.mode === 'free') return free;
  return write(request, chosen);
}

interface ChosenTools {
  /** `free`: nothing to enforce. `none`: calls are kept out. `may`: text or calls. `must`: calls only. */
  readonly mode: 'free' | 'none' | 'may' | 'must';
  readonly tools: readonly CallableTool[];
}

function chosenTools({ tools, toolChoice, strictTools, format, outputShape }: ConstraintRequest): ChosenTools {
  const names =
    toolChoice.type === 'function' ? [toolChoice.name] : toolChoice.type === 'allowed' ? toolChoice.names : undefined;
  for (const name of names ?? []) {
    if (tools.some((tool) => tool.name === name)) continue;
    const offered = tools.map((tool) => tool.name).join(', ') || 'none';
    throw new ServeError(
      'invalid_request',
      `tool_choice names the tool ${JSON.stringify(name)}, but the request offers: ${offered}.`,
      { param: 'tool_choice' },
    );
  }
  const callable = tools
    .filter((tool) => names === undefined || names.includes(tool.name))
    .map((tool) => ({ tool, strict: tool.strict ?? strictTools }));
  const must = requiresCall(toolChoice);
  if (must && tools.length === 0)
    throw new ServeError('invalid_request', 'tool_choice requires a tool call, but the request has no tools.', {
      param: 'tool_choice',
    });
  if (must && format.toolCalls === undefined)
    throw new ServeError(
      'unsupported_parameter',
      `The model's chat template has no tool calls, so tool_choice cannot require one; use "auto" or another model.`,
      { param: 'tool_choice' },
    );
  if (must) return { mode: 'must', tools: callable };
  if (tools.length === 0 || format.toolCalls === undefined) return { mode: 'free', tools: [] };
  if (toolChoice.type === 'none' || callable.length === 0) return { mode: 'none', tools: [] };
  // Without a strict tool or a choice among them, calls are left to the model and to the reader's patience.
  const constrained = names !== undefined || outputShape.type !== 'text' || callable.some(({ strict }) => strict);
  return { mode: constrained ? 'may' : 'free', tools: callable };
}

/** The field of a request that asks for the shape. */
const shapeParams: Readonly<Record<OutputShape['type'], string>> = {
  text: 'tools',
  json: 'response_format',
  'json-schema': 'response_format.json_schema.schema',
  grammar: 'grammar',
};

function write(request: ConstraintRequest, chosen: ChosenTools): Constraint {
  const { format, opening, outputShape } = request;
  const hasCalls = chosen.mode === 'must' || chosen.mode === 'may';
  // What is too large is nearly always the tools' where there are some.
  const param = hasCalls ? 'tools' : shapeParams[outputShape.type];
  const book = newBook(param);
  const json = new JsonRules(book);
  const asked = chosen.mode === 'must' ? undefined : shapeRules(json, outputShape);
  const content = asked && opening ? continued(json, asked, opening) : asked;
  const args = new ToolArguments(argumentRules(book, json, format));
  const calls = hasCalls ? { tools: chosen.tools, parallel: request.parallelToolCalls !== false } : undefined;
  const complete = (root: Expression | undefined): Grammar => {
    const grammar = root && withoutEndlessRules(together(book.grammar(root), content?.raw));
    if (!grammar) throw fitsNothing(param);
    return grammar;
  };
  const answer = (begin: PromptOpening) =>
    complete(
      answerRules({ format, opening: begin, content: content?.rules, exactText: isExact(outputShape), calls }, args),
    );
  const behind: PromptOpening = { block: 'text', generationPrompt: format.reasoning?.close ?? '' };
  const raw = content?.rules === 'free' ? undefined : content?.rules;
  const whole = opening ? answer(opening) : complete(raw);
  const afterReasoning = opening && format.reasoning ? answer(behind) : undefined;
  return {
    grammar: printGrammar(whole),
    afterReasoning: afterReasoning && printGrammar(afterReasoning),
    ...(content?.isCounted && { counted: { whole, afterReasoning } }),
    loosened: [...(content?.loosened ?? []), ...args.loosened],
    checks: checksOf(chosen, args.loosened, content, outputShape),
  };
}

/** Must an answer's text be shown to the last blank? What a client wrote itself may begin with some, JSON never does. */
export function isExact({ type }: OutputShape): boolean {
  return type === 'grammar';
}

function checksOf(
  { tools }: ChosenTools,
  loosened: readonly ToolLoosened[],
  content: ShapeRules | undefined,
  shape: OutputShape,
): Constraint['checks'] {
  const checked = tools.filter(({ tool }) => loosened.some((each) => each.tool === tool.name));
  const answer = content && content.loosened.length > 0 && shape.type === 'json-schema' ? shape.schema : undefined;
  return {
    tools: new Map(checked.map(({ tool }) => [tool.name, argumentsSchema(tool)])),
    ...(answer !== undefined && { answer }),
  };
}

/** Families that write arguments in their own notation. */
function argumentRules(book: RuleBook, json: JsonRules, { toolCalls }: ChatFormat): JsonRules {
  if (toolCalls?.syntax === 'python') return new JsonRules(book, pythonNotation);
  if (toolCalls?.syntax === 'dict')
    return new JsonRules(book, { ...jsonNotation, quote: toolCalls.quote, quotedKeys: false });
  return json;
}

interface ShapeRules {
  readonly rules: 'free' | Expression;
  readonly loosened: readonly Loosened[];
  /** Rules of a raw grammar, beside those of the book. */
  readonly raw?: Grammar;
  /** A client wrote them so that several readings may be open. */
  readonly isCounted?: boolean;
}

function together(own: Grammar, raw: Grammar | undefined): Grammar {
  return raw ? new Map([...own, ...raw]) : own;
}

/** A prefilled answer is not begun again: only what is missing behind it may follow. */
function continued(json: JsonRules, content: ShapeRules, opening: PromptOpening): ShapeRules {
  if (content.rules === 'free' || opening.block !== 'text' || opening.continues !== true) return content;
  const grammar = together(json.book.grammar(content.rules), content.raw);
  const rest = restBehind(grammar, opening.generationPrompt);
  return rest ? { ...content, rules: rule('rest-root'), raw: prefixRules(rest, 'rest-') } : content;
}

function shapeRules(json: JsonRules, shape: OutputShape): ShapeRules {
  switch (shape.type) {
    case 'text':
      return { rules: 'free', loosened: [] };
    case 'json':
      return { rules: json.object, loosened: [] };
    case 'json-schema':
      return schemaRules(shape.schema, json, shapeParams[shape.type]);
    case 'grammar': {
      const { grammar, isCertain } = readOneWay(checkGrammar(shape.grammar, shapeParams[shape.type]));
      const own = hoistCounts(shareBeginnings(grammar));
      if (!isCertain) refuseTooManyReadings(own);
      return { rules: rule('raw-root'), loosened: [], raw: prefixRules(own, 'raw-'), isCounted: !isCertain };
    }
    default:
      return shape satisfies never;
  }
}

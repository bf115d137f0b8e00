import { ServeError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { Message, ToolCall } from '../../contract/request.ts';
import type { AllowedCall } from '../../contract/server-tools.ts';
import { defined } from '../shared/defined.ts';
import { unpackReasoning } from '../shared/hidden-reasoning.ts';
import { pathName } from '../shared/validate.ts';
import { joinedText, messageContent, outputContent } from './content.ts';
import type { InputItem, ItemOf } from './items.ts';
import { type CallResult, callIdOf, Questions, resultOf } from './mcp-history.ts';
import { type McpItemOf, readMcpItem } from './mcp-items.ts';
import { qualifiedName } from './tool-directory.ts';
import { shownNames, toolSearchName } from './tool-search.ts';

type Warn = (warning: string) => void;

interface Turn {
  reasoning: string[];
  texts: string[];
  calls: ToolCall[];
  /** Of calls that the server ran, in their order. */
  results: CallResult[];
  /** Of the answer; undefined: it was not told. */
  round: number | undefined;
}

/**
 * Input items -> messages. OpenAI writes one item per reasoning, text and call; templates want them gathered in the
 * assistant's turn. A turn ends with the next item of anybody else, and where gathering would change the order.
 */
export class Conversation {
  readonly #messages: Message[] = [];
  readonly #warn: Warn;
  readonly #names = new Map<string, string>();
  readonly #questions = new Questions();
  readonly #listed = new Set<string>();
  readonly #withServers: boolean;
  #turn: Turn | undefined;

  /** `withServers`: items of tools that the server ran are known here. */
  constructor(warn: Warn, withServers: boolean) {
    this.#warn = warn;
    this.#withServers = withServers;
  }

  /** Calls that the client has allowed and nobody has run; the answer's messages are complete. */
  allowedCalls(): readonly AllowedCall[] {
    return this.#questions.allowed(this.messages());
  }

  /** Servers whose tools were listed already. */
  get listed(): ReadonlySet<string> {
    return this.#listed;
  }

  /** `at` is the item's place, for an error. */
  add(item: InputItem, at: readonly PropertyKey[]): void {
    const param = pathName(at);
    switch (item.kind) {
      case 'message':
        this.#addMessage(item, param);
        break;
      case 'reasoning':
        this.#addReasoning(item);
        break;
      case 'function-call':
        this.#addCall(item.call_id, qualifiedName(item.name, item.namespace), item.arguments);
        break;
      case 'custom-call': {
        const input = JSON.stringify({ input: item.input });
        this.#addCall(item.call_id, qualifiedName(item.name, item.namespace), input);
        break;
      }
      case 'built-in-call':
        this.#addBuiltInCall(item);
        break;
      case 'call-output':
        this.#addOutput(item, param);
        break;
      case 'more-tools':
        break;
      case 'search-call':
        if (item.call_id === undefined) this.#warn('Searches for tools that OpenAI made were skipped.');
        else this.#addCall(item.call_id, toolSearchName, argumentsText(item.arguments));
        break;
      case 'search-output':
        if (item.call_id !== undefined) this.#addFound(item.call_id, shownNames(item.tools));
        break;
      case 'reference':
        this.#addReference(item.id, param);
        break;
      case 'mcp':
        if (this.#withServers) this.#addOfServer(item, at);
        else this.#warnOfUnknown(item.type);
        break;
      case 'unknown':
        this.#warnOfUnknown(item.type);
        break;
      default:
        item satisfies never;
    }
  }

  #warnOfUnknown(type: string): void {
    this.#warn(`Input items of type ${type} are not known here and were skipped.`);
  }

  #addOfServer(wire: ItemOf<'mcp'>, at: readonly PropertyKey[]): void {
    const item = readMcpItem(wire, at);
    switch (item.type) {
      case 'mcp_list_tools':
        if (item.error === undefined || item.error === null) this.#listed.add(item.server_label);
        break;
      case 'mcp_call':
        this.#addRunCall(item);
        break;
      case 'mcp_approval_request':
        if (!this.#questions.has(item.id)) this.#addServerCall(item, this.#questions.add(item));
        break;
      case 'mcp_approval_response':
        this.#questions.decide(item, pathName(at));
        break;
      default:
        item satisfies never;
    }
  }

  #addRunCall(item: McpItemOf<'mcp_call'>): void {
    const content = resultOf(item);
    if (item.approval_request_id !== undefined && this.#questions.settle(item.approval_request_id, content)) return;
    this.#questions.forget();
    this.#addServerCall(item, { role: 'tool', toolCallId: callIdOf(item), content });
  }

  /** Calls of one turn stand together, before the results of all of them: so the model has read them. */
  #addServerCall(item: McpItemOf<'mcp_call' | 'mcp_approval_request'>, result: CallResult): void {
    const { round } = item;
    if (this.#turn && this.#turn.results.length > 0 && (round === undefined || this.#turn.round !== round))
      this.#endTurn();
    const turn = this.#open();
    turn.round = round;
    turn.calls.push({ id: callIdOf(item), name: item.name, arguments: item.arguments, server: item.server_label });
    turn.results.push(result);
  }

  messages(): readonly Message[] {
    this.#endTurn();
    return this.#messages;
  }

  #addMessage(item: ItemOf<'message'>, param: string): void {
    const content = messageContent(item.content, `${param}.content`);
    if (item.role !== 'assistant') {
      this.#endTurn();
      this.#messages.push({ role: item.role, content });
      return;
    }
    this.#endTurnOfText();
    this.#questions.forget();
    this.#open().texts.push(joinedText(item.content));
  }

  #addReasoning(item: ItemOf<'reasoning'>): void {
    const text = reasoningText(item);
    if (text === '') return;
    this.#endTurnOfText();
    this.#questions.forget();
    this.#open().reasoning.push(text);
  }

  #addCall(id: string, name: string, args: string): void {
    this.#names.set(id, name);
    this.#questions.forget();
    if (this.#turn && this.#turn.results.length > 0) this.#endTurn();
    this.#open().calls.push({ id, name, arguments: args });
  }

  #addBuiltInCall(item: ItemOf<'built-in-call'>): void {
    const name = item.type.replace(/_call$/, '');
    // The output of a local_shell_call names either of the two.
    if (item.id !== undefined) this.#names.set(item.id, name);
    this.#addCall(item.call_id ?? item.id ?? '', name, JSON.stringify(builtInArguments(item.raw)));
  }

  #addOutput(item: ItemOf<'call-output'>, param: string): void {
    const toolCallId = item.call_id ?? item.id;
    if (toolCallId === undefined)
      throw new ServeError('invalid_request', `\`${param}.call_id\` is missing: it names the call that was answered.`, {
        param: `${param}.call_id`,
      });
    this.#endTurn();
    const name = this.#names.get(toolCallId);
    this.#messages.push(
      defined({
        role: 'tool' as const,
        content: outputContent(item.output, `${param}.output`, this.#warn),
        toolCallId,
        name,
      }),
    );
  }

  /** The definitions are among the tools; the model is told that they are there now. */
  #addFound(toolCallId: string, names: readonly string[]): void {
    this.#endTurn();
    const content = names.length === 0 ? 'No tools were found.' : `These tools can be called now: ${names.join(', ')}`;
    this.#messages.push({ role: 'tool', content, toolCallId, name: toolSearchName });
  }

  /** A thought that nobody has any more is no loss beside its answer, which stands there; anything else would be. */
  #addReference(id: string, param: string): void {
    if (!id.startsWith('rs_')) throw notKept(id, param);
    this.#warn(`The reasoning item ${JSON.stringify(id.slice(0, 100))} is not kept here and was skipped.`);
  }

  /** After an unanswered call everything stays in its turn: templates want the tool's output right after the calls. */
  #endTurnOfText(): void {
    const { texts, calls, results } = this.#turn ?? { texts: [], calls: [], results: [] };
    if ((texts.length > 0 && calls.length === 0) || results.length > 0) this.#endTurn();
  }

  #open(): Turn {
    this.#turn ??= { reasoning: [], texts: [], calls: [], results: [], round: undefined };
    return this.#turn;
  }

  #endTurn(): void {
    const turn = this.#turn;
    if (turn === undefined) return;
    this.#turn = undefined;
    this.#messages.push(
      defined({
        role: 'assistant' as const,
        content: turn.texts.length === 0 ? null : turn.texts.join(''),
        reasoning: turn.reasoning.length === 0 ? undefined : turn.reasoning.join('\n\n'),
        toolCalls: turn.calls.length === 0 ? undefined : turn.calls,
      }),
      ...turn.results,
    );
  }
}

/** Raw text where there is one; else its summary; else what travelled packed. */
function reasoningText(item: ItemOf<'reasoning'>): string {
  const text = joinedText(item.content) || joinedText(item.summary);
  if (text !== '' || item.encrypted_content === undefined) return text;
  return unpackReasoning(item.encrypted_content) ?? '';
}

/** `action` of a shell call, `operation` of a patch. */
function builtInArguments(raw: JsonObject): JsonObject {
  if (isJsonObject(raw.action)) return raw.action;
  return isJsonObject(raw.operation) ? raw.operation : {};
}

/** An object, as OpenAI's API has it; some clients send back the text that a function call has. */
function argumentsText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? {});
}

function notKept(id: string, param: string): ServeError {
  return new ServeError(
    'invalid_request',
    `\`${param}\` refers to the item ${JSON.stringify(id)}, which is not kept here. Send the item itself (clients do with store: false), or start the server with --response-store memory.`,
    { param },
  );
}

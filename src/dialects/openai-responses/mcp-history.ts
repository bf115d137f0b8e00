import { ServeError } from '../../contract/errors.ts';
import type { Message } from '../../contract/request.ts';
import type { AllowedCall } from '../../contract/server-tools.ts';
import type { McpItemOf } from './mcp-items.ts';

/** What a call came to, as a message that may still change: decisions stand after the questions. */
export interface CallResult {
  readonly role: 'tool';
  readonly toolCallId: string;
  content: string;
}

interface Question {
  readonly item: McpItemOf<'mcp_approval_request'>;
  readonly result: CallResult;
  state: 'open' | 'allowed' | 'settled';
}

export function callIdOf({ call_id, id }: { readonly call_id?: string | undefined; readonly id: string }): string {
  return call_id ?? id;
}

/** The text that the model read of a call. */
export function resultOf({ output, error }: McpItemOf<'mcp_call'>): string {
  if (typeof output === 'string') return output;
  if (typeof error === 'string') return error;
  return error === undefined || error === null ? 'The result of this call is not kept.' : JSON.stringify(error);
}

/** Which calls the client was asked about, and what it said. */
export class Questions {
  readonly #byId = new Map<string, Question>();

  has(id: string): boolean {
    return this.#byId.has(id);
  }

  add(item: McpItemOf<'mcp_approval_request'>): CallResult {
    const content = 'This call was not run: nobody was there to allow it.';
    const result: CallResult = { role: 'tool', toolCallId: callIdOf(item), content };
    this.#byId.set(item.id, { item, result, state: 'open' });
    return result;
  }

  decide({ approval_request_id: id, approve, reason }: McpItemOf<'mcp_approval_response'>, param: string): void {
    const question = this.#byId.get(id);
    if (!question)
      throw new ServeError(
        'invalid_request',
        `\`${param}.approval_request_id\` is ${JSON.stringify(id)}, but there is no such mcp_approval_request before it. Send that item too, or \`previous_response_id\`.`,
        { param: `${param}.approval_request_id` },
      );
    if (question.state !== 'open') return;
    question.state = approve ? 'allowed' : 'settled';
    question.result.content = approve ? lost : `This call was not run: the user did not allow it.${because(reason)}`;
  }

  /** The call was run, in the answer after the decision. */
  settle(id: string, content: string): boolean {
    const question = this.#byId.get(id);
    if (!question) return false;
    question.state = 'settled';
    question.result.content = content;
    return true;
  }

  /** The model has spoken since: what was allowed before is over, whatever came of it. It is never run a second time. */
  forget(): void {
    for (const question of this.#byId.values()) if (question.state === 'allowed') question.state = 'settled';
  }

  /** Calls that are to be run now, with the places of their results. */
  allowed(messages: readonly Message[]): readonly AllowedCall[] {
    return [...this.#byId.values()].flatMap(({ item, result, state }) => {
      if (state !== 'allowed') return [];
      const { id: allowedBy, server_label: server, name, arguments: written } = item;
      const message = messages.indexOf(result);
      return [{ message, id: callIdOf(item), server, name, arguments: written, allowedBy }];
    });
  }
}

const lost = 'The result of this call is not kept.';

function because(reason: string | undefined): string {
  return reason ? ` ${reason}` : '';
}

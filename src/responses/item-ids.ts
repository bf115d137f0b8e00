import type { JsonObject } from '../contract/json.ts';
import type { AnswerContext } from '../dialects/dialect.ts';

/**
 * Items of a kept response carry the response's own id in theirs, so that an `item_reference` leads to its response
 * without an index: `msg_<response>_o1` is the second output item, `msg_<response>_i0` the first item of its input.
 */
export function withItemIds(answer: AnswerContext): AnswerContext {
  let next = 0;
  return { ...answer, newId: (prefix) => `${prefix}${answer.id}_o${next++}` };
}

export function ownerOf(itemId: string, idPrefix: string): string | undefined {
  const owner = /^[a-z]+_(.+)_[io]\d+$/.exec(itemId)?.[1];
  return owner === undefined ? undefined : idPrefix + owner;
}

const prefixes: Readonly<Record<string, string>> = {
  message: 'msg_',
  reasoning: 'rs_',
  function_call: 'fc_',
  custom_tool_call: 'ctc_',
  tool_search_call: 'tsc_',
  mcp_list_tools: 'mcpl_',
  mcp_call: 'mcp_',
  mcp_approval_request: 'mcpr_',
  mcp_approval_response: 'mcpa_',
};

/** A request's items as `input_items` lists them: each has an id, a type and a status, messages a list of parts. */
export function keptInput(input: readonly JsonObject[], answerId: string): JsonObject[] {
  return input.map((item, index) => {
    const type = typeof item.type === 'string' ? item.type : 'message';
    const id = typeof item.id === 'string' ? item.id : `${prefixes[type] ?? 'item_'}${answerId}_i${index}`;
    const listed = { status: 'completed', ...item, id, type };
    return type === 'message' ? { ...listed, content: parts(item) } : listed;
  });
}

function parts({ role, content }: JsonObject) {
  if (typeof content !== 'string') return content;
  return role === 'assistant'
    ? [{ type: 'output_text', text: content, annotations: [] }]
    : [{ type: 'input_text', text: content }];
}

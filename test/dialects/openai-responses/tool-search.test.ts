import { describe, expect, it } from 'vitest';
import type { ChatPrompt } from '../../../src/contract/request.ts';
import { parseResponses } from '../../../src/dialects/openai-responses/request.ts';
import { expectSame } from '../../support/same.ts';
import { finish, frames, generation } from './events.ts';
import { expectResponsesStream, wireEvents } from './stream-grammar.ts';

const parameters = { type: 'object', properties: { query: { type: 'string' } }, required: ['query'] };
const search = { type: 'tool_search', execution: 'client', description: 'Finds tools', parameters };
const shell = { type: 'function', name: 'shell', parameters: { type: 'object' } };
const deferred = { type: 'function', name: 'find_customer', defer_loading: true, parameters: { type: 'object' } };
const crm = { type: 'namespace', name: 'crm', description: 'Customers', tools: [deferred] };
const user = { role: 'user', content: 'Who is Ada?' };
const call = { type: 'tool_search_call', call_id: 's1', execution: 'client', arguments: { query: 'customers' } };
const found = { type: 'tool_search_output', call_id: 's1', execution: 'client', status: 'completed', tools: [crm] };

function chat(body: object): { prompt: ChatPrompt; warnings: readonly string[] } {
  const { generations, warnings } = parseResponses({ input: [user], ...body });
  const prompt = generations[0]?.prompt;
  if (prompt?.type !== 'chat') throw new Error('no chat');
  return { prompt, warnings };
}
const names = (body: object) => chat(body).prompt.tools.map(({ name }) => name);

describe('a search for tools that the client makes', () => {
  it('is offered as a function', () => {
    const { prompt, warnings } = chat({ tools: [search] });
    const facts = { name: 'tool_search', description: 'Finds tools', parameters };
    expectSame(prompt.tools, [{ ...facts, definition: { type: 'function', function: facts } }]);
    expect(warnings).toEqual([]);
    expect(chat({ tools: [{ type: 'tool_search', execution: 'client' }] }).prompt.tools).toMatchObject([
      { name: 'tool_search', description: expect.stringContaining('tools'), parameters },
    ]);
  });

  it('is called by an item of its own, whose arguments come whole', () => {
    const events = generation(
      [{ kind: 'tool-call', id: 'call_1', name: 'tool_search', pieces: ['{"query":', '"customers"}'] }],
      finish({ reason: 'tool-calls' }),
    );
    const wire = wireEvents(frames({ tools: [search] }, events));
    expect(wire.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.output_item.done',
      'response.completed',
    ]);
    const item = { type: 'tool_search_call', id: 'tsc_0', call_id: 'call_1', execution: 'client' };
    expect(wire[2]?.item).toEqual({ ...item, status: 'in_progress', arguments: {} });
    expect(expectResponsesStream(wire).output).toEqual([
      { ...item, status: 'completed', arguments: { query: 'customers' } },
    ]);
  });

  it('loses nothing of arguments that were cut', () => {
    const events = generation(
      [{ kind: 'tool-call', id: 'call_1', name: 'tool_search', pieces: ['{"que'] }],
      finish({ reason: 'length' }),
    );
    expect(expectResponsesStream(wireEvents(frames({ tools: [search] }, events))).output).toMatchObject([
      { type: 'tool_search_call', status: 'incomplete', arguments: '{"que' },
    ]);
  });

  it('brings tools that stand behind the others, and an answer that names them', () => {
    const { prompt } = chat({ tools: [shell, search], input: [user, call, found] });
    expect(prompt.tools.map(({ name }) => name)).toEqual(['shell', 'tool_search', 'crm__find_customer']);
    expect(prompt.messages.slice(1)).toEqual([
      {
        role: 'assistant',
        content: null,
        toolCalls: [{ id: 's1', name: 'tool_search', arguments: '{"query":"customers"}' }],
      },
      {
        role: 'tool',
        content: 'These tools can be called now: crm__find_customer',
        toolCallId: 's1',
        name: 'tool_search',
      },
    ]);
    expect(
      chat({ tools: [search], input: [user, call, { ...found, tools: [] }] }).prompt.messages.at(-1),
    ).toMatchObject({ role: 'tool', content: 'No tools were found.' });
  });

  it('keeps back what is to be found, unless it is chosen by name', () => {
    expect(names({ tools: [shell, search, deferred] })).toEqual(['shell', 'tool_search']);
    expect(names({ tools: [shell, search, crm] })).toEqual(['shell', 'tool_search']);
    const chosen = { type: 'function', name: 'find_customer' };
    expect(names({ tools: [search, deferred], tool_choice: chosen })).toEqual(['tool_search', 'find_customer']);
    const allowed = { type: 'allowed_tools', mode: 'auto', tools: [chosen, { type: 'tool_search' }] };
    expect(chat({ tools: [search, deferred], tool_choice: allowed }).prompt.toolChoice).toEqual({
      type: 'allowed',
      mode: 'auto',
      names: ['find_customer', 'tool_search'],
    });
    expect(chat({ tools: [search], tool_choice: { type: 'tool_search' } }).prompt.toolChoice).toEqual({
      type: 'function',
      name: 'tool_search',
    });
  });

  it('names the tool at fault by its place in the request', () => {
    expect(() => parseResponses({ input: 'x', tools: [search, deferred, { type: 'function' }] })).toThrow(
      expect.objectContaining({ details: { param: 'tools[2].name' } }),
    );
  });
});

it('a search that OpenAI would make is left out, and then nothing waits to be found', () => {
  const { prompt, warnings } = chat({ tools: [{ type: 'tool_search' }, deferred] });
  expect(prompt.tools.map(({ name }) => name)).toEqual(['find_customer']);
  expect(warnings).toEqual(['Tools of type "tool_search" run elsewhere and are not offered to the model.']);
  const hosted = { type: 'tool_search_call', call_id: null, execution: 'server', arguments: { paths: ['crm'] } };
  const loaded = { ...found, call_id: null, execution: 'server' };
  const replayed = chat({ tools: [shell], input: [user, hosted, loaded] });
  expect(replayed.prompt.tools.map(({ name }) => name)).toEqual(['shell', 'crm__find_customer']);
  expect(replayed.prompt.messages).toHaveLength(1);
  expect(replayed.warnings).toEqual(['Searches for tools that OpenAI made were skipped.']);
});

describe('a reference to an item that is not kept', () => {
  const input = (id: string) => ({ input: [user, { type: 'item_reference', id }] });

  it('is skipped where it is a thought', () => {
    const { prompt, warnings } = chat(input('rs_1'));
    expect(prompt.messages).toHaveLength(1);
    expect(warnings).toEqual(['The reasoning item "rs_1" is not kept here and was skipped.']);
  });

  it.each(['msg_1', 'fc_1', 'ctc_1', 'x'])('is refused where it is anything else: %s', (id) => {
    expect(() => parseResponses(input(id))).toThrow(
      expect.objectContaining({ code: 'invalid_request', details: { param: 'input[1]' } }),
    );
  });
});

import { describe, expect, it } from 'vitest';
import type { PromptOpening } from '../../src/contract/chat-format.ts';
import type { Message, ToolCall } from '../../src/contract/request.ts';
import { constrain } from '../../src/grammar/constraint.ts';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { GrammarWalker } from '../../src/grammar/gbnf/grammar-walker.ts';
import { detectChatFormat } from '../../src/output/detect-family.ts';
import { createPromptRenderer } from '../../src/prompt/renderer.ts';
import { lines, run, tool } from '../output/machine.ts';
import { chat, vocabulary } from '../prompt/chat.ts';
import { realTemplates } from '../support/llama-sources.ts';
import { compileTemplate } from '../support/native.ts';
import { referenceFlags } from './reference-flags.ts';

const tools = [
  tool('get_weather', { city: { type: 'string' }, days: { type: 'integer' } }),
  tool('write_file', { path: { type: 'string' }, content: { type: 'string' } }),
];
const user: Message = { role: 'user', content: 'Do it.' };
const calls = [
  { name: 'get_weather', arguments: '{"city":"Paris","days":3}' },
  { name: 'write_file', arguments: '{"path":"a/b.txt","content":"one\\n  \\"two\\" <three>\\n\\tfour"}' },
];

/** What a template makes of an assistant turn, and how a model's answer with that text would begin. */
function renderTurn(name: string, template: string) {
  const format = detectChatFormat(template);
  const now = () => new Date(0);
  const renderer = createPromptRenderer({ template, vocabulary, format, now, compile: compileTemplate });
  const several = referenceFlags[name]?.[0].includes('P') ?? true;
  const made: ToolCall[] = (several ? calls : calls.slice(0, 1)).map((call, index) => ({
    ...call,
    id: format.name === 'kimi-k2' ? `functions.${call.name}:${index}` : `abcdefgh${index}`,
  }));
  const turn: Message = { role: 'assistant', content: '', reasoning: 'I think so.', toolCalls: made };
  const before = renderer.render(chat([user], { tools }));
  const results = made.map(
    ({ id, name: called }): Message => ({ role: 'tool', content: 'Done.', toolCallId: id, name: called }),
  );
  const after = renderer.render(chat([user, turn, ...results], { tools })).pieces.join('');
  const opened = format.reasoning?.open.trim() ?? '';
  return { format, made, turn: split(before.pieces.join(''), after, before.opening, opened) };
}

/** The prompt may open a thought that the finished turn does not show: then the answer begins in front of it. */
function split(before: string, after: string, opening: PromptOpening, opened: string) {
  if (after.startsWith(before)) return { text: after.slice(before.length), opening };
  let same = 0;
  while (before[same] === after[same]) same++;
  const begin = opened === '' ? same : Math.min(same, before.lastIndexOf(opened));
  return { text: after.slice(begin), opening: { block: 'text', generationPrompt: '' } as const };
}

describe('a turn with tool calls', () => {
  it.each(realTemplates().map(({ name, text }) => [name, text] as const))(
    'of %s is read back as it was',
    (name, template) => {
      const { format, made, turn } = renderTurn(name, template);
      const found = lines(run({ format, tools, opening: turn.opening }, [turn.text])).filter((line) =>
        line.startsWith('call'),
      );
      const parsed = found.map((line) => {
        const [, id, called, args] = /^call (\S+) (\S+) ([\s\S]*)$/.exec(line) ?? [];
        return { id, name: called, arguments: JSON.parse((args ?? '').replaceAll('⏎', '\n')) };
      });
      expect(parsed.map(({ name, arguments: args }) => ({ name, arguments: args }))).toEqual(
        made.map((call) => ({ name: call.name, arguments: JSON.parse(call.arguments) })),
      );
      const ids = parsed.map(({ id }) => id).filter((id) => !id?.startsWith('call_'));
      expect(ids.every((id) => made.some((call) => call.id === id) || /^\d$/.test(id ?? ''))).toBe(true);
    },
  );

  it('of MiniMax M3 is what its grammar asks for', () => {
    const template = realTemplates().find(({ name }) => name === 'MiniMax-M3')?.text ?? '';
    const { format, turn } = renderTurn('MiniMax-M3', template);
    const { grammar } = constrain({
      format,
      opening: turn.opening,
      tools: tools.map((each) => ({ ...each, strict: true })),
      toolChoice: { type: 'required' },
      outputShape: { type: 'text' },
      strictTools: true,
    });
    const machine = new GrammarWalker(checkGrammar(grammar ?? ''));
    const end = turn.text.indexOf('</tool_call>') + '</tool_call>'.length;
    const text = turn.text.slice(0, end);
    expect([text, machine.accept(text), machine.complete]).toEqual([text, true, true]);
  });
});

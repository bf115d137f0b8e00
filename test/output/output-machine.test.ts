import { describe, expect, it } from 'vitest';
import { chatFormats, detectChatFormat } from '../../src/output/detect-family.ts';
import { inText, inThought, lines, machineFor, tool } from './machine.ts';

const hermes = detectChatFormat(undefined, 'hermes');
const thinking = Object.values(chatFormats).filter(({ reasoning }) => reasoning);

describe('an output machine', () => {
  it('shows a thought and a text token by token', () => {
    const machine = machineFor({ format: hermes, opening: inThought });
    expect(machine.push('Let')).toEqual([
      { type: 'block-start', index: 0, kind: 'reasoning' },
      { type: 'block-delta', index: 0, delta: 'Let' },
    ]);
    expect(machine.push(' me')).toEqual([{ type: 'block-delta', index: 0, delta: ' me' }]);
    expect(machine.push('</')).toEqual([]);
    expect(machine.push('think>')).toEqual([{ type: 'block-end', index: 0 }]);
    expect(machine.push('\n\n')).toEqual([]);
    expect(machine.push('Yes')).toEqual([
      { type: 'block-start', index: 1, kind: 'text' },
      { type: 'block-delta', index: 1, delta: 'Yes' },
    ]);
    expect(machine.end('complete')).toEqual([{ type: 'block-end', index: 1 }]);
  });

  it('shows a call as soon as its name is whole, and its arguments while they are written', () => {
    const machine = machineFor({ format: hermes, tools: [tool('note', { text: { type: 'string' } })] });
    expect(machine.push('<tool_call>\n{"name": "note')).toEqual([]);
    expect(machine.push('", "arguments": ')).toEqual([
      { type: 'block-start', index: 0, kind: 'tool-call', id: 'call_1', name: 'note' },
    ]);
    expect(machine.push('{"text')).toEqual([{ type: 'block-delta', index: 0, delta: '{"text' }]);
    expect(machine.push('": "a')).toEqual([{ type: 'block-delta', index: 0, delta: '": "a' }]);
  });

  it('shows a tagged string while it is written', () => {
    const format = detectChatFormat(undefined, 'qwen3-coder');
    const machine = machineFor({ format, tools: [tool('note', { text: { type: 'string' } })] });
    machine.push('<tool_call>\n<function=note>\n<parameter=text>\n');
    expect(machine.push('say "hi"')).toEqual([{ type: 'block-delta', index: 0, delta: 'say \\"hi\\"' }]);
    expect(machine.push('\n')).toEqual([]);
    expect(machine.push('there')).toEqual([{ type: 'block-delta', index: 0, delta: '\\nthere' }]);
  });

  it('tells where the text is', () => {
    const machine = machineFor({ format: hermes, opening: inThought, tools: [tool('note')] });
    const states = [machine.state];
    for (const piece of ['Hm', '</think>', '\n\nText', '\n<tool_call>', '\n{"name": "note"}', '\n</tool_call>']) {
      machine.push(piece);
      states.push(machine.state);
    }
    expect(states).toEqual(['reasoning', 'reasoning', 'text', 'text', 'tool-call', 'tool-call', 'text']);
  });

  it('gives no block for an empty answer, and an empty thought is none', () => {
    expect(machineFor({ format: hermes }).end('complete')).toEqual([]);
    const machine = machineFor({ format: hermes, opening: inThought });
    expect([...machine.push('\n</think>\n\n'), ...machine.end('complete')]).toEqual([]);
  });

  it('counts what it mended', () => {
    const machine = machineFor({ format: hermes, tools: [tool('note')] });
    machine.push('<tool_call>\n{"name": "note", "arguments": {"a": True,}}\n</tool_call>');
    machine.end('complete');
    expect(machine.repairs).toBe(2);
  });

  it('has nothing to close where the family does not think', () => {
    expect(machineFor({ format: detectChatFormat(undefined, 'plain') }).closeReasoning()).toBe('');
  });

  it.each(thinking.map((format) => [format.name, format] as const))(
    'ends a thought of %s with the text that it gives to inject',
    (_, format) => {
      const opening = { block: 'reasoning', generationPrompt: format.reasoning?.open ?? '' } as const;
      const machine = machineFor({ format, opening });
      const events = ['So it', machine.closeReasoning(), 'Yes.'].flatMap((piece) => machine.push(piece));
      expect(machine.state).toBe('text');
      const [thought, ...others] = lines([...events, ...machine.end('complete')]);
      expect(thought).toMatch(/^reasoning "So it/);
      expect(others).toEqual(['text "Yes."']);
    },
  );

  it('holds whitespace back that may separate blocks, but not much of it', () => {
    const machine = machineFor({ format: hermes, opening: { ...inText, continues: true } });
    machine.push('a');
    expect(machine.push(' '.repeat(100))).toEqual([{ type: 'block-delta', index: 0, delta: ' '.repeat(84) }]);
    expect(machine.push('b')).toEqual([{ type: 'block-delta', index: 0, delta: `${' '.repeat(16)}b` }]);
  });

  it('keeps whitespace that no model writes between blocks', () => {
    const machine = machineFor({ format: hermes, opening: inThought });
    const events = [...machine.push('Hm</think>\n\u00a0\u3000x'), ...machine.end('complete')];
    expect(lines(events)).toEqual(['reasoning "Hm"', 'text "\u00a0\u3000x"']);
  });

  it('takes only allowed tools for calls', () => {
    const toolChoice = { type: 'allowed', mode: 'auto', names: ['note'] } as const;
    const call = (name: string) => `<tool_call>\n{"name": "${name}"}\n</tool_call>`;
    const blocks = (name: string) => {
      const machine = machineFor({ format: hermes, tools: [tool('note'), tool('other')], toolChoice });
      return lines([...machine.push(call(name)), ...machine.end('complete')]);
    };
    expect(blocks('note')).toEqual(['call call_1 note {}']);
    expect(blocks('other')).toEqual([`text ${JSON.stringify(call('other'))}`]);
  });
});

import { describe, expect, it } from 'vitest';
import { beginnings, exchangesOf, proposeCut, rereadAfter, type Sized } from '../../src/ui/chats/exchanges.ts';
import type { Message } from '../../src/ui/chats/message.ts';
import { wireMessages } from '../../src/ui/chats/request.ts';
import { readEntry, writeEntry } from '../../src/ui/chats/wire-entries.ts';

const message = (id: string, role: Message['role'], more: Partial<Message> = {}): Message => {
  const base = { id, parent: null, time: 1, blocks: [{ kind: 'text', text: `says ${id}` } as const] };
  return role === 'user' ? { ...base, ...more, role } : { ...base, outcome: 'stop', ...more, role };
};
const path = [
  message('u1', 'user'),
  message('a1', 'assistant'),
  message('u2', 'user', { muted: true }),
  message('a2', 'assistant', { muted: true }),
  message('u3', 'user', { pinned: true, blocks: [], files: [{ name: 'a.txt', text: 'x' }] }),
];

describe('the parts of a context', () => {
  it('are what a person said with what came of it', () => {
    expect(exchangesOf(path)).toEqual([
      { ids: ['u1', 'a1'], title: 'says u1', muted: false, pinned: false, shortened: false },
      { ids: ['u2', 'a2'], title: 'says u2', muted: true, pinned: false, shortened: false },
      { ids: ['u3'], title: 'a.txt', muted: false, pinned: true, shortened: false },
    ]);
  });

  it('are not in a prompt when they are left out, and stay so where the chat is kept', () => {
    const wire = wireMessages(path, { systemPrompt: 'Be kind.', keepsThoughts: false, imageUrl: () => undefined });
    expect(wire.map(({ role, content }) => [role, content])).toEqual([
      ['system', 'Be kind.'],
      ['user', 'says u1'],
      ['assistant', 'says a1'],
      ['user', 'File "a.txt":\n```\nx\n```'],
    ]);
    expect(beginnings(wire).map((part) => part.length)).toEqual([1, 3, 4]);
    const [, , left] = path;
    if (!left) throw new Error('there is none');
    const entry = { entry_id: 'e', time: 1, type: 'edit', message: left } as const;
    expect(readEntry(JSON.parse(JSON.stringify(writeEntry(entry))))).toEqual([entry]);
  });

  const sized = (...tokens: (number | undefined)[]): Sized[] =>
    tokens.map((count, index) => ({
      ids: [`${index}`],
      title: '',
      muted: false,
      pinned: false,
      shortened: false,
      tokens: count,
    }));

  it('are proposed to go from the oldest on until there is room: none that is pinned, and never the last', () => {
    const names = (cut: readonly Sized[]) => cut.map(({ ids }) => ids[0]);
    expect(names(proposeCut(sized(30, 30, 30, 10), 100, 100))).toEqual(['0', '1']);
    expect(names(proposeCut(sized(10, 10), 50, 100))).toEqual([]);
    expect(names(proposeCut(sized(1, 99), 100, 100))).toEqual(['0']);
    const [first, ...rest] = sized(30, 30, 30, 10);
    if (!first) throw new Error('there is none');
    expect(names(proposeCut([{ ...first, pinned: true }, ...rest], 100, 100))).toEqual(['1', '2']);
    expect(names(proposeCut([{ ...first, muted: true, tokens: undefined }, ...rest], 70, 100))).toEqual(['1']);
  });

  it('cost the reading of all that follows when they change', () => {
    expect(rereadAfter(sized(5, undefined, 7, 9), 0)).toBe(16);
    expect(rereadAfter(sized(5, 6), 1)).toBe(0);
  });
});

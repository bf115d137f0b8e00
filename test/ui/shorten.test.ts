import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { writeChats } from '../../src/ui/chats/exchange/own.ts';
import { readChats } from '../../src/ui/chats/exchange/read-chats.ts';
import type { AssistantMessage, UserMessage } from '../../src/ui/chats/message.ts';
import { wireMessages } from '../../src/ui/chats/request.ts';
import { cutMiddle, proposedShort, shortened } from '../../src/ui/chats/shorten.ts';

const prompt = { systemPrompt: '', keepsThoughts: false, imageUrl: () => undefined };
const lines = (count: number, word: string) => Array.from({ length: count }, (_, at) => `${word} ${at}`).join('\n');
const question: UserMessage = {
  id: 'u',
  parent: null,
  role: 'user',
  time: 1,
  blocks: [{ kind: 'text', text: 'Sum this up.' }],
  files: [{ name: 'a.txt', text: lines(400, 'line') }],
};
const answer: AssistantMessage = {
  id: 'a',
  parent: 'u',
  role: 'assistant',
  time: 2,
  outcome: 'stop',
  blocks: [
    { kind: 'call', id: 'c', name: 'read', arguments: '{}', server: 's', result: { text: 'long', isError: false } },
    { kind: 'text', text: 'It has 400 lines.' },
  ],
};

describe('a text in a shorter form', () => {
  it('keeps its first and last lines whole, and says how much is missing', () => {
    const text = lines(400, 'line');
    const cut = cutMiddle(text);
    const [head = '', mark = '', tail = ''] = cut.split(/(\n\[… \d+ characters left out …\]\n)/);
    expect(text.startsWith(`${head}\n`)).toBe(true);
    expect(text.endsWith(`\n${tail}`)).toBe(true);
    expect(Number(/\d+/.exec(mark)?.[0])).toBe(text.length - head.length - tail.length);
    expect(cut.length).toBeLessThan(text.length / 3);
  });

  it('is never longer, never empty, and made of whole characters', () => {
    const texts = fc.string({ unit: fc.constantFrom('a', ' ', '\n', 'ü', '🦊', '。'), maxLength: 3000 });
    fc.assert(
      fc.property(texts, (text) => {
        const cut = cutMiddle(text);
        expect(cut.length).toBeLessThanOrEqual(text.length);
        expect(cut === '').toBe(text === '');
        // Of half a character this makes an error.
        expect(() => encodeURIComponent(cut)).not.toThrow();
      }),
    );
  });
});

describe('a turn in a shorter form', () => {
  it('is proposed where there is something to gain: long texts and files, and answers with calls', () => {
    expect(proposedShort(question)).toMatch(
      /^File "a.txt":\n```\nline 0\n[\s\S]* characters left out …\][\s\S]*Sum this up.$/,
    );
    expect(proposedShort(answer)).toBe('It has 400 lines.');
    expect(proposedShort({ ...answer, blocks: answer.blocks.slice(0, 1) })).toBe('[… calls of tools left out …]');
    const { files: _, ...plain } = question;
    expect(proposedShort(plain)).toBeUndefined();
  });

  it('stands in prompts in the place of its text, files, calls and results; pictures stay', () => {
    const image = { name: 'p.png', type: 'image/png', bytes: 3, sha256: 'ab' };
    const shorts = new Map([
      ['u', 'short question'],
      ['a', 'short answer'],
    ]);
    const path = shortened([{ ...question, files: [...(question.files ?? []), image] }, answer], shorts);
    expect(wireMessages(path, prompt)).toEqual([
      { role: 'user', content: 'File "p.png": a picture, which you cannot see.\n\nshort question' },
      { role: 'assistant', content: 'short answer' },
    ]);
    const [user] = wireMessages(path, { ...prompt, imageUrl: () => 'data:image/png;base64,eA==' });
    expect(user?.content).toEqual([
      { type: 'image_url', image_url: { url: 'data:image/png;base64,eA==' } },
      { type: 'text', text: 'short question' },
    ]);
    const whole = shortened(path, new Map([['u', undefined]]));
    expect(whole[0]).not.toHaveProperty('short');
    expect(whole[1]).toEqual(path[1]);
  });

  it('goes with its chat into a file and comes back, with the whole text; what is none is left out', () => {
    const short: UserMessage = { ...question, short: 'gist' };
    const written = writeChats([
      { id: 'chat-0001', entries: [{ entry_id: 'u', time: 1, type: 'message', message: short }] },
    ]);
    const [back] = readChats(written, () => 'id')[0]?.entries ?? [];
    expect(back).toMatchObject({ message: short });
    const [bad] = readChats(written.replace('"gist"', '{}'), () => 'id')[0]?.entries ?? [];
    expect(bad).toMatchObject({ message: question });
    expect(bad).not.toHaveProperty('message.short');
  });
});

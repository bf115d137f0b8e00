import { expect, it } from 'vitest';
import { beginAnswer, type Growing, grow } from '../../src/ui/chats/answer.ts';
import { readChunk } from '../../src/ui/chats/chunk.ts';
import { othersOf, spansOf } from '../../src/ui/chats/lens-spans.ts';
import { type AssistantMessage, textOf } from '../../src/ui/chats/message.ts';

const utf8 = (text: string) => [...new TextEncoder().encode(text)];

/** A token as the API has it, half as likely as the one before it in its list. */
function wire(bytes: readonly number[], halvings = 1) {
  return { token: new TextDecoder().decode(Uint8Array.from(bytes)), logprob: halvings * Math.log(0.5), bytes };
}

/** A chunk that says the text, with its tokens and what else could have stood for each. */
function chunk(content: string, tokens: readonly (readonly number[])[], others: readonly string[] = []) {
  const top_logprobs = others.map((other, index) => wire(utf8(other), index + 1));
  const logprobs = { content: tokens.map((bytes) => ({ ...wire(bytes), top_logprobs })) };
  return readChunk({ choices: [{ delta: { content }, logprobs }] });
}

const empty: AssistantMessage = { id: 'a', parent: 'q', role: 'assistant', time: 0, blocks: [] };

function grown(chunks: readonly ReturnType<typeof readChunk>[], from: Growing = beginAnswer(empty)): Growing {
  return chunks.reduce((growing, each) => grow(growing, each, { at: 0, contextSize: undefined }), from);
}

/** Each span with its probability in percent, or none. */
function shown({ message, tokens }: Growing, block = 0) {
  return spansOf(textOf(message), tokens, block).map(({ start, text, token }) => [
    start,
    text,
    token && Math.round(token.probability * 100),
  ]);
}

it('takes a text apart into its tokens, whatever came without any and whatever white space was lost', () => {
  const growing = grown([
    chunk('Hello', [utf8(' Hello')]),
    chunk(' wide', []),
    chunk(' world. Yes', [utf8(' world'), utf8('.'), utf8(' Yes')]),
    chunk('!', [utf8('?')]),
  ]);
  expect(shown(growing)).toEqual([
    [0, 'Hello', 50],
    [5, ' wide', undefined],
    [10, ' world', 50],
    [16, '.', 50],
    [17, ' Yes', 50],
    [21, '!', undefined],
  ]);
});

it('shows tokens that share a character as one, as likely as all of them together', () => {
  const [one, two] = [utf8(' 🎉').slice(0, 3), utf8(' 🎉').slice(3)];
  const growing = grown([chunk('Oh', [utf8('Oh')]), chunk(' 🎉!', [one, two, utf8('!')])]);
  expect(shown(growing)).toEqual([
    [0, 'Oh', 50],
    [2, ' 🎉', 25],
    [5, '!', 50],
  ]);
  expect(spansOf('Oh 🎉!', growing.tokens, 0).map(({ before }) => before)).toEqual([0, 1, 3]);
  const cut = grown([chunk(' \uFFFD', [one])]);
  expect(shown(cut)).toEqual([[0, ' \uFFFD', undefined]]);
});

it('goes on with an answer that was begun, and keeps the tokens of each text apart', () => {
  const begun = beginAnswer({ ...empty, blocks: [{ kind: 'text', text: 'Hel' }] });
  expect(shown(grown([chunk('lo', [utf8('lo')])], begun))).toEqual([
    [0, 'Hel', undefined],
    [3, 'lo', 50],
  ]);
  const thought = readChunk({ choices: [{ delta: { reasoning_content: 'Hm' } }] });
  const { message, tokens } = grown([chunk('One', [utf8('One')]), thought, chunk('Two', [utf8('Two')])]);
  expect(message.blocks.map(({ kind }) => kind)).toEqual(['text', 'thought', 'text']);
  expect(spansOf('Two', tokens, 2)).toMatchObject([{ text: 'Two', before: 1, token: { block: 2 } }]);
});

it('offers what can stand in a text instead: no half characters, no marks of the model', () => {
  const { tokens } = grown([chunk('Hi', [utf8('Hi')], ['Hi', 'Ho', '<|im_end|>', '</s>', '<b>', ''])]);
  const [first] = tokens;
  if (!first) throw new Error('there is no token');
  expect(othersOf(first).map(({ text, probability }) => [text, probability])).toEqual([
    ['Ho', 0.25],
    ['<b>', 0.5 ** 5],
  ]);
  const half = { ...first, top: [{ text: '\uFFFD', bytes: [240, 159], probability: 0.5 }] };
  expect(othersOf(half)).toEqual([]);
});

it('is not troubled by log probabilities of another form', () => {
  for (const logprobs of [null, 'much', { content: null }, { content: [] }])
    expect(readChunk({ choices: [{ delta: { content: 'a' }, logprobs }] }).tokens).toBeUndefined();
  expect(readChunk({ choices: [{ delta: {}, logprobs: { content: [null, { token: 'a' }] } }] }).tokens).toEqual([]);
});

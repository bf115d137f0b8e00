import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatEntry } from '../../src/ui/chats/entries.ts';
import { writeChats } from '../../src/ui/chats/exchange/own.ts';
import { readChats } from '../../src/ui/chats/exchange/read-chats.ts';
import type { Message } from '../../src/ui/chats/message.ts';
import { emptyChat, foldEntries, pathOf } from '../../src/ui/chats/tree.ts';

let ids = 0;
const newId = () => `made-${String(++ids).padStart(8, '0')}`;
const read = (file: unknown) => readChats(typeof file === 'string' ? file : JSON.stringify(file), newId);
const fold = (entries: readonly ChatEntry[]) => foldEntries(emptyChat('chat', 0), entries);
const textsOf = (entries: readonly ChatEntry[]) =>
  pathOf(fold(entries)).map(({ role, blocks }) => [
    role,
    ...blocks.map((block) => ('text' in block ? block.text : block)),
  ]);

describe('own files of chats', () => {
  it('come back as they went, whatever the tree is', () => {
    const tree = fc.array(fc.record({ parent: fc.nat(20), isUser: fc.boolean(), text: fc.string() }), { minLength: 1 });
    fc.assert(
      fc.property(tree, (nodes) => {
        const entries = nodes.map(({ parent, isUser, text }, index): ChatEntry => {
          const base = { id: `m${index}`, parent: index === 0 ? null : `m${parent % index}`, time: index };
          const blocks = text === '' ? [] : [{ kind: 'text', text } as const];
          const message: Message = isUser
            ? { ...base, role: 'user', blocks, files: [{ name: text, text }] }
            : { ...base, role: 'assistant', blocks: [{ kind: 'thought', text, ms: 5 }, ...blocks], outcome: 'length' };
          return { entry_id: base.id, time: index, type: 'message', message };
        });
        const title: ChatEntry = { entry_id: 't', time: 1, type: 'title', title: 'Of trees', by: 'person' };
        const settings: ChatEntry = {
          entry_id: 's',
          time: 2,
          type: 'settings',
          settings: { tools: { tools: ['a__b'] } },
        };
        const chats = [{ id: 'chat-0001', entries: [...entries, title, settings] }];
        const file = writeChats(chats);
        const back = read(file);
        expect(JSON.parse(writeChats(back))).toEqual(JSON.parse(file));
        const [was, is] = [chats, back].map(([chat]) => fold(chat?.entries ?? []));
        expect([is?.messages, is?.settings]).toEqual([was?.messages, settings.settings]);
      }),
      { numRuns: 50 },
    );
  });

  it.each([
    ['no JSON', 'hello'],
    ['another JSON', { a: 1 }],
    ['nothing', ''],
    ['a list', [1, null, 'x']],
    ['no chats', { format: 'serve-model.chats', chats: [{ chat_id: 'x', entries: [{}] }] }],
  ])('have nothing to take where there is %s', (_, file) => {
    expect(read(file)).toEqual([]);
  });
});

describe('a file that somebody made by hand', () => {
  const fileOf = (...entries: object[]) => ({
    format: 'serve-model.chats',
    version: 1,
    chats: [{ chat_id: 'chat-0001', entries: entries.map((entry, index) => ({ entry_id: `m${index}`, ...entry })) }],
  });
  const messageOf = (parent: unknown, more: object = {}) => ({
    type: 'message',
    parent,
    message: { role: 'user', content: 'Hello', ...more },
  });
  const entriesOf = (...entries: object[]) => read(fileOf(messageOf(null), ...entries))[0]?.entries ?? [];

  it.each([
    ['a message without a message', { type: 'message', parent: null, message: null }],
    ['a message below nothing that could be one', messageOf(7)],
    ['a title that is no text', { type: 'title', title: 5 }],
    ['a title without one', { type: 'title' }],
    ['a time that is none', { type: 'pin', pinned: true, time: 'now' }],
    ['a head that is none', { type: 'head', head: {} }],
    ['a list as an entry', []],
  ])('is taken without %s', (_, entry) => {
    expect(entriesOf(entry)).toHaveLength(1);
  });

  it('has no circles', () => {
    const chat = fold(entriesOf(messageOf('m2'), messageOf('m1'), messageOf('m3')));
    expect([...chat.messages.keys()].map((id) => pathOf(chat, id).map((message) => message.id))).toEqual([
      ['m0'],
      ['m1'],
      ['m1', 'm2'],
      ['m3'],
    ]);
  });

  it('shows of its messages what is a part of one', () => {
    const call = { kind: 'call', id: 'c', name: 'look', arguments: '{}' };
    const strange = {
      role: 'assistant',
      blocks: [null, 5, { kind: 'text' }, { kind: 'dance' }, { kind: 'text', text: 'Hi' }, { ...call, result: 'x' }],
      files: 'none',
      figures: { queueMs: 'long' },
      failure: 'yes',
      outcome: 'fine',
      model: 7,
      own: 'stays',
    };
    const [, entry] = entriesOf(messageOf('m0', strange));
    const figures = { queueMs: 0, promptMs: 0, promptPerSecond: 0, predictedMs: 0, predictedPerSecond: 0 };
    expect(entry).toMatchObject({
      message: {
        id: 'm1',
        role: 'assistant',
        blocks: [{ kind: 'text', text: 'Hi' }, call],
        figures: { ...figures, promptTokens: 0, cachedTokens: 0, answerTokens: 0, thoughtTokens: 0 },
        outcome: 'stop',
        own: 'stays',
      },
    });
    expect(entry).not.toHaveProperty('message.failure');
    expect(entry).not.toHaveProperty('message.model');
    const image = { name: 'c', type: 'image/png', bytes: 1, sha256: '../models' };
    const files = [null, { name: 'a' }, image, { name: 'b', text: 'x' }];
    expect(entriesOf(messageOf('m0', { files }))[1]).toMatchObject({ message: { files: [{ name: 'b', text: 'x' }] } });
  });
});

describe('files of llama.cpp', () => {
  const session = {
    type: 'session',
    harness: 'llama.cpp',
    id: 'c0ffee00-1',
    name: 'Fox',
    currNode: 'a2',
    lastModified: 9,
  };
  const message = (id: string, parent: string | null, more: object) => ({
    id,
    convId: 'c',
    parent,
    children: [],
    timestamp: 5,
    ...more,
  });
  const messages = [
    message('r', null, { type: 'root', role: 'system', content: '' }),
    message('s', 'r', { type: 'text', role: 'system', content: 'Be short.' }),
    message('u', 's', {
      type: 'text',
      role: 'user',
      content: 'Who?',
      extra: [{ type: 'TEXT', name: 'a.txt', content: 'file' }],
    }),
    message('a1', 'u', { type: 'text', role: 'assistant', content: 'One', reasoningContent: 'Hm' }),
    message('a2', 'u', {
      type: 'text',
      role: 'assistant',
      content: 'Two',
      model: 'qwen',
      toolCalls: [{ id: 'x', type: 'function', function: { name: 'f', arguments: '{}' } }],
    }),
    message('t', 'a2', { type: 'text', role: 'tool', content: 'result' }),
    message('a3', 't', { type: 'text', role: 'assistant', content: 'Three' }),
  ];
  const jsonl = [session, ...messages.map((each) => ({ type: 'message', message: each }))].map((line) =>
    JSON.stringify(line),
  );

  it.each([
    ['JSONL', `${jsonl.join('\n')}\n`],
    ['JSON', [{ conv: session, messages }]],
    ['JSON of one conversation', { conv: session, messages }],
  ])('are read: %s', (_, file) => {
    const [chat] = read(file);
    expect(chat?.id).toBe('c0ffee00-1');
    const tree = fold(chat?.entries ?? []);
    expect([tree.title, tree.head]).toEqual(['Fox', 'a2']);
    expect(textsOf(chat?.entries ?? [])).toEqual([
      ['user', 'Who?'],
      ['assistant', 'Two', { kind: 'call', id: 'x', name: 'f', arguments: '{}' }],
    ]);
    expect(tree.children.get('u')).toEqual(['a1', 'a2']);
    expect(tree.children.get('a2')).toEqual(['a3']);
    expect(tree.messages.get('u')).toMatchObject({ parent: null, files: [{ name: 'a.txt', text: 'file' }] });
    expect(tree.messages.get('a1')?.blocks[0]).toEqual({ kind: 'thought', text: 'Hm' });
  });

  it('may hold several sessions, and are the same chats when they are read again', () => {
    const other = jsonl.map((line) => line.replaceAll('c0ffee00-1', 'c0ffee00-2'));
    const file = [...jsonl, ...other].join('\n');
    expect(read(file).map(({ id }) => id)).toEqual(['c0ffee00-1', 'c0ffee00-2']);
    expect(writeChats(read(file))).toBe(writeChats(read(file)));
  });
});

it('reads files of Open WebUI, with their branches and thoughts', () => {
  const thought =
    '<details type="reasoning" done="true" duration="3">\n<summary>Thought for 3 seconds</summary>\n> one\n> two\n</details>\n';
  const messages = {
    u: { id: 'u', parentId: null, childrenIds: ['a', 'b'], role: 'user', content: 'Hello', timestamp: 1_700_000_000 },
    b: { id: 'b', parentId: 'u', role: 'assistant', content: `${thought}Answer`, model: 'm', timestamp: 1_700_000_001 },
    a: { id: 'a', parentId: 'u', role: 'assistant', content: 'Other', timestamp: 1_700_000_002 },
  };
  const row = { id: '0a0a0a0a-1', title: 'Greeting', pinned: true, chat: { history: { messages, currentId: 'b' } } };
  const [chat] = read([row]);
  const tree = fold(chat?.entries ?? []);
  expect([tree.title, tree.pinned, tree.head, tree.updatedAt]).toEqual(['Greeting', true, 'b', 1_700_000_002_000]);
  expect(pathOf(tree)[1]).toMatchObject({
    model: 'm',
    blocks: [
      { kind: 'thought', text: 'one\ntwo', ms: 3000 },
      { kind: 'text', text: 'Answer' },
    ],
  });
});

it('gives ids of its own where the server would not take those of the file, and keeps what hangs on them', () => {
  const messages = [
    { id: 'not an id', parent: null, type: 'text', role: 'user', content: 'One', timestamp: 1 },
    { id: 'x', parent: 'not an id', type: 'text', role: 'assistant', content: 'Two', timestamp: 2 },
  ];
  const [chat] = read([{ conv: { id: 'Über', name: '' }, messages }]);
  expect(chat?.id).toMatch(/^made-/);
  expect(textsOf(chat?.entries ?? [])).toEqual([
    ['user', 'One'],
    ['assistant', 'Two'],
  ]);
});

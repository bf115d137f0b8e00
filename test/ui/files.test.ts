import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromBase64, toBase64 } from '../../src/ui/chats/base64.ts';
import { writeChats } from '../../src/ui/chats/exchange/own.ts';
import { filesOfChats, readChats } from '../../src/ui/chats/exchange/read-chats.ts';
import type { AttachedFile, AttachedImage, UserMessage } from '../../src/ui/chats/message.ts';
import { mostImageBytes, mostTextBytes, readGiven } from '../../src/ui/chats/read-file.ts';
import { wireMessages } from '../../src/ui/chats/request.ts';
import { sha256 } from '../../src/ui/chats/sha256.ts';
import { readEntry, writeEntry } from '../../src/ui/chats/wire-entries.ts';

const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2]);
const image: AttachedImage = { name: 'cat.png', type: 'image/png', bytes: 10, sha256: 'ab'.repeat(32) };
const said = (text: string, ...files: AttachedFile[]): UserMessage => ({
  id: 'message-1',
  parent: null,
  role: 'user',
  time: 1,
  blocks: text === '' ? [] : [{ kind: 'text', text }],
  files,
});
const sent = (message: UserMessage, imageUrl: (image: AttachedImage) => string | undefined) =>
  wireMessages([message], { systemPrompt: '', keepsThoughts: false, imageUrl });

describe('files that somebody gives', () => {
  const given = (content: BlobPart, name: string, sees?: boolean, type = '') =>
    readGiven(new File([content], name, { type }), sees);

  it.each<[string, BlobPart, string | undefined]>([
    ['text', 'Grüße\n', 'Grüße\n'],
    ['code', 'const a = 1;', 'const a = 1;'],
    ['an SVG, which is text', '<svg/>', '<svg/>'],
    ['UTF-16', Uint8Array.from([0xff, 0xfe, 0x48, 0, 0x69, 0]), 'Hi'],
    ['UTF-16 the other way round', Uint8Array.from([0xfe, 0xff, 0, 0x48, 0, 0x69]), 'Hi'],
    ['text that begins as a bitmap would', 'BMW', 'BMW'],
    ['bytes that are no text', Uint8Array.from([0xc3, 0x28, 1]), undefined],
    ['text with a zero in it', 'a\0b', undefined],
  ])('are text where they are %s', async (_, content, text) => {
    expect(await given(content, 'file')).toEqual(
      text === undefined ? { kind: 'refused', name: 'file', why: 'binary' } : { kind: 'text', name: 'file', text },
    );
  });

  it('are pictures by what they begin with, whatever their name says', async () => {
    expect(await given(png, 'notes.txt')).toMatchObject({ kind: 'image', type: 'image/png', name: 'notes.txt' });
    const bmp = Uint8Array.from([0x42, 0x4d, 0, 0]);
    expect(await given(bmp, 'a.bmp', true, 'image/bmp')).toMatchObject({ kind: 'image', type: 'image/bmp' });
  });

  it('are refused with the reason: empty, too long, too large, or nothing that the model sees', async () => {
    const why = async (content: BlobPart, sees?: boolean) => {
      const found = await given(content, 'x', sees);
      return found.kind === 'refused' ? found.why : found.kind;
    };
    expect(await why('')).toBe('empty');
    expect(await why('a'.repeat(mostTextBytes))).toBe('text');
    expect(await why('a'.repeat(mostTextBytes + 1))).toBe('text-size');
    expect(await why('ä'.repeat(mostTextBytes / 2 + 1))).toBe('text-size');
    expect(await why('a'.repeat(mostTextBytes * 2 + 1))).toBe('text-size');
    const large = new Uint8Array(mostImageBytes + 1);
    expect(await why(large)).toBe('binary');
    large.set(png);
    expect(await why(large)).toBe('image-size');
    expect(await why(png, false)).toBe('blind');
    expect(await why(png, true)).toBe('image');
  });
});

describe('what the model reads of files', () => {
  it('is text in front of the message, in a fence that it cannot end', () => {
    const file = { name: 'a "b".md', text: 'before\n````\nafter' };
    expect(sent(said('Why?', file), () => undefined)).toEqual([
      { role: 'user', content: 'File "a \\"b\\".md":\n`````\nbefore\n````\nafter\n`````\n\nWhy?' },
    ]);
  });

  it('is the pictures, then the words; or that there is a picture which it cannot see', () => {
    const url = 'data:image/png;base64,AA==';
    const picture = { type: 'image_url', image_url: { url } };
    expect(sent(said('What?', image), () => url)[0]?.content).toEqual([picture, { type: 'text', text: 'What?' }]);
    expect(sent(said('', image), () => url)[0]?.content).toEqual([picture]);
    expect(sent(said('What?', image), () => undefined)[0]?.content).toBe(
      'File "cat.png": a picture, which you cannot see.\n\nWhat?',
    );
  });
});

describe('files that are kept', () => {
  it('are named by their SHA-256, also where the browser makes none', () => {
    for (const length of [0, 1, 55, 56, 63, 64, 65, 119, 120, 1000])
      expect(sha256(new Uint8Array(length).fill(length))).toBe(
        createHash('sha256').update(new Uint8Array(length).fill(length)).digest('hex'),
      );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(sha256(bytes)).toBe(createHash('sha256').update(bytes).digest('hex'));
      }),
    );
  });

  it('are told to the store, which lets go of what no message names', () => {
    const entry = { entry_id: 'message-1', time: 1, type: 'message', message: said('', image) } as const;
    const wire = JSON.parse(JSON.stringify(writeEntry(entry)));
    expect(wire).toMatchObject({ files: [image.sha256], message: { files: [image] } });
    expect(readEntry(wire)).toEqual([entry]);
  });

  it('go out with the chats and come back as they were', async () => {
    const text = await toBase64(new Blob([png]));
    const chats = [
      {
        id: 'chat-0001',
        entries: [{ entry_id: 'message-1', time: 1, type: 'message', message: said('', image) } as const],
      },
    ];
    const file = writeChats(chats, { [image.sha256]: text });
    expect(readChats(file, () => 'x')).toEqual(chats);
    const back = filesOfChats(file)[image.sha256] ?? '';
    expect(new Uint8Array(await fromBase64(back).arrayBuffer())).toEqual(png);
    expect(filesOfChats('{"format":"serve-model.chats","files":{"../x":"AA==","y":1}}')).toEqual({});
    expect(filesOfChats('nothing')).toEqual({});
  });

  it('are the same bytes after any detour by base64', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 0x9000 }), async (bytes) => {
        const text = await toBase64(new Blob([bytes.slice()]));
        expect(text).toBe(Buffer.from(bytes).toString('base64'));
        expect(new Uint8Array(await fromBase64(text).arrayBuffer())).toEqual(bytes);
      }),
      { numRuns: 20 },
    );
  });
});

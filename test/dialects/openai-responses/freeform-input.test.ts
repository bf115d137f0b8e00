import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FreeformInput } from '../../../src/dialects/openai-responses/freeform-input.ts';

function read(pieces: readonly string[]): { deltas: string[]; text: string } {
  const reader = new FreeformInput();
  const deltas = [...pieces.map((piece) => reader.push(piece)), reader.end()];
  return { deltas, text: deltas.join('') };
}

describe('the input of a free-form call', () => {
  it.each([
    ['plain text', '{"input":"abc"}', 'abc'],
    ['every escape of JSON', String.raw`{"input":"\"\\\/\b\f\n\r\tA"}`, '"\\/\b\f\n\r\tA'],
    ['a character of two escapes', '{"input":"\\ud83d\\ude00"}', '😀'],
    ['half a character followed by text', String.raw`{"input":"\ud83dx"}`, '\ud83dx'],
    ['half a character followed by another escape', String.raw`{"input":"\ud83d\n"}`, '\ud83d\n'],
    ['white space around everything', ' {\n "input" : "abc" }\n', 'abc'],
    ['further members behind the text', '{"input":"abc","more":1}', 'abc'],
    ['line breaks that should have been escaped', '{"input":"a\nb"}', 'a\nb'],
    ['escapes that JSON does not have', String.raw`{"input":"\d\u12x"}`, String.raw`\d\u12x`],
    ['a text that was cut off', '{"input":"abc', 'abc'],
    ['a text that was cut off inside an escape', String.raw`{"input":"abc\u00`, 'abc'],
    ['an empty text', '{"input":""}', ''],
    ['another name for the only member', '{"patch":"abc"}', 'abc'],
    ['members in another order', '{"a":"1","input":"abc"}', 'abc'],
    ['a bare JSON string', '"abc"', 'abc'],
    ['no JSON at all', '*** Begin Patch', '*** Begin Patch'],
    ['an object without a text', '{"input":5}', '{"input":5}'],
    ['nothing', '', ''],
  ])('reads %s, whole and character by character', (_, args, wanted) => {
    expect(read([args]).text).toBe(wanted);
    expect(read([...args]).text).toBe(wanted);
  });

  it('gives text out as soon as it is decided', () => {
    expect(read(['{"input":"a', 'b\\', 'nc', '\\ud83d', '\\ude00"', '}']).deltas).toEqual([
      'a',
      'b',
      '\nc',
      '',
      '😀',
      '',
      '',
    ]);
  });

  it('is the text that was written, however it was cut', () => {
    const text = fc.string({
      unit: fc.constantFrom('a', '"', '\\', '\n', 'u', 'é', '😀', '\ud83d', '\ude00'),
      maxLength: 30,
    });
    fc.assert(
      fc.property(text, fc.array(fc.nat(60)), fc.boolean(), (input, cuts, ascii) => {
        const written = ascii ? toAscii(JSON.stringify({ input })) : JSON.stringify({ input });
        const places = [0, ...cuts.filter((cut) => cut < written.length).sort((a, b) => a - b), written.length];
        expect(read(places.slice(1).map((end, index) => written.slice(places[index], end))).text).toBe(input);
      }),
    );
  });
});

function toAscii(json: string): string {
  return json.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

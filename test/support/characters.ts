import fc from 'fast-check';

const surrogates = { first: 0xd800, count: 0x800 };

/**
 * Any character, for `fc.string({ unit: anyCharacter })`: the very strings of `unit: 'binary'`, which makes a table of all
 * 1.1 million characters first and takes more than a second for it.
 */
export const anyCharacter: fc.Arbitrary<string> = fc
  .nat(0x10ffff - surrogates.count)
  .map((index) => String.fromCodePoint(index < surrogates.first ? index : index + surrogates.count), indexOf);

/** The way back, for shrinking. Throws, as fast-check wants it, for what is no character. */
function indexOf(value: unknown): number {
  const point = typeof value === 'string' ? value.codePointAt(0) : undefined;
  if (point === undefined || String.fromCodePoint(point) !== value) throw new Error('not one character');
  return point < surrogates.first ? point : point - surrogates.count;
}

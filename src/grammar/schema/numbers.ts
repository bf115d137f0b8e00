import type { Expression } from '../gbnf/gbnf.ts';
import { anyOf, chars, choice, optional, repeat, sequence, text } from '../gbnf/gbnf.ts';
import type { JsonRules } from './json-rules.ts';

/** Bounds of an integer, both included; undefined: none. */
export interface IntegerBounds {
  readonly min: bigint | undefined;
  readonly max: bigint | undefined;
}

/** What 64-bit integers need. */
const integerDigits = 19;

/** Integers within bounds, exactly. undefined: there is none. */
export function integerRange(json: JsonRules, { min, max }: IntegerBounds): Expression | undefined {
  if (min === undefined && max === undefined) return json.integer;
  if (min !== undefined && max !== undefined && min > max) return undefined;
  const options: Expression[] = [];
  if (min === undefined || min < 0n) {
    const largest = min === undefined ? undefined : -min;
    const smallest = max !== undefined && max < 0n ? -max : 1n;
    options.push(sequence(text('-'), naturals(json, smallest, largest, integerDigits)));
  }
  if (max === undefined || max >= 0n)
    options.push(naturals(json, min !== undefined && min > 0n ? min : 0n, max, integerDigits));
  return choice(...options);
}

/** Natural numbers from `low` to `high`; without an upper bound up to `most` digits, or one more than `low` has. */
function naturals(json: JsonRules, low: bigint, high: bigint | undefined, most: number): Expression {
  const first = low.toString();
  const last = (high ?? (first.length > 300 ? wholeNumber(Number.MAX_VALUE) : undefined))?.toString();
  const length = last?.length ?? Math.max(most, first.length + 1);
  const endless = last === undefined;
  const options = [sameLength(json, first, last?.length === first.length ? last : '9'.repeat(first.length))];
  // All lengths in between are one option: each by itself would be a reading of its own.
  const [shortest, longest] = [first.length + 1, endless ? length : length - 1];
  if (shortest <= longest) options.push(sequence(anyOf('1-9'), json.digits(shortest - 1, longest - 1)));
  if (!endless && length > first.length) options.push(sameLength(json, `1${'0'.repeat(length - 1)}`, last));
  return choice(...options);
}

/** Digit strings of one length, from `low` to `high` in order. */
function sameLength(json: JsonRules, low: string, high: string): Expression {
  if (low === high) return text(low);
  const [a, b] = [Number(low[0]), Number(high[0])];
  const [lows, highs] = [low.slice(1), high.slice(1)];
  const rest = lows.length;
  if (a === b) return sequence(text(`${a}`), sameLength(json, lows, highs));
  const wholeLow = /^0*$/.test(lows);
  const wholeHigh = /^9*$/.test(highs);
  const options: Expression[] = [];
  if (!wholeLow) {
    const least = broken(json, low, () => sameLength(json, lows, '9'.repeat(rest)));
    options.push(sequence(text(`${a}`), least));
  }
  const [from, to] = [wholeLow ? a : a + 1, wholeHigh ? b : b - 1];
  if (from <= to) options.push(sequence(digitBetween(from, to), repeat(json.digit, rest, rest)));
  if (!wholeHigh) {
    const most = broken(json, high, () => sameLength(json, '0'.repeat(rest), highs));
    options.push(sequence(text(`${b}`), most));
  }
  return choice(...options);
}

/** A rule of its own now and then: a bound may have 324 digits, and each stands in the brackets of the one before. */
function broken(json: JsonRules, digits: string, write: () => Expression): Expression {
  return digits.length % 16 === 0 ? json.book.define('digits', write()) : write();
}

/** A bound of a number that need not be whole. */
export interface Bound {
  readonly value: number;
  readonly exclusive: boolean;
}

/**
 * Numbers within bounds, as JSON.parse reads them: the text of a number outside can be nearer to the bound than any
 * double, and is then the bound. So texts are compared with the shortest spelling of the last double that fits: what
 * lies within in decimals lies within in doubles too, and the shortest spelling of every double that fits is offered.
 * Written without an exponent; with one only the unbounded sides of zero are offered. undefined: there is none.
 */
export function numberRange(json: JsonRules, min: Bound | undefined, max: Bound | undefined): Expression | undefined {
  if (!min && !max) return json.number;
  const low = min && included(min, Number.POSITIVE_INFINITY);
  const high = max && included(max, Number.NEGATIVE_INFINITY);
  if (low?.value === Number.POSITIVE_INFINITY || high?.value === Number.NEGATIVE_INFINITY) return undefined;
  if (low && high && (low.value > high.value || (low.value === high.value && (low.exclusive || high.exclusive))))
    return undefined;
  const options: Expression[] = [];
  if (!low || low.value < 0) {
    const nearest = high && high.value < 0 ? { value: -high.value, exclusive: false } : { value: 0, exclusive: true };
    options.push(sequence(text('-'), magnitudes(json, nearest, low && -low.value)));
  }
  if (!high || high.value > 0 || (high.value === 0 && !high.exclusive))
    options.push(magnitudes(json, low && low.value >= 0 ? low : { value: 0, exclusive: false }, high?.value));
  return options.length === 0 ? undefined : choice(...options);
}

/** Without the bound itself the next double is the bound; only zero stays excluded, as its neighbour is 324 digits long. */
function included({ value, exclusive }: Bound, direction: number): Bound {
  return exclusive && value !== 0 ? { value: nextDouble(value, direction), exclusive: false } : { value, exclusive };
}

/** The neighbour of a double that is not zero. */
export function nextDouble(value: number, direction: number): number {
  const bits = new DataView(new ArrayBuffer(8));
  bits.setFloat64(0, value);
  const away = direction > value === value > 0;
  bits.setBigInt64(0, bits.getBigInt64(0) + (away ? 1n : -1n));
  return bits.getFloat64(0);
}

/** Digits of a number without an exponent: beyond them JavaScript prints one. */
const wholeDigits = 21;
const smallest: Bound = { value: Number.MIN_VALUE, exclusive: false };

/** From `low`, of which only zero can be excluded, to `high`. */
function magnitudes(json: JsonRules, from: Bound, high: number | undefined): Expression {
  if (from.value === 0 && !from.exclusive && high === undefined) return json.magnitude;
  // With digits enough a number that is not zero is read as zero.
  const low = from.exclusive && high !== undefined && high < 1e-280 ? smallest : from;
  const [first, firstDigits] = decimal(low.value);
  const above = (min: bigint, max: bigint | undefined) =>
    min > (max ?? largestWhole)
      ? undefined
      : sequence(naturals(json, min, max, wholeDigits), optional(sequence(text('.'), json.digits(1, 25))));
  const least = sequence(text(`${first}`), fractionFrom(json, firstDigits, low.exclusive));
  if (high === undefined) return either(least, above(first + 1n, undefined));
  const [last, lastDigits] = decimal(high);
  if (first === last) return sequence(text(`${first}`), fractionBetween(json, firstDigits, lastDigits, low.exclusive));
  const to = sequence(text(`${last}`), fractionTo(json, lastDigits));
  return either(least, above(first + 1n, last - 1n), to);
}

/** `12.5` -> 12 and "5", of the shortest spelling; trailing zeros of the fraction are cut. */
function decimal(value: number): readonly [bigint, string] {
  const match = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  const [whole, fraction, exponent] = [match?.[1] ?? '0', match?.[2] ?? '', Number(match?.[3] ?? 0)];
  const digits = whole + fraction;
  const point = whole.length + exponent;
  const padded = digits.padEnd(point, '0').padStart(digits.length - Math.min(point, 0), '0');
  const cut = Math.max(point, 0);
  return [BigInt(padded.slice(0, cut) || '0'), padded.slice(cut).replace(/0+$/, '')];
}

/** A whole double as its shortest spelling reads, which is what programs write: 2 ** 69 ends in zeros. */
export function wholeNumber(value: number): bigint {
  const [whole] = decimal(Math.abs(value));
  return value < 0 ? -whole : whole;
}

const largestWhole = wholeNumber(Number.MAX_VALUE);

/** The smallest and the largest integer within bounds; infinite where there is no bound. */
export function wholeLimits({ min, max }: { readonly min: Bound | undefined; readonly max: Bound | undefined }) {
  // Beyond 2 ** 53 all doubles are whole, and one more may be the same double.
  const beyond = ({ value, exclusive }: Bound, direction: number) =>
    exclusive && Number.isInteger(value)
      ? Number.isSafeInteger(value)
        ? value + Math.sign(direction)
        : nextDouble(value, direction)
      : value;
  return {
    low: min ? Math.ceil(beyond(min, Number.POSITIVE_INFINITY)) : Number.NEGATIVE_INFINITY,
    high: max ? Math.floor(beyond(max, Number.NEGATIVE_INFINITY)) : Number.POSITIVE_INFINITY,
  };
}

/** `.digits` at least as large as `.bound`; nothing when that may be left out. */
function fractionFrom(json: JsonRules, bound: string, positive: boolean): Expression {
  if (bound === '' && !positive) return optional(sequence(text('.'), json.digits(1, 25)));
  return sequence(text('.'), digitsFrom(json, bound, positive));
}

function digitsFrom(json: JsonRules, bound: string, positive: boolean): Expression {
  if (bound === '') {
    const more = json.digits(0, 25);
    return positive ? sequence(repeat(text('0'), 0, 9), digitBetween(1, 9), more) : more;
  }
  const digit = Number(bound[0]);
  return either(
    sequence(
      text(`${digit}`),
      broken(json, bound, () => digitsFrom(json, bound.slice(1), positive)),
    ),
    digit < 9 ? sequence(digitBetween(digit + 1, 9), json.digits(0, 25)) : undefined,
  );
}

/** `.digits` at most as large as `.bound`, or nothing. */
function fractionTo(json: JsonRules, bound: string): Expression {
  return optional(sequence(text('.'), bound === '' ? repeat(text('0'), 1, 9) : digitsTo(json, bound)));
}

/** At least one digit. */
function digitsTo(json: JsonRules, bound: string): Expression {
  const digit = Number(bound[0]);
  return either(
    digit > 0 ? sequence(digitBetween(0, digit - 1), json.digits(0, 25)) : undefined,
    sequence(
      text(`${digit}`),
      broken(json, bound, () => restTo(json, bound.slice(1))),
    ),
  );
}

/** What may follow digits that are those of the bound so far. */
function restTo(json: JsonRules, bound: string): Expression {
  return bound === '' ? repeat(text('0'), 0, 9) : optional(digitsTo(json, bound));
}

function fractionBetween(json: JsonRules, low: string, high: string, positive: boolean): Expression {
  if (low === '' && !positive) return fractionTo(json, high);
  return sequence(text('.'), digitsBetween(json, low, high, positive));
}

/** `low` is at most `high`, and smaller where it is zero and must be `positive`. */
function digitsBetween(json: JsonRules, low: string, high: string, positive: boolean): Expression {
  // The lower bound is reached: the number may end here, or grow up to the upper one.
  if (low === '' && !positive) return restTo(json, high);
  const [a, b] = [Number(low[0] ?? 0), Number(high[0] ?? 0)];
  const [lows, highs] = [low.slice(1), high.slice(1)];
  if (a === b) return sequence(text(`${a}`), digitsBetween(json, lows, highs, positive));
  return either(
    sequence(text(`${a}`), digitsFrom(json, lows, positive)),
    a + 1 < b ? sequence(digitBetween(a + 1, b - 1), json.digits(0, 25)) : undefined,
    sequence(text(`${b}`), restTo(json, highs)),
  );
}

function either(...options: readonly (Expression | undefined)[]): Expression {
  return choice(...options.filter((option) => option !== undefined));
}

function digitBetween(low: number, high: number): Expression {
  return low === high ? text(`${low}`) : chars([[0x30 + low, 0x30 + high]]);
}

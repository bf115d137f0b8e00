import type { Expression } from './gbnf.ts';
import { anyOf, chars, choice, empty, optional, repeat, sequence, text } from './gbnf.ts';
import type { JsonRules } from './json.ts';

/** Bounds of an integer, both included; undefined: none. */
export interface IntegerBounds {
  readonly min: bigint | undefined;
  readonly max: bigint | undefined;
}

/** Integers within bounds, exactly. undefined: there is none. */
export function integerRange(json: JsonRules, { min, max }: IntegerBounds): Expression | undefined {
  if (min === undefined && max === undefined) return json.integer;
  if (min !== undefined && max !== undefined && min > max) return undefined;
  const options: Expression[] = [];
  if (min === undefined || min < 0n) {
    const largest = min === undefined ? undefined : -min;
    const smallest = max !== undefined && max < 0n ? -max : 1n;
    options.push(sequence(text('-'), naturals(json, smallest, largest)));
  }
  if (max === undefined || max >= 0n) options.push(naturals(json, min !== undefined && min > 0n ? min : 0n, max));
  return choice(...options);
}

/** Natural numbers from `low` to `high`; without an upper bound up to 19 digits, or those that `low` has. */
function naturals(json: JsonRules, low: bigint, high: bigint | undefined): Expression {
  const [first, last] = [low.toString(), high?.toString()];
  const length = last?.length ?? Math.max(19, first.length + 1);
  const options: Expression[] = [];
  for (let digits = first.length; digits <= length; digits++) {
    const from = digits === first.length ? first : `1${'0'.repeat(digits - 1)}`;
    const to = last !== undefined && digits === length ? last : '9'.repeat(digits);
    if (last === undefined && digits > first.length) {
      options.push(sequence(anyOf('1-9'), json.digits(digits - 1, length - 1)));
      break;
    }
    options.push(sameLength(json, from, to));
  }
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
  if (!wholeLow) options.push(sequence(text(`${a}`), sameLength(json, lows, '9'.repeat(rest))));
  const [from, to] = [wholeLow ? a : a + 1, wholeHigh ? b : b - 1];
  if (from <= to) options.push(sequence(digitBetween(from, to), repeat(json.digit, rest, rest)));
  if (!wholeHigh) options.push(sequence(text(`${b}`), sameLength(json, '0'.repeat(rest), highs)));
  return choice(...options);
}

/** A bound of a number that need not be whole. */
export interface Bound {
  readonly value: number;
  readonly exclusive: boolean;
}

/**
 * Numbers within bounds. Exact for numbers written without an exponent; with an exponent only the unbounded sides of
 * zero are offered. undefined: there is none.
 */
export function numberRange(json: JsonRules, min: Bound | undefined, max: Bound | undefined): Expression | undefined {
  if (!min && !max) return json.number;
  if (min && max && (min.value > max.value || (min.value === max.value && (min.exclusive || max.exclusive))))
    return undefined;
  const options: Expression[] = [];
  const negativeLow =
    max && max.value < 0 ? { value: -max.value, exclusive: max.exclusive } : { value: 0, exclusive: true };
  if (!min || min.value < 0) {
    const range = magnitudes(json, negativeLow, min && { value: -min.value, exclusive: min.exclusive });
    if (range) options.push(sequence(text('-'), range));
  }
  if (!max || max.value >= 0) {
    const range = magnitudes(json, min && min.value >= 0 ? min : { value: 0, exclusive: false }, max);
    if (range) options.push(range);
  }
  return options.length === 0 ? undefined : choice(...options);
}

function magnitudes(json: JsonRules, low: Bound, high: Bound | undefined): Expression | undefined {
  if (low.value === 0 && !low.exclusive && !high) return json.magnitude;
  const [first, firstDigits] = decimal(low.value);
  const from = fractionFrom(json, firstDigits, low.exclusive);
  const above = (min: bigint, max: bigint | undefined) =>
    max !== undefined && max < min
      ? undefined
      : sequence(naturals(json, min, max), optional(sequence(text('.'), json.digits(1, 25))));
  if (!high || high.value >= 1e21) return either(sequence(text(`${first}`), from), above(first + 1n, undefined));
  const [last, lastDigits] = decimal(high.value);
  if (first === last) {
    const inside = fractionBetween(json, firstDigits, lastDigits, { low: low.exclusive, high: high.exclusive });
    return inside && sequence(text(`${first}`), inside);
  }
  const to = fractionTo(json, lastDigits, high.exclusive);
  return either(sequence(text(`${first}`), from), above(first + 1n, last - 1n), to && sequence(text(`${last}`), to));
}

/** `12.5` -> 12 and "5"; trailing zeros of the fraction are cut. */
function decimal(value: number): readonly [bigint, string] {
  const match = /^(\d+)(?:\.(\d+))?(?:e([+-]\d+))?$/.exec(String(value));
  const [whole, fraction, exponent] = [match?.[1] ?? '0', match?.[2] ?? '', Number(match?.[3] ?? 0)];
  const digits = whole + fraction;
  const point = whole.length + exponent;
  const padded = digits.padEnd(point, '0').padStart(digits.length - Math.min(point, 0), '0');
  const cut = Math.max(point, 0);
  return [BigInt(padded.slice(0, cut) || '0'), padded.slice(cut).replace(/0+$/, '')];
}

/** `.digits` at least as large as `.bound`; nothing when that may be left out. */
function fractionFrom(json: JsonRules, bound: string, exclusive: boolean): Expression {
  if (bound === '' && !exclusive) return optional(sequence(text('.'), json.digits(1, 25)));
  return sequence(text('.'), digitsFrom(json, bound, exclusive));
}

function digitsFrom(json: JsonRules, bound: string, exclusive: boolean): Expression {
  if (bound === '') {
    const more = json.digits(0, 25);
    return exclusive ? sequence(repeat(text('0'), 0, 9), digitBetween(1, 9), more) : more;
  }
  const digit = Number(bound[0]);
  return either(
    sequence(text(`${digit}`), digitsFrom(json, bound.slice(1), exclusive)),
    digit < 9 ? sequence(digitBetween(digit + 1, 9), json.digits(0, 25)) : undefined,
  );
}

/** `.digits` at most as large as `.bound`. undefined: not even a whole number is. */
function fractionTo(json: JsonRules, bound: string, exclusive: boolean): Expression | undefined {
  if (bound === '' && exclusive) return undefined;
  const digits = bound === '' ? repeat(text('0'), 1, 9) : digitsTo(json, bound, exclusive);
  return digits && optional(sequence(text('.'), digits));
}

/** At least one digit. */
function digitsTo(json: JsonRules, bound: string, exclusive: boolean): Expression | undefined {
  const digit = Number(bound[0]);
  const rest = bound.slice(1);
  const equal =
    rest === '' ? (exclusive ? undefined : repeat(text('0'), 0, 9)) : maybe(digitsTo(json, rest, exclusive));
  return either(
    digit > 0 ? sequence(digitBetween(0, digit - 1), json.digits(0, 25)) : undefined,
    equal && sequence(text(`${digit}`), equal),
  );
}

function maybe(expression: Expression | undefined): Expression {
  return expression ? optional(expression) : empty;
}

function fractionBetween(
  json: JsonRules,
  low: string,
  high: string,
  exclusive: { readonly low: boolean; readonly high: boolean },
): Expression | undefined {
  if (low === '' && !exclusive.low) return fractionTo(json, high, exclusive.high);
  const digits = digitsBetween(json, low, high, exclusive);
  return digits && sequence(text('.'), digits);
}

function digitsBetween(
  json: JsonRules,
  low: string,
  high: string,
  exclusive: { readonly low: boolean; readonly high: boolean },
): Expression | undefined {
  if (high === '') return exclusive.low || exclusive.high ? undefined : repeat(text('0'), 0, 9);
  // The lower bound is reached: the number may end here, or grow up to the upper one.
  if (low === '' && !exclusive.low) return maybe(digitsTo(json, high, exclusive.high));
  const [a, b] = [Number(low[0] ?? 0), Number(high[0] ?? 0)];
  const [lows, highs] = [low.slice(1), high.slice(1)];
  if (a === b) {
    const rest = digitsBetween(json, lows, highs, exclusive);
    return rest && sequence(text(`${a}`), rest);
  }
  const upTo =
    highs === ''
      ? exclusive.high
        ? undefined
        : repeat(text('0'), 0, 9)
      : maybe(digitsTo(json, highs, exclusive.high));
  return either(
    sequence(text(`${a}`), digitsFrom(json, lows, exclusive.low)),
    a + 1 < b ? sequence(digitBetween(a + 1, b - 1), json.digits(0, 25)) : undefined,
    upTo && sequence(text(`${b}`), upTo),
  );
}

function either(...options: readonly (Expression | undefined)[]): Expression {
  return choice(...options.filter((option) => option !== undefined));
}

function digitBetween(low: number, high: number): Expression {
  return low === high ? text(`${low}`) : chars([[0x30 + low, 0x30 + high]]);
}

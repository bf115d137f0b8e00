import Fraction from 'fraction.js';
import { CallFailure } from '../call-failure.ts';

/** A fraction is exact; a number of the machine, of 15 digits, is what a root or a logarithm came to. */
export type Value = Fraction | number;

/** About 4,900 and 1,200 digits. The greatest common divisor of two such numbers takes a millisecond. */
const mostBits = 16_384;
const mostBitsBelow = 4096;

export function add(left: Value, right: Value): Value {
  return both(
    left,
    right,
    (a, b) => a.add(b),
    (a, b) => a + b,
  );
}

export function subtract(left: Value, right: Value): Value {
  return both(
    left,
    right,
    (a, b) => a.sub(b),
    (a, b) => a - b,
  );
}

export function multiply(left: Value, right: Value): Value {
  return both(
    left,
    right,
    (a, b) => a.mul(b),
    (a, b) => a * b,
  );
}

export function divide(left: Value, right: Value): Value {
  if (isZero(right)) throw new CallFailure('A number cannot be divided by 0.');
  return both(
    left,
    right,
    (a, b) => a.div(b),
    (a, b) => a / b,
  );
}

/** Of the sign of the divisor, as in mathematics. */
export function remainder(left: Value, right: Value): Value {
  return subtract(left, multiply(right, floor(divide(left, right))));
}

export function negate(value: Value): Value {
  return typeof value === 'number' ? -value : value.neg();
}

export function floor(value: Value): Value {
  return typeof value === 'number' ? Math.floor(value) : value.floor();
}

export function compare(left: Value, right: Value): number {
  if (typeof left === 'number' || typeof right === 'number') return approximate(left) - approximate(right);
  return left.compare(right);
}

export function raise(base: Value, exponent: Value): Value {
  if (typeof base === 'number' || typeof exponent === 'number') return approximatePower(base, exponent);
  if (exponent.d === 1n) return wholePower(base, exponent.s * exponent.n);
  const root = exponent.d <= 64n && base.s >= 0n ? exactRoot(base, Number(exponent.d)) : undefined;
  return root ? wholePower(root, exponent.s * exponent.n) : approximatePower(base, exponent);
}

/** Exact where the root is a fraction. */
export function root(value: Value, degree: number): Value {
  if (typeof value !== 'number') {
    const exact = exactRoot(value, degree);
    if (exact) return exact;
  }
  const size = Math.abs(approximate(value));
  if (approximate(value) < 0 && degree % 2 === 0) throw new CallFailure('A negative number has no such root.');
  return checked(Math.sign(approximate(value)) * (degree === 2 ? Math.sqrt(size) : Math.cbrt(size)));
}

export function factorial(value: Value): Value {
  const most = 1500n;
  const count = whole(value, '!');
  if (count < 0n || count > most) throw new CallFailure(`n! is told for whole numbers n from 0 to ${most}.`);
  let product = 1n;
  for (let factor = 2n; factor <= count; factor++) product *= factor;
  return exact(product);
}

/** In how many ways `few` of `all` can be chosen. */
export function choose(all: Value, few: Value): Value {
  const from = whole(all, 'choose');
  const asked = whole(few, 'choose');
  const count = asked * 2n > from ? from - asked : asked;
  if (from < 0n || count < 0n) return exact(0n);
  if (count > 1000n) throw tooLong();
  let ways = 1n;
  for (let step = 1n; step <= count; step++) {
    ways = (ways * (from - count + step)) / step;
    // To look takes longer than to multiply.
    if (step % 16n === 0n && bitsOf(ways) > mostBits) throw tooLong();
  }
  return bounded(exact(ways));
}

/** Half goes away from 0. */
export function round(value: Value, places: Value = exact(0n)): Value {
  const most = 300n;
  const wanted = whole(places, 'round');
  if (wanted < -most || wanted > most) throw new CallFailure(`round takes up to ${most} places.`);
  const scale = wholePower(new Fraction(10), wanted);
  const scaled = multiply(value, scale);
  const up = floor(add(absolute(scaled), new Fraction(1, 2)));
  return divide(compare(scaled, exact(0n)) < 0 ? negate(up) : up, scale);
}

export function absolute(value: Value): Value {
  return typeof value === 'number' ? Math.abs(value) : value.abs();
}

/** A whole number. Throws CallFailure where it is none. */
export function whole(value: Value, by: string): bigint {
  if (typeof value === 'number' || value.d !== 1n) throw new CallFailure(`${by} takes whole numbers.`);
  return value.s * value.n;
}

export function exact(count: bigint, below = 1n): Fraction {
  return new Fraction(count, below);
}

/** Throws CallFailure where it is none: beyond the machine's numbers, or of something that has no value there. */
export function checked(value: number): number {
  if (Number.isNaN(value)) throw new CallFailure('This has no value among the real numbers.');
  if (!Number.isFinite(value)) throw tooLong();
  return value;
}

export function approximate(value: Value): number {
  if (typeof value === 'number') return value;
  const { s: sign, n: above, d: below } = value;
  // Both are cut to what the machine's numbers can hold.
  const shift = BigInt(Math.max(0, Math.max(bitsOf(above), bitsOf(below)) - 1000));
  return checked(Number(sign) * (Number(above >> shift) / Number(below >> shift)));
}

/** As `0.1`, `1/3 (about 0.333333333333333)` or `about 1.4142135623731`. */
export function show(value: Value): string {
  if (typeof value === 'number') return `about ${shortened(value)}`;
  const { s: sign, n: above, d: below } = value;
  const minus = sign < 0n ? '-' : '';
  if (below === 1n) return `${minus}${above}`;
  const places = decimalPlaces(below);
  if (places === undefined || places > 60) return `${minus}${above}/${below} (about ${shortened(approximate(value))})`;
  const digits = ((above * 10n ** BigInt(places)) / below).toString().padStart(places + 1, '0');
  return `${minus}${digits.slice(0, -places)}.${digits.slice(-places)}`;
}

function shortened(value: number): string {
  return Number(value.toPrecision(15)).toString();
}

/** Undefined: its decimals have no end. */
function decimalPlaces(below: bigint): number | undefined {
  let rest = below;
  const count = (prime: bigint) => {
    let times = 0;
    for (; rest % prime === 0n; rest /= prime) times++;
    return times;
  };
  const places = Math.max(count(2n), count(5n));
  return rest === 1n ? places : undefined;
}

function both(
  left: Value,
  right: Value,
  exactly: (left: Fraction, right: Fraction) => Fraction,
  about: (left: number, right: number) => number,
): Value {
  if (typeof left !== 'number' && typeof right !== 'number') return bounded(exactly(left, right));
  return checked(about(approximate(left), approximate(right)));
}

function bounded(value: Fraction): Fraction {
  if (bitsOf(value.n) > mostBits || bitsOf(value.d) > mostBitsBelow) throw tooLong();
  return value;
}

/** The size of what comes is known before it is calculated: 9^9^9 would have 369,693,100 digits. */
function wholePower(base: Fraction, exponent: bigint): Fraction {
  if (exponent < 0n && base.n === 0n) throw new CallFailure('0 cannot be raised to a negative power.');
  if (base.n <= 1n && base.d === 1n) return base.n === 0n && exponent !== 0n ? base : sign(base, exponent);
  const size = exponent < 0n ? -exponent : exponent;
  if (size > BigInt(mostBits)) throw tooLong();
  const bits = (Math.max(bitsOf(base.n), bitsOf(base.d)) - 1) * Number(size);
  if (bits > mostBits) throw tooLong();
  const [above, below] = exponent < 0n ? [base.d, base.n] : [base.n, base.d];
  return bounded(multiplied(sign(base, exponent), above ** size, below ** size));
}

/** 1 or -1 to that power. */
function sign(base: Fraction, exponent: bigint): Fraction {
  return exact(base.s < 0n && exponent % 2n !== 0n ? -1n : 1n);
}

function multiplied(by: Fraction, above: bigint, below: bigint): Fraction {
  return by.mul(new Fraction(above, below));
}

function approximatePower(base: Value, exponent: Value): number {
  return checked(approximate(base) ** approximate(exponent));
}

function exactRoot(value: Fraction, degree: number): Fraction | undefined {
  if (value.s < 0n && degree % 2 === 0) return undefined;
  const above = wholeRoot(value.n, BigInt(degree));
  const below = wholeRoot(value.d, BigInt(degree));
  if (above === undefined || below === undefined) return undefined;
  return exact(value.s < 0n ? -above : above, below);
}

/** By Newton's method from above; undefined: the root is no whole number. */
function wholeRoot(value: bigint, degree: bigint): bigint | undefined {
  if (value < 2n) return value;
  let guess = 1n << BigInt(Math.ceil(bitsOf(value) / Number(degree)));
  for (;;) {
    const next = ((degree - 1n) * guess + value / guess ** (degree - 1n)) / degree;
    if (next >= guess) break;
    guess = next;
  }
  return guess ** degree === value ? guess : undefined;
}

/** Of a number that is not negative. */
function bitsOf(value: bigint): number {
  return value.toString(2).length;
}

function isZero(value: Value): boolean {
  return typeof value === 'number' ? value === 0 : value.n === 0n;
}

function tooLong(): CallFailure {
  return new CallFailure('The number would have too many digits to be calculated here.');
}

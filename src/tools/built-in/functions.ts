import type Fraction from 'fraction.js';
import { CallFailure } from '../call-failure.ts';
import {
  absolute,
  approximate,
  checked,
  choose,
  compare,
  divide,
  exact,
  floor,
  multiply,
  negate,
  remainder,
  root,
  round,
  type Value,
  whole,
} from './numbers.ts';

export interface NamedFunction {
  /** Values that it takes; none: it is a constant. */
  readonly least: number;
  readonly most: number;
  run(values: readonly Value[]): Value;
}

const many = 100;

/** A map, so that no name of JavaScript's own objects is one. */
export const functions: ReadonlyMap<string, NamedFunction> = new Map<string, NamedFunction>([
  ['pi', constant(Math.PI)],
  ['π', constant(Math.PI)],
  ['e', constant(Math.E)],
  ['sqrt', of(1, ([value]) => root(value, 2))],
  ['cbrt', of(1, ([value]) => root(value, 3))],
  ['abs', of(1, ([value]) => absolute(value))],
  ['floor', of(1, ([value]) => floor(value))],
  ['ceil', of(1, ([value]) => negate(floor(negate(value))))],
  ['round', { least: 1, most: 2, run: ([value = zero, places]) => round(value, places) }],
  ['min', { least: 1, most: many, run: (values) => extreme(values, -1) }],
  ['max', { least: 1, most: many, run: (values) => extreme(values, 1) }],
  [
    'gcd',
    { least: 2, most: many, run: (values) => values.map(fraction('gcd')).reduce((one, other) => one.gcd(other)) },
  ],
  ['lcm', { least: 2, most: many, run: (values) => values.map(fraction('lcm')).reduce(leastMultiple) }],
  ['mod', of(2, ([value, by]) => remainder(value, by))],
  ['choose', of(2, ([all, few]) => choose(all, few))],
  ['exp', ofNumber(Math.exp)],
  ['ln', ofNumber(Math.log)],
  ['log', { least: 1, most: 2, run: ([value = zero, base = exact(10n)]) => logarithm(value, base) }],
  ['log2', of(1, ([value]) => logarithm(value, exact(2n)))],
  ['sin', ofNumber(Math.sin)],
  ['cos', ofNumber(Math.cos)],
  ['tan', ofNumber(Math.tan)],
  ['asin', ofNumber(Math.asin)],
  ['acos', ofNumber(Math.acos)],
  ['atan', ofNumber(Math.atan)],
]);

const zero = exact(0n);

function constant(value: number): NamedFunction {
  return { least: 0, most: 0, run: () => value };
}

function of(count: 1 | 2, run: (values: readonly [Value, Value]) => Value): NamedFunction {
  return { least: count, most: count, run: ([first = zero, second = zero]) => run([first, second]) };
}

function ofNumber(run: (value: number) => number): NamedFunction {
  return of(1, ([value]) => checked(run(approximate(value))));
}

function extreme(values: readonly Value[], direction: 1 | -1): Value {
  return values.reduce((best, value) => (compare(value, best) * direction > 0 ? value : best));
}

function fraction(by: string): (value: Value) => Fraction {
  return (value) => exact(whole(value, by));
}

function leastMultiple(one: Fraction, other: Fraction): Fraction {
  const product = multiply(one, other);
  if (one.n === 0n || other.n === 0n) return zero;
  const multiple = divide(absolute(product), one.gcd(other));
  return exact(whole(multiple, 'lcm'));
}

/** Exact where the base to a whole number is the value. */
function logarithm(value: Value, base: Value): Value {
  if (compare(value, zero) <= 0 || compare(base, zero) <= 0)
    throw new CallFailure('Only positive numbers have a logarithm.');
  const about = checked(lengthOf(value) / lengthOf(base));
  if (typeof value === 'number' || typeof base === 'number') return about;
  const near = Math.round(about);
  return Math.abs(near) < 16_384 && isPower(value, base, near) ? exact(BigInt(near)) : about;
}

/** Also of numbers that the machine's own cannot hold. */
function lengthOf(value: Value): number {
  return typeof value === 'number' ? Math.log(value) : logOf(value.n) - logOf(value.d);
}

function logOf(count: bigint): number {
  const shift = Math.max(0, count.toString(2).length - 1000);
  return Math.log(Number(count >> BigInt(shift))) + shift * Math.LN2;
}

function isPower(value: Fraction, base: Fraction, exponent: number): boolean {
  const [above, below] = exponent < 0 ? [base.d, base.n] : [base.n, base.d];
  const size = BigInt(Math.abs(exponent));
  return above ** size === value.n && below ** size === value.d;
}

import { CallFailure } from '../call-failure.ts';
import { functions } from './functions.ts';
import {
  add,
  divide,
  exact,
  factorial,
  multiply,
  negate,
  raise,
  remainder,
  show,
  subtract,
  type Value,
} from './numbers.ts';

/** The value of an expression, as text for the model. Throws CallFailure, in words for it. */
export function calculate(expression: string): string {
  return show(new Reader(expression).read());
}

interface Token {
  readonly kind: 'number' | 'name' | 'sign';
  readonly text: string;
}

const token =
  /\s*(?:(?<number>(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|(?<name>[a-zπ][a-z0-9]*)|(?<sign>\*\*|[-+*/^%!(),]))/iy;

/** Other spellings of signs, as people and models write them. */
const spellings: Readonly<Record<string, string>> = { '×': '*', '·': '*', '÷': '/', '−': '-', '–': '-', '√': 'sqrt' };

/** Ten to more than this has too many digits. */
const largestExponent = 4000;

/**
 * sum = product {(+|-) product}; product = signed {(*|/|%) signed}; signed = (+|-) signed | power;
 * power = marked [^ signed]; marked = plain {! | %}; plain = number | name | name(sum, ...) | (sum).
 * A % is the remainder where a number, a name or a parenthesis follows, and a hundredth where none does.
 */
class Reader {
  readonly #tokens: readonly Token[];
  #place = 0;

  constructor(expression: string) {
    this.#tokens = tokensOf(expression.replace(/[×·÷−–√]/g, (sign) => spellings[sign] ?? sign));
  }

  read(): Value {
    if (this.#tokens.length === 0) throw new CallFailure('There is nothing to calculate.');
    const value = this.#sum();
    const rest = this.#tokens[this.#place];
    if (rest) throw new CallFailure(`${quote(rest.text)} was not expected there. Write every sign, as in 2 * (3 + 4).`);
    return value;
  }

  #sum(): Value {
    let value = this.#product();
    for (;;) {
      if (this.#takes('+')) value = add(value, this.#product());
      else if (this.#takes('-')) value = subtract(value, this.#product());
      else return value;
    }
  }

  #product(): Value {
    let value = this.#signed();
    for (;;) {
      if (this.#takes('*')) value = multiply(value, this.#signed());
      else if (this.#takes('/')) value = divide(value, this.#signed());
      else if (this.#takes('%')) value = remainder(value, this.#signed());
      else return value;
    }
  }

  #signed(): Value {
    if (this.#takes('-')) return negate(this.#signed());
    if (this.#takes('+')) return this.#signed();
    return this.#power();
  }

  #power(): Value {
    const base = this.#marked();
    return this.#takes('^') || this.#takes('**') ? raise(base, this.#signed()) : base;
  }

  #marked(): Value {
    let value = this.#plain();
    for (;;) {
      if (this.#takes('!')) value = factorial(value);
      else if (!this.#isOperand(1) && this.#takes('%')) value = divide(value, exact(100n));
      else return value;
    }
  }

  #plain(): Value {
    const next = this.#tokens[this.#place++];
    if (!next) throw new CallFailure('The expression ends where a number was expected.');
    switch (next.kind) {
      case 'number':
        return numberOf(next.text);
      case 'name':
        return this.#named(next.text.toLowerCase());
      case 'sign': {
        if (next.text !== '(') throw new CallFailure(`A number was expected instead of ${quote(next.text)}.`);
        const value = this.#sum();
        this.#close();
        return value;
      }
      default:
        return next.kind satisfies never;
    }
  }

  #named(name: string): Value {
    const found = functions.get(name);
    if (!found) throw new CallFailure(`${quote(name)} is not known. Known are ${[...functions.keys()].join(', ')}.`);
    const values: Value[] = [];
    if (found.least > 0) {
      if (!this.#takes('(')) throw new CallFailure(`${name} needs parentheses, as in ${name}(2).`);
      do values.push(this.#sum());
      while (this.#takes(','));
      this.#close();
    }
    if (values.length < found.least || values.length > found.most)
      throw new CallFailure(`${name} does not take ${values.length} values.`);
    return found.run(values);
  }

  #close(): void {
    if (!this.#takes(')')) throw new CallFailure('A ) is missing.');
  }

  #takes(sign: string): boolean {
    const next = this.#tokens[this.#place];
    if (next?.kind !== 'sign' || next.text !== sign) return false;
    this.#place++;
    return true;
  }

  #isOperand(ahead: number): boolean {
    const next = this.#tokens[this.#place + ahead];
    return next !== undefined && (next.kind !== 'sign' || next.text === '(');
  }
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  const end = text.trimEnd().length;
  token.lastIndex = 0;
  while (token.lastIndex < end) {
    const from = token.lastIndex;
    const { number, name, sign } = token.exec(text)?.groups ?? {};
    if (number !== undefined) tokens.push({ kind: 'number', text: number });
    else if (name !== undefined) tokens.push({ kind: 'name', text: name });
    else if (sign !== undefined) tokens.push({ kind: 'sign', text: sign });
    else throw new CallFailure(`${quote(text.slice(from).trimStart().slice(0, 10))} cannot be read.`);
  }
  return tokens;
}

function numberOf(text: string): Value {
  const [digits = '', exponent = '0'] = text.toLowerCase().split('e');
  const [before = '', after = ''] = digits.split('.');
  const power = Number(exponent);
  if (Math.abs(power) > largestExponent) throw new CallFailure(`${quote(text)} has too many digits.`);
  return multiply(exact(BigInt(before + after), 10n ** BigInt(after.length)), raise(exact(10n), exact(BigInt(power))));
}

function quote(text: string): string {
  return JSON.stringify(text);
}

/**
 * GBNF, the grammar notation of llama.cpp, as data. Rooms build expressions, `printGrammar` writes them.
 * Code points run from 0 to 0x10FFFF without surrogates; rule names are letters, digits and dashes (no underscore).
 */
export type Expression =
  | { readonly kind: 'text'; readonly text: string }
  /** One character out of these inclusive code point ranges, or, negated, one that is in none of them. */
  | { readonly kind: 'chars'; readonly ranges: readonly CodePointRange[]; readonly negated: boolean }
  | { readonly kind: 'any' }
  /** One token by its id: only raw grammars of clients have these. */
  | { readonly kind: 'token'; readonly id: number; readonly negated: boolean }
  | RuleReference
  | { readonly kind: 'sequence'; readonly parts: readonly Expression[] }
  | { readonly kind: 'choice'; readonly options: readonly Expression[] }
  /** `max` undefined: no upper limit. */
  | {
      readonly kind: 'repeat';
      readonly part: Expression;
      readonly min: number;
      readonly max: number | undefined;
    };

export interface RuleReference {
  readonly kind: 'rule';
  readonly name: string;
}

export type CodePointRange = readonly [number, number];

/** Rules by name; `root` is where a text begins. */
export type Grammar = ReadonlyMap<string, Expression>;

export const empty: Expression = { kind: 'sequence', parts: [] };

export function text(value: string): Expression {
  return value === '' ? empty : { kind: 'text', text: value };
}

export function rule(name: string): RuleReference {
  return { kind: 'rule', name };
}

export function chars(ranges: readonly CodePointRange[], negated = false): Expression {
  return { kind: 'chars', ranges, negated };
}

/** A class as people write one: `0-9A-Fa-f`; a dash that means itself comes last. */
export function anyOf(spelled: string): Expression {
  const ranges = [...spelled.matchAll(/([\s\S])(?:-([\s\S]))?/gu)].map(
    ([, low = '', high = low]) => [low, high] as const,
  );
  return chars(ranges.map(([low, high]) => [low.codePointAt(0) ?? 0, high.codePointAt(0) ?? 0]));
}

/** Flattens nested sequences and joins neighbouring texts. */
export function sequence(...parts: readonly Expression[]): Expression {
  return sequenceOf(parts);
}

/** The same of a list as long as clients make it: as arguments some hundred thousand would not fit the stack. */
export function sequenceOf(parts: readonly Expression[]): Expression {
  const flat: Expression[] = [];
  const add = (part: Expression) => {
    const last = flat.at(-1);
    if (part.kind === 'text' && last?.kind === 'text') flat[flat.length - 1] = text(last.text + part.text);
    else flat.push(part);
  };
  for (const part of parts) {
    if (part.kind === 'sequence') part.parts.forEach(add);
    else add(part);
  }
  const [only] = flat;
  return flat.length === 1 && only ? only : { kind: 'sequence', parts: flat };
}

export function choice(...options: readonly Expression[]): Expression {
  return choiceOf(options);
}

/** See sequenceOf. */
export function choiceOf(options: readonly Expression[]): Expression {
  const flat = options.some((option) => option.kind === 'choice')
    ? options.flatMap((option) => (option.kind === 'choice' ? option.options : [option]))
    : options;
  const [only] = flat;
  return flat.length === 1 && only ? only : { kind: 'choice', options: flat };
}

/** One of those that there are, each spelling once; undefined: there is none. */
export function either(options: readonly (Expression | undefined)[]): Expression | undefined {
  const possible = new Map(options.flatMap((option) => (option ? [[printExpression(option), option] as const] : [])));
  return possible.size === 0 ? undefined : choiceOf([...possible.values()]);
}

export function optional(part: Expression): Expression {
  return repeat(part, 0, 1);
}

export function repeat(part: Expression, min: number, max?: number): Expression {
  if (max === 0 || isEmpty(part)) return empty;
  if (min === 1 && max === 1) return part;
  return { kind: 'repeat', part, min, max };
}

export function isEmpty(expression: Expression): boolean {
  return expression.kind === 'sequence' && expression.parts.length === 0;
}

/** GBNF text, `root` first. */
export function printGrammar(grammar: Grammar): string {
  const names = [...grammar.keys()].sort((a, b) => Number(b === 'root') - Number(a === 'root'));
  return names.map((name) => `${name} ::= ${printBody(grammar.get(name) ?? empty)}\n`).join('');
}

const printedBodies = new WeakMap<Expression, string>();

/** Of a whole rule: those are printed when they are defined and again at the end. */
export function printBody(expression: Expression): string {
  const known = printedBodies.get(expression);
  if (known !== undefined) return known;
  const printed = printExpression(expression);
  printedBodies.set(expression, printed);
  return printed;
}

export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'text':
      return `"${spellText(expression.text)}"`;
    case 'chars':
      return `[${expression.negated ? '^' : ''}${expression.ranges.map(printRange).join('')}]`;
    case 'any':
      return '.';
    case 'token':
      return `${expression.negated ? '!' : ''}<[${expression.id}]>`;
    case 'rule':
      return expression.name;
    case 'sequence':
      return expression.parts.length === 0 ? '""' : expression.parts.map((part) => printPart(part)).join(' ');
    case 'choice':
      return expression.options.map(printExpression).join(' | ');
    case 'repeat':
      return printPart(expression.part, true) + printCount(expression.min, expression.max);
    default:
      return expression satisfies never;
  }
}

/** What would fall apart inside a sequence gets parentheses; before a count, sequences and counts do too. */
function printPart(part: Expression, counted = false): string {
  const loose = part.kind === 'choice' || (counted && (part.kind === 'sequence' || part.kind === 'repeat'));
  return loose ? `(${printExpression(part)})` : printExpression(part);
}

function printCount(min: number, max: number | undefined): string {
  if (max === undefined) return min === 0 ? '*' : min === 1 ? '+' : `{${min},}`;
  if (min === 0 && max === 1) return '?';
  return min === max ? `{${min}}` : `{${min},${max}}`;
}

function printRange([low, high]: CodePointRange): string {
  const first = spell(low, classSpecials);
  return low === high ? first : `${first}-${spell(high, classSpecials)}`;
}

const textSpecials = new Set('"\\');
const classSpecials = new Set('[]-\\^"');

function spellText(text: string): string {
  if (/^[ !#-[\]-~]*$/.test(text)) return text;
  return [...text].map((char) => spell(char.codePointAt(0) ?? 0, textSpecials)).join('');
}

function spell(point: number, specials: ReadonlySet<string>): string {
  const char = String.fromCodePoint(point);
  if (char === '\n') return '\\n';
  if (char === '\r') return '\\r';
  if (char === '\t') return '\\t';
  // GBNF knows no `\^`, so a caret goes the long way.
  if (specials.has(char)) return char === '^' ? '\\x5E' : `\\${char}`;
  if (point >= 0x20 && point < 0x7f) return char;
  const hex = point.toString(16).toUpperCase();
  if (point <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return point <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

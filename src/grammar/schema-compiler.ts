import type { JsonObject, JsonValue } from '../contract/json.ts';
import { isJsonObject } from '../contract/json.ts';
import { ofTexts } from './automaton.ts';
import { arrayRules } from './containers.ts';
import type { Expression } from './gbnf.ts';
import { choice, printExpression, rule, text } from './gbnf.ts';
import type { JsonRules } from './json.ts';
import { integerRange, numberRange, wholeLimits, wholeNumber } from './numbers.ts';
import { objectShape, objectShapeRules } from './object-shape.ts';
import type { PatternTests } from './pattern-test.ts';
import { SchemaExpander } from './schema-expander.ts';
import { joined, list, tuple, withoutAnnotations } from './schema-merge.ts';
import { onlyTypes, stringLimits, typesOf } from './schema-types.ts';
import { refuse } from './schema-words.ts';
import { stringRules } from './strings.ts';
import type { Writing } from './text-rules.ts';
import { automatonRules } from './text-rules.ts';
import { isValid, numberLimits } from './validate.ts';

/** A keyword that the grammar does not ensure: values are checked after generation. Path: pointer into the schema. */
export interface Loosened {
  readonly path: string;
  readonly keyword: string;
}

interface Work {
  /** Set when the schema turned out to mention itself. */
  name?: string;
  readonly level: number;
}

const maxSteps = 20_000;
/** Characters of schema text that are looked at, in sum. */
const maxWeight = 20_000_000;
const maxEnumerated = 1_000;
/** Shorter expressions are written where they are used; longer ones become rules. */
const inlineLength = 48;

/** One schema document -> rules of one book. `undefined` stands for a schema that no value satisfies. */
export class SchemaCompiler {
  readonly json: JsonRules;
  readonly param: string;
  readonly root: JsonValue;
  readonly expander: SchemaExpander;
  #loosened = new Map<string, Loosened>();
  #known = new Map<string, Expression | undefined>();
  #working = new Map<string, Work>();
  #level = 0;
  #steps = 0;
  #weight = 0;
  #loops = 0;

  constructor(root: JsonValue, json: JsonRules, param: string) {
    this.root = root;
    this.json = json;
    this.param = param;
    const loosen = (path: string, keyword: string) => this.loosen(path, keyword);
    this.expander = new SchemaExpander({ root, param, tests: this.tests, loosen });
  }

  /** One for all schemas of a request. */
  get tests(): PatternTests {
    return this.json.book.tests;
  }

  get loosened(): readonly Loosened[] {
    return [...this.#loosened.values()];
  }

  loosen(path: string, keyword: string): void {
    this.#loosened.set(`${path} ${keyword}`, { path, keyword });
  }

  /** Values of the schema, spelled as JSON. */
  value(schema: JsonValue, path: string): Expression | undefined {
    if (++this.#steps > maxSteps) throw refuse('unfolds into too many parts; use fewer combinations', path, this.param);
    if (!isJsonObject(schema)) return schema === false ? undefined : this.json.value;
    const asked = withoutAnnotations(schema);
    const key = JSON.stringify(asked);
    this.#weight += key.length;
    if (this.#weight > maxWeight)
      throw refuse('is too large for its depth; use $ref for what repeats', path, this.param);
    if (this.#known.has(key)) return this.#known.get(key);
    const work = this.#working.get(key);
    if (work) return this.#recursion(work, path);
    const own: Work = { level: this.#level };
    this.#working.set(key, own);
    const loops = this.#loops;
    const written = this.#write(asked, path);
    this.#working.delete(key);
    const result = this.#named(written, own, path);
    // Inside a loop of references the result lacks what the loop's head adds: good here, not elsewhere.
    const insideLoop = this.#loops > loops && [...this.#working.values()].some(({ level }) => level === this.#level);
    if (!insideLoop) this.#known.set(key, result);
    return result;
  }

  /** A value inside an array or object: whoever mentions the outer schema from there is no left recursion. */
  inner(schema: JsonValue, path: string): Expression | undefined {
    this.#level++;
    const written = this.value(schema, path);
    this.#level--;
    return written;
  }

  /** `A = A | B` says no more than B. */
  #recursion(work: Work, path: string): Expression | undefined {
    if (work.level === this.#level) {
      this.#loops++;
      return undefined;
    }
    work.name ??= this.json.book.reserve(hint(path));
    return rule(work.name);
  }

  #named(written: Expression | undefined, { name }: Work, path: string): Expression | undefined {
    if (name !== undefined) {
      // Never filled with nothing: a rule without alternatives is cut later, where it makes no text possible.
      this.json.book.fill(name, written ?? choice());
      return rule(name);
    }
    if (!written || written.kind === 'rule') return written;
    return printExpression(written).length > inlineLength ? this.json.book.define(hint(path), written) : written;
  }

  #write(schema: JsonObject, path: string): Expression | undefined {
    const words = Object.keys(schema);
    if (words.length === 0) return this.json.value;
    if (words.length === 1) {
      const [word = ''] = words;
      const options = list(schema[word]);
      if (word === '$ref') {
        const target = this.expander.resolve(String(schema.$ref), path);
        return this.value(target.schema, target.path);
      }
      if (word === 'oneOf') this.expander.checkOneOf(options, path);
      if (word === 'anyOf' || word === 'oneOf')
        return this.#either(options.map((each, index) => this.value(each, `${path}/${word}/${index}`)));
      if (word === 'allOf' && options.length === 1 && options[0] !== undefined)
        return this.value(options[0], `${path}/allOf/0`);
    }
    return this.#either(this.expander.expand(schema, path).map((plain) => this.#plain(plain, path)));
  }

  #either(options: readonly (Expression | undefined)[]): Expression | undefined {
    const possible = new Map(options.flatMap((option) => (option ? [[printExpression(option), option] as const] : [])));
    return possible.size === 0 ? undefined : choice(...possible.values());
  }

  /** A schema without references and combinators. */
  #plain(schema: JsonObject, path: string): Expression | undefined {
    const values = this.fixedValues(schema);
    if (values) return this.#literals(values, path);
    this.noteUnchecked(schema, path);
    const types = typesOf(schema);
    return types ? this.#either(types.map((type) => this.#typed(type, schema, path))) : this.json.value;
  }

  /** The values of `enum` or `const` that fit everything else the schema says; undefined: it has neither. */
  fixedValues(schema: JsonObject): readonly JsonValue[] | undefined {
    const values =
      schema.const !== undefined ? [schema.const] : schema.enum !== undefined ? list(schema.enum) : undefined;
    const { const: _const, enum: _enum, ...others } = schema;
    return values?.filter((value) => isValid(others, value, this));
  }

  #literals(values: readonly JsonValue[], path: string): Expression | undefined {
    const texts = values.filter((value) => typeof value === 'string');
    if (texts.length < 8) return this.#either(values.map((value) => this.json.literal(value)));
    const others = values.filter((value) => typeof value !== 'string').map((value) => this.json.literal(value));
    const tree = automatonRules(
      this.json.book,
      ofTexts(texts, Number.POSITIVE_INFINITY),
      this.json.writing.spelling,
      hint(path),
    );
    return this.#either([this.json.quoted(tree), ...others]);
  }

  #typed(type: string, schema: JsonObject, path: string): Expression | undefined {
    const { json } = this;
    switch (type) {
      case 'null':
        return json.null;
      case 'boolean':
        return json.boolean;
      case 'integer':
        return this.#integer(schema, path);
      case 'number':
        return this.#number(schema, path);
      case 'string': {
        const written = this.text(schema, path, { ...json.writing, hint: hint(path) });
        return written && json.quoted(written);
      }
      case 'array':
        return this.#array(schema, path);
      default:
        return objectShapeRules(this, objectShape(this, schema, path), path);
    }
  }

  /** The characters of a string; what cannot be said is noted. */
  text(schema: JsonObject, path: string, writing: Writing): Expression | undefined {
    const { expression, loosened } = stringRules(this.json, stringLimits(schema), writing);
    for (const keyword of loosened) this.loosen(path, keyword);
    return expression;
  }

  #integer(schema: JsonObject, path: string): Expression | undefined {
    const { low, high } = wholeLimits(numberLimits(schema));
    if (low === Number.POSITIVE_INFINITY || high === Number.NEGATIVE_INFINITY) return undefined;
    const bounds = { min: whole(low), max: whole(high) };
    const step = schema.multipleOf;
    if (typeof step !== 'number' || Number.isInteger(1 / step)) return integerRange(this.json, bounds);
    if ((high - low) / step <= maxEnumerated && Number.isInteger(step)) {
      const first = Math.ceil(low / step);
      const count = Math.max(0, Math.floor(high / step) - first + 1);
      const values = Array.from({ length: count }, (_, index) => (first + index) * step + 0);
      // Of numbers beyond 2 ** 53 the quotient is rounded.
      const within = values.filter((value) => value >= low && value <= high);
      return this.#either(within.map((value) => text(String(value))));
    }
    this.loosen(path, 'multipleOf');
    return integerRange(this.json, bounds);
  }

  #number(schema: JsonObject, path: string): Expression | undefined {
    const step = schema.multipleOf;
    if (typeof step === 'number' && Number.isInteger(step)) return this.#integer(schema, path);
    if (step !== undefined) this.loosen(path, 'multipleOf');
    const { min, max } = numberLimits(schema);
    return numberRange(this.json, min, max);
  }

  #array(schema: JsonObject, path: string): Expression | undefined {
    const { prefix, rest } = tuple(schema);
    const min = Number(schema.minItems ?? 0);
    let max = schema.maxItems === undefined ? undefined : Number(schema.maxItems);
    if (schema.uniqueItems === true && max !== 0 && max !== 1) this.loosen(path, 'uniqueItems');
    const firsts: Expression[] = [];
    for (const [index, each] of prefix.entries()) {
      const item = this.inner(each, `${path}/prefixItems/${index}`);
      if (!item) break;
      firsts.push(item);
    }
    // A tuple without `items` ends with its last place: what models are asked for, though more would be valid.
    const cut = firsts.length < prefix.length;
    const open = !cut && (rest !== undefined || prefix.length === 0 || min > prefix.length);
    const further = open ? this.inner(rest ?? true, `${path}/items`) : undefined;
    if (!further) max = Math.min(max ?? firsts.length, firsts.length);
    if (max !== undefined && max < min) return undefined;
    return arrayRules(this.json, firsts, { rest: further, min, max });
  }

  noteUnchecked(schema: JsonObject, path: string): void {
    for (const word of uncheckedWords) if (schema[word] !== undefined) this.loosen(path, word);
    if (joined(schema.not).some((each) => onlyTypes(each).length === 0)) this.loosen(path, 'not');
  }
}

const uncheckedWords = [
  'if',
  'dependentRequired',
  'dependentSchemas',
  'dependencies',
  'contains',
  'unevaluatedItems',
  '$dynamicRef',
  '$recursiveRef',
];

/** Undefined where there is no bound. */
function whole(value: number): bigint | undefined {
  return Number.isFinite(value) ? wholeNumber(value) : undefined;
}

/** A rule name out of a path's last word. */
export function hint(path: string): string {
  const words = path
    .split('/')
    .filter((word) => !/^(?:\d+|properties|items|anyOf|oneOf|allOf|\$defs|definitions|#)$/.test(word));
  return words.at(-1) ?? 'answer';
}

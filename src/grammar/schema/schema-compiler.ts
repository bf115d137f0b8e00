import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import { factored } from '../gbnf/factored.ts';
import type { Expression } from '../gbnf/gbnf.ts';
import { choice, either, printExpression, rule } from '../gbnf/gbnf.ts';
import { type Automaton, ofTexts, TooManyStates } from '../regex/automaton.ts';
import type { PatternTests } from '../regex/pattern-test.ts';
import type { Writing } from './automaton-rules.ts';
import { automatonRules } from './automaton-rules.ts';
import { groupedBy, isScalar } from './branches.ts';
import { arrayRules } from './json-containers.ts';
import type { JsonRules } from './json-rules.ts';
import { SchemaExpander } from './schema-expander.ts';
import { SchemaKinds } from './schema-kinds.ts';
import { joined, list, tuple, withoutAnnotations } from './schema-merge.ts';
import type { SchemaRules } from './schema-rules.ts';
import { type Alternative, onlyTypes, type Placed, stringLimits } from './schema-types.ts';
import { hint, patternsOf, refuse } from './schema-words.ts';
import { stringUnion } from './strings.ts';
import { unionRules } from './unions.ts';
import { isValid } from './validate.ts';

/** A keyword that the grammar does not ensure: values are checked after generation. Path: pointer into the schema. */
export interface Loosened {
  readonly path: string;
  readonly keyword: string;
  /** Why it is not even checked afterwards. */
  readonly problem?: string;
}

interface Work {
  /** Set when the schema turned out to mention itself. */
  name?: string;
  readonly level: number;
}

const maxSteps = 20_000;
/** Characters of schema text that are looked at, in sum. */
const maxWeight = 20_000_000;
/** Characters of a schema's texts, common beginnings once: what would be a longer grammar than is taken. */
const maxListed = 400_000;
/** Shorter expressions are written where they are used; longer ones become rules. */
const inlineLength = 48;

/** One schema document -> rules of one book. `undefined` stands for a schema that no value satisfies. */
export class SchemaCompiler implements SchemaRules {
  readonly json: JsonRules;
  readonly param: string;
  readonly root: JsonValue;
  readonly expander: SchemaExpander;
  readonly kinds: SchemaKinds;
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
    this.kinds = new SchemaKinds((reference) => this.expander.resolve(reference, '#').schema);
  }

  /** One for all schemas of a request. */
  get tests(): PatternTests {
    return this.json.book.tests;
  }

  get loosened(): readonly Loosened[] {
    return [...this.#loosened.values()];
  }

  loosen(path: string, keyword: string, problem?: string): void {
    const key = `${path} ${keyword}`;
    if (problem !== undefined) this.#loosened.set(key, { path, keyword, problem });
    else if (!this.#loosened.has(key)) this.#loosened.set(key, { path, keyword });
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
    if (words.length > 1) return unionRules(this, this.alternatives([{ schema, path }]), path);
    const [word = ''] = words;
    if (word === '$ref') {
      const target = this.expander.resolve(String(schema.$ref), path);
      return this.value(target.schema, target.path);
    }
    const options = list(schema[word]);
    if (word === 'oneOf') this.expander.checkOneOf(options, path);
    if (word === 'anyOf' || word === 'oneOf')
      return this.#either(
        options.map((each, index) => ({ schema: each, path: `${path}/${word}/${index}` })),
        path,
      );
    const [part, ...more] = options;
    if (word === 'allOf' && part !== undefined && more.length === 0) return this.value(part, `${path}/allOf/0`);
    return unionRules(this, this.alternatives([{ schema, path }]), path);
  }

  /** Options that may be the same kind of value are written together. */
  #either(options: readonly Placed[], path: string): Expression | undefined {
    const groups = groupedBy(options, ({ schema }) => this.kinds.of(schema));
    return either(
      groups.map((group) => {
        const [first] = group;
        const distinct = new Set(group.map(({ schema }) => this.kinds.keyOf(schema)));
        return distinct.size === 1 && first
          ? this.value(first.schema, first.path)
          : unionRules(this, this.alternatives(group), path);
      }),
    );
  }

  /** Schemas as alternatives without references and combinators, none twice. */
  alternatives(schemas: readonly Placed[]): readonly Alternative[] {
    const found = new Map<string, Alternative>();
    const seen = new Set<string>();
    const todo = [...schemas];
    // What is found on the way is pushed after.
    for (const { schema, path } of todo) {
      const key = this.kinds.keyOf(schema);
      if (seen.has(key) || schema === false) continue;
      seen.add(key);
      const asked = isJsonObject(schema) ? withoutAnnotations(schema) : {};
      const [word = '', ...others] = Object.keys(asked);
      const options = list(asked[word]);
      if (others.length === 0 && word === '$ref') todo.push(this.expander.resolve(String(asked.$ref), path));
      else if (
        others.length === 0 &&
        (word === 'anyOf' || word === 'oneOf' || (word === 'allOf' && options.length === 1))
      ) {
        if (word === 'oneOf') this.expander.checkOneOf(options, path);
        todo.push(...options.map((each, index) => ({ schema: each, path: `${path}/${word}/${index}` })));
      } else for (const plain of this.expander.expand(asked, path)) found.set(this.kinds.keyOf(plain), { plain, path });
    }
    return [...found.values()];
  }

  /** The values of `enum` or `const` that fit everything else the schema says; undefined: it has neither. */
  fixedValues(schema: JsonObject): readonly JsonValue[] | undefined {
    const values =
      schema.const !== undefined ? [schema.const] : schema.enum !== undefined ? list(schema.enum) : undefined;
    const { const: fixed, enum: listed, ...rest } = schema;
    const others = fixed === undefined || listed === undefined ? rest : { ...rest, enum: listed };
    return values?.filter((value) => isValid(others, value, this));
  }

  /** These values. */
  literals(values: readonly JsonValue[], path: string): Expression | undefined {
    const { json } = this;
    const texts = values.filter((value) => typeof value === 'string');
    if (texts.length < 8)
      return values.length === 0
        ? undefined
        : factored(
            json.book,
            'literal',
            [...new Set(values)].map((value) => json.literal(value)),
          );
    const others = values.filter((value) => typeof value !== 'string');
    const tree = automatonRules(json.book, this.#spelled(texts, path), json.writing.spelling, hint(path));
    return either([json.quoted(tree), this.literals(others, path)]);
  }

  #spelled(texts: readonly string[], path: string): Automaton {
    try {
      return ofTexts(texts, maxListed);
    } catch (error) {
      if (!(error instanceof TooManyStates)) throw error;
      throw refuse('lists more text than a grammar can hold', path, this.param);
    }
  }

  /** The scalar values of a schema that lists all that it allows; undefined: it does not. */
  literalsOf(schema: JsonValue, path: string): readonly JsonValue[] | undefined {
    const found = this.alternatives([{ schema, path }]).map(({ plain }) => this.fixedValues(plain));
    const values = found.flatMap((each) => each ?? []);
    return found.includes(undefined) || !values.every(isScalar) ? undefined : values;
  }

  /** The characters of a string that may be one of these; what cannot be said is noted. */
  texts(alternatives: readonly Alternative[], path: string, writing: Writing): Expression | undefined {
    const limits = alternatives.map(({ plain }) => stringLimits(plain));
    const { expression, loosened } = stringUnion(this.json, limits, writing);
    for (const keyword of loosened) this.loosen(path, keyword);
    return expression;
  }

  /** One array. */
  array(schema: JsonObject, path: string): Expression | undefined {
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
    const flat = this.kinds.of(rest ?? true).every((kind) => kind !== 'array' && kind !== 'object');
    const { expression, exact } = arrayRules(this.json, firsts, { rest: further, flat, min, max });
    if (!exact) this.loosen(path, 'maxItems');
    return expression;
  }

  noteUnchecked(schema: JsonObject, path: string): void {
    for (const word of uncheckedWords) if (schema[word] !== undefined) this.loosen(path, word);
    if (joined(schema.not).some((each) => onlyTypes(each).length === 0)) this.loosen(path, 'not');
    for (const [word, pattern] of patternsOf(schema)) {
      const problem = this.tests.problemOf(pattern);
      if (problem !== undefined) this.loosen(path, word, problem);
    }
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

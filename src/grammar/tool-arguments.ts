import type { NamespacedCalls, TaggedCalls } from '../contract/chat-format.ts';
import { ServeError } from '../contract/errors.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { Tool } from '../contract/request.ts';
import { notContaining } from './automaton.ts';
import type { Member } from './containers.ts';
import { memberRules } from './containers.ts';
import type { Expression } from './gbnf.ts';
import { choice, empty, sequence, text } from './gbnf.ts';
import { checkRules } from './gbnf-check.ts';
import type { JsonRules } from './json.ts';
import { flatten } from './machine.ts';
import { NestedTags } from './nested-tags.ts';
import type { ObjectShape } from './object-shape.ts';
import { objectShape } from './object-shape.ts';
import { kindsOf, plainTexts } from './plain-values.ts';
import { productive } from './productive.ts';
import { SchemaCompiler } from './schema-compiler.ts';
import { checkSchemaWords } from './schema-words.ts';
import { automatonRules } from './text-rules.ts';

/** A tool as the grammar sees it. */
export interface CallableTool {
  readonly tool: Tool;
  /** Its arguments follow its schema; otherwise they are any JSON object. */
  readonly strict: boolean;
}

/** What is only checked afterwards, by tool. A schema that cannot be followed at all has the keyword `schema`. */
export interface ToolLoosened {
  readonly tool: string;
  readonly path: string;
  readonly keyword: string;
  /** Why, when the whole schema was given up. */
  readonly reason?: string;
}

type Property = ObjectShape['properties'][number];

/** Writes the arguments of tools. A strange schema costs its tool the constraint, never the request. */
export class ToolArguments {
  readonly json: JsonRules;
  readonly loosened: ToolLoosened[] = [];
  #known = new Map<Tool, Expression>();

  constructor(json: JsonRules) {
    this.json = json;
    // Shared rules first: what a failing schema adds is taken back.
    void json.value;
    void json.integer;
  }

  /** As one JSON object. */
  object({ tool, strict }: CallableTool): Expression {
    if (!strict) return this.json.object;
    return this.#once(
      tool,
      () => this.#follow(tool, (compiler, schema) => compiler.value(schema, '#')) ?? this.json.object,
    );
  }

  /** The same tool is asked for wherever its calls may begin. */
  #once(tool: Tool, write: () => Expression): Expression {
    const known = this.#known.get(tool) ?? write();
    this.#known.set(tool, known);
    return known;
  }

  /** As tags, one per argument; further arguments than the declared ones are not offered. */
  tagged({ tool, strict }: CallableTool, format: TaggedCalls): Expression {
    return this.#once(tool, () => {
      const written = this.#follow(tool, (compiler, root) =>
        this.#members(compiler, root, format.parameter.separator, (property) =>
          this.#tag(compiler, property, format, strict),
        ),
      );
      return written ?? this.#anyTags(format);
    });
  }

  /** As tags inside tags; without a schema to follow, whatever stands before the call's end. */
  nested({ tool, strict }: CallableTool, format: NamespacedCalls): Expression {
    const anything = () => automatonRules(this.json.book, notContaining([format.close.trim()]), 'raw', 'body');
    if (!strict) return anything();
    return this.#once(tool, () => {
      const written = this.#follow(tool, (compiler, root) => {
        const tags = new NestedTags(compiler, format);
        const shapes = compiler.expander
          .expand(root, '#')
          .map((plain) => tags.members(objectShape(compiler, plain, '#').properties))
          .filter((shape) => shape !== undefined);
        return shapes.length === 0 ? undefined : choice(...shapes);
      });
      return written ?? anything();
    });
  }

  /** As Python's keyword arguments; for a schema that cannot be followed, none at all is the only safe thing. */
  keywords({ tool, strict }: CallableTool): Expression {
    return this.#once(tool, () => {
      const written = this.#follow(tool, (compiler, root) =>
        this.#members(compiler, root, ', ', ({ name, schema, path }) => {
          const value = compiler.inner(strict ? schema : true, path);
          return value && sequence(text(`${name}=`), value);
        }),
      );
      return written ?? empty;
    });
  }

  /** The declared arguments in their order; undefined: no arguments fit. */
  #members(
    compiler: SchemaCompiler,
    root: JsonObject,
    separator: string,
    write: (property: Property) => Expression | undefined,
  ): Expression | undefined {
    const style = { open: empty, between: text(separator), close: empty, closeEmpty: empty };
    const shapes = compiler.expander.expand(root, '#').map((plain) => {
      const members: Member[] = [];
      for (const property of objectShape(compiler, plain, '#').properties) {
        const pair = write(property);
        if (pair) members.push({ pair, required: property.required });
        else if (property.required) return undefined;
      }
      return memberRules(this.json.book, members, style);
    });
    const possible = shapes.filter((each) => each !== undefined);
    return possible.length === 0 ? undefined : choice(...possible);
  }

  #follow(
    tool: Tool,
    write: (compiler: SchemaCompiler, schema: JsonObject) => Expression | undefined,
  ): Expression | undefined {
    const schema = argumentsSchema(tool);
    const result = this.json.book.attempt(() => {
      checkSchemaWords(schema, 'tools');
      const compiler = new SchemaCompiler(schema, this.json, 'tools');
      const written = write(compiler, schema);
      const grammar = written && productive(this.json.book.grammar(written));
      if (!grammar) return undefined;
      checkRules(flatten(grammar, 'tools'), 'tools');
      for (const each of compiler.loosened) this.loosened.push({ tool: tool.name, ...each });
      return written;
    });
    if (result && !(result instanceof ServeError)) return result;
    const reason = result ? result.message : 'The schema fits no arguments at all.';
    this.loosened.push({ tool: tool.name, path: '#', keyword: 'schema', reason });
    return undefined;
  }

  #tag(
    compiler: SchemaCompiler,
    { name, schema, path }: Property,
    { parameter }: TaggedCalls,
    strict: boolean,
  ): Expression | undefined {
    const written = { raw: [] as Expression[], json: [] as Expression[] };
    const kinds = kindsOf(compiler, strict ? schema : true, path);
    const isMixed = kinds.some(({ names }) => names.some((each) => each !== 'string'));
    const writing = {
      spelling: 'raw' as const,
      hint: `${name}-text`,
      without: parameter.close.trim(),
      // Families that say what a value is have no need to guess.
      notJson: isMixed && parameter.attribute === undefined,
    };
    for (const kind of kinds) {
      const { plain, values, types } = kind;
      if (types.length > 0) compiler.noteUnchecked(plain, path);
      written.raw.push(...plainTexts(kind, writing));
      for (const value of values) if (typeof value !== 'string') written.json.push(this.json.literal(value));
      for (const type of types) {
        const isText = type === 'string';
        const found = isText ? compiler.text(plain, path, writing) : compiler.inner({ ...plain, type }, path);
        if (found) written[isText ? 'raw' : 'json'].push(found);
      }
    }
    const begin = sequence(text(parameter.open), text(name));
    const options = (['raw', 'json'] as const).flatMap((kind) => {
      const values = written[kind];
      return values.length === 0 ? [] : [sequence(text(keyEnd(parameter, kind, schema)), choice(...values))];
    });
    if (options.length === 0) return undefined;
    return sequence(begin, this.json.book.define(name, choice(...options)), text(parameter.close));
  }

  /** Any arguments for a tool whose schema cannot be followed. */
  #anyTags(format: TaggedCalls): Expression {
    const compiler = new SchemaCompiler(true, this.json, 'tools');
    const nothing = { open: empty, between: text(format.parameter.separator), close: empty, closeEmpty: empty };
    const names = compiler.text({ pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,63}$' }, '#', { spelling: 'raw', hint: 'name' });
    const value = compiler.text({}, '#', { spelling: 'raw', hint: 'any-text', without: format.parameter.close.trim() });
    if (!names || !value) return empty;
    const pair = sequence(
      text(format.parameter.open),
      names,
      text(keyEnd(format.parameter, 'raw', true)),
      value,
      text(format.parameter.close),
    );
    return memberRules(this.json.book, [], nothing, { further: { pair, min: 0, max: undefined } });
  }
}

/** A tool without parameters takes none; a free-form one takes its text as `input`. */
export function argumentsSchema({ parameters, freeform }: Tool): JsonObject {
  if (freeform && !parameters)
    return {
      type: 'object',
      properties: { input: { type: 'string' } },
      required: ['input'],
      additionalProperties: false,
    };
  const schema = parameters ?? {};
  const meaningful = Object.keys(schema).filter((word) => !harmless.has(word));
  const hasNames = Object.keys(Object(schema.properties)).length > 0;
  return meaningful.length === 0 && !hasNames ? { type: 'object', additionalProperties: false } : schema;
}

const harmless = new Set(['type', 'properties', 'required', 'title', 'description', '$schema', '$defs', 'definitions']);

/** What stands between a key and its value; some families say there what the value is. */
function keyEnd({ keyEnd: end, attribute }: TaggedCalls['parameter'], kind: 'raw' | 'json', schema: JsonValue): string {
  if (!attribute) return end;
  const type = kind === 'raw' ? 'string' : typeName(schema);
  const value = attribute === 'string' ? String(kind === 'raw') : type;
  return end.replace('"', `" ${attribute}="${value}"`);
}

function typeName(schema: JsonValue): string {
  const type = Object(schema).type as unknown;
  return typeof type === 'string' && type !== 'string' ? type : 'object';
}

import type { NamespacedCalls, TaggedCalls } from '../contract/chat-format.ts';
import { ServeError } from '../contract/errors.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { Tool } from '../contract/request.ts';
import { withoutEndlessRules } from './gbnf/cut-endless-rules.ts';
import { factored } from './gbnf/factored.ts';
import { flatten } from './gbnf/flat-rules.ts';
import type { Expression } from './gbnf/gbnf.ts';
import { choice, empty, sequence, text } from './gbnf/gbnf.ts';
import { checkRules } from './gbnf/gbnf-check.ts';
import { NestedTags } from './nested-tags.ts';
import { notContaining } from './regex/automaton.ts';
import { automatonRules, type Writing } from './schema/automaton-rules.ts';
import type { Member } from './schema/json-containers.ts';
import { memberRules } from './schema/json-containers.ts';
import type { JsonRules } from './schema/json-rules.ts';
import { objectShape, type Property } from './schema/object-shape.ts';
import { type MemberWriter, objectUnionRules } from './schema/object-union.ts';
import { kindsOf, ofType, plainTexts } from './schema/plain-values.ts';
import { type Loosened, SchemaCompiler } from './schema/schema-compiler.ts';
import { checkSchemaWords } from './schema/schema-words.ts';
import { unionRules } from './schema/unions.ts';

/** A tool as the grammar sees it. */
export interface CallableTool {
  readonly tool: Tool;
  /** Its arguments follow its schema; otherwise they are any JSON object. */
  readonly strict: boolean;
}

/** What is only checked afterwards, by tool. A schema that cannot be followed at all has the keyword `schema`. */
export interface ToolLoosened extends Loosened {
  readonly tool: string;
  /** Why, when the whole schema was given up. */
  readonly reason?: string;
}

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
        this.#members(compiler, root, {
          ...declaredMembers(format.parameter.separator),
          begin: (name) => format.parameter.open + name,
          rest: (property) => this.#tag(compiler, property, format, strict),
        }),
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
        return this.#members(compiler, root, {
          ...declaredMembers(''),
          begin: (name) => tags.begin(name),
          rest: (property) => tags.rest(property),
        });
      });
      return written ?? anything();
    });
  }

  /** As Python's keyword arguments; for a schema that cannot be followed, none at all is the only safe thing. */
  keywords({ tool, strict }: CallableTool): Expression {
    return this.#once(tool, () => {
      const written = this.#follow(tool, (compiler, root) =>
        this.#members(compiler, root, {
          ...declaredMembers(', '),
          begin: (name) => `${name}=`,
          rest: ({ schema, path }) => compiler.inner(strict ? schema : true, path),
        }),
      );
      return written ?? empty;
    });
  }

  /** The declared arguments in their order; undefined: no arguments fit. */
  #members(compiler: SchemaCompiler, root: JsonObject, writer: MemberWriter): Expression | undefined {
    const alternatives = compiler.alternatives([{ schema: root, path: '#' }]);
    const shapes = alternatives.map(({ plain, path }) => objectShape(compiler, plain, path));
    const [only, ...others] = shapes;
    if (!only) return undefined;
    if (others.length > 0) return objectUnionRules(compiler, shapes, '#', writer);
    const members: Member[] = [];
    for (const property of only.properties) {
      const rest = writer.rest(property);
      if (rest) members.push({ begin: writer.begin(property.name), rest, required: property.required });
      else if (property.required) return undefined;
    }
    return memberRules(this.json.book, members, writer.style);
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
      const grammar = written && withoutEndlessRules(this.json.book.grammar(written));
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

  /** What stands after an argument's name: the value, and all around it. */
  #tag(
    compiler: SchemaCompiler,
    { name, schema, path }: Pick<Property, 'name' | 'schema' | 'path'>,
    { parameter }: TaggedCalls,
    strict: boolean,
  ): Expression | undefined {
    const kinds = kindsOf(compiler, strict ? schema : true, path);
    const isMixed = kinds.some(({ names }) => names.some((each) => each !== 'string'));
    const writing = {
      spelling: 'raw' as const,
      hint: `${name}-text`,
      without: parameter.close.trim(),
      // Families that say what a value is have no need to guess.
      notJson: isMixed && parameter.attribute === undefined,
    };
    for (const { plain, types } of kinds) if (types.length > 0) compiler.noteUnchecked(plain, path);
    const isText = (type: string) => type === 'string';
    const texts = ofType(kinds, path, isText);
    const fixed = kinds.flatMap(({ values }) => values).filter((value) => typeof value !== 'string');
    const written = {
      raw: [
        ...kinds.flatMap((kind) => plainTexts(kind, writing)),
        texts.length > 0 ? compiler.texts(texts, path, writing) : undefined,
      ],
      json: [
        ...fixed.map((value) => this.json.literal(value)),
        unionRules(
          compiler,
          ofType(kinds, path, (type) => !isText(type)),
          path,
        ),
      ],
    };
    const options = (['raw', 'json'] as const).flatMap((kind) => {
      const values = written[kind].filter((each) => each !== undefined);
      return values.length === 0 ? [] : [sequence(text(keyEnd(parameter, kind, schema)), choice(...values))];
    });
    if (options.length === 0) return undefined;
    return sequence(this.json.book.define(name, factored(this.json.book, name, options)), text(parameter.close));
  }

  /** Any arguments for a tool whose schema cannot be followed. */
  #anyTags(format: TaggedCalls): Expression {
    const compiler = new SchemaCompiler(true, this.json, 'tools');
    const nothing = { open: empty, between: text(format.parameter.separator), close: empty, closeEmpty: empty };
    const texts = (plain: JsonObject, writing: Omit<Writing, 'spelling'>) =>
      compiler.texts([{ plain, path: '#' }], '#', { spelling: 'raw', ...writing });
    const names = texts({ pattern: '^[A-Za-z_][A-Za-z0-9_.-]{0,63}$' }, { hint: 'name' });
    const value = texts({}, { hint: 'any-text', without: format.parameter.close.trim() });
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

/** Members that stand one behind the other, none beside those that are declared. */
function declaredMembers(separator: string) {
  const style = { open: empty, between: text(separator), close: empty, closeEmpty: empty };
  // Text as it stands may look like any other value.
  return { style, byKind: false, further: () => undefined };
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

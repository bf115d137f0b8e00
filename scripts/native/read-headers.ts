/** What llama.cpp's C headers declare, as far as a foreign function interface needs it. */
export interface Declarations {
  /** Everything that the libraries export, in the order of the headers. */
  readonly functions: readonly FunctionDeclaration[];
  readonly structs: ReadonlyMap<string, readonly Field[]>;
  readonly enums: ReadonlyMap<string, ReadonlyMap<string, number>>;
  /** Numeric macros. */
  readonly constants: ReadonlyMap<string, number>;
  /** name -> why it cannot be called or laid out. */
  readonly leftOut: ReadonlyMap<string, string>;
}

export interface FunctionDeclaration {
  readonly name: string;
  /** 'backend': exported by the backend that is chosen at run time only, reached by its registry. */
  readonly home: 'library' | 'backend';
  readonly result: string;
  readonly parameters: readonly Parameter[];
}

interface Parameter {
  readonly name: string;
  /** `pointer`, `string` (const char *), a number's C type such as `int32`, `bool`, or the name of a struct. */
  readonly type: string;
}

/** The members of an anonymous union share one field, joined by `|` in name and type. Arrays end in `[count]`. */
export type Field = Parameter;

const exported = /\b(LLAMA_API|GGML_API|GGML_BACKEND_API)\b/;
const scalars: Readonly<Record<string, string>> = {
  void: 'void',
  bool: 'bool',
  char: 'int8',
  int: 'int32',
  int8_t: 'int8',
  int16_t: 'int16',
  int32_t: 'int32',
  int64_t: 'int64',
  uint8_t: 'uint8',
  uint16_t: 'uint16',
  uint32_t: 'uint32',
  uint64_t: 'uint64',
  size_t: 'size_t',
  float: 'float',
  double: 'double',
};

/** @param headers their texts, each after those that it includes */
export function readHeaders(headers: readonly string[]): Declarations {
  const reader = new Reader();
  for (const header of headers) reader.read(header);
  return reader;
}

class Reader implements Declarations {
  readonly functions: FunctionDeclaration[] = [];
  readonly structs = new Map<string, Field[]>();
  readonly enums = new Map<string, Map<string, number>>();
  readonly constants = new Map<string, number>();
  readonly leftOut = new Map<string, string>();
  /** typedef -> type */
  readonly #named = new Map<string, string>(Object.entries(scalars));
  readonly #enumerators = new Map<string, number>();

  read(header: string): void {
    for (const statement of statements(this.#preprocess(header))) this.#declare(statement);
  }

  /** As a C compiler without any macro of its own sees it; numeric macros are kept. */
  #preprocess(header: string): string {
    const seen: string[] = [];
    const branches: { live: boolean; taken: boolean }[] = [];
    const text = header.replace(/\\\r?\n/g, ' ').replace(/\/\*[\s\S]*?\*\//g, ' ');
    for (const line of text.split(/\r?\n/).map((each) => each.replace(/\/\/.*$/, ''))) {
      const directive = /^\s*#\s*(\w+)\s*(.*)$/.exec(line);
      const live = branches.every((branch) => branch.live);
      if (!directive) {
        if (live) seen.push(line);
        continue;
      }
      const [, word = '', rest = ''] = directive;
      if (word === 'ifdef' || word === 'if') branches.push({ live: false, taken: false });
      else if (word === 'ifndef') branches.push({ live: true, taken: true });
      else if (word === 'else') branches.splice(-1, 1, { live: !branches.at(-1)?.taken, taken: true });
      else if (word === 'endif') branches.pop();
      else if (word === 'define' && live) this.#define(rest);
    }
    return seen.join('\n');
  }

  #define(macro: string): void {
    const [, name = '', value = ''] = /^(\w+)\s+(.+?)\s*$/.exec(macro) ?? [];
    const number = value ? this.#evaluate(value) : undefined;
    if (number !== undefined) this.constants.set(name, number);
  }

  #declare(statement: string): void {
    if (/\b(GGML_)?DEPRECATED\s*\(/.test(statement) || /^(static|extern)\b/.test(statement)) return;
    const definition = /^(typedef\s+)?(struct|enum|union)\s*(\w*)\s*\{([\s\S]*)\}\s*(\w*)$/.exec(statement);
    if (definition) {
      const [, , kind, tag = '', body = '', alias = ''] = definition;
      if (kind === 'enum') this.#enum(tag || alias, body);
      else this.#struct(tag || alias, body);
    } else if (exported.test(statement)) this.#function(statement);
    else if (statement.startsWith('typedef')) this.#typedef(statement.slice('typedef'.length).trim());
  }

  #enum(name: string, body: string): void {
    const values = new Map<string, number>();
    let next = 0;
    for (const entry of pieces(body, ',')) {
      const [enumerator = '', expression] = entry.split('=').map((part) => part.trim());
      const value = expression === undefined ? next : this.#evaluate(expression);
      if (value === undefined) throw new Error(`${enumerator} of ${name} has a value that is not understood.`);
      values.set(enumerator, value);
      this.#enumerators.set(enumerator, value);
      next = value + 1;
    }
    this.enums.set(name, values);
    this.#named.set(name, 'int32');
  }

  #struct(name: string, body: string): void {
    const fields = pieces(body, ';').map((member): Field => {
      const [, inner, within] = /^struct\s*\{([\s\S]*)\}\s*(\w+)$/.exec(member) ?? [];
      if (inner && within) {
        this.#struct(`${name}_${within}`, inner);
        return { name: within, type: `${name}_${within}` };
      }
      const union = /^union\s*\{([\s\S]*)\}$/.exec(member);
      if (!union) return this.#variable(member);
      const members = pieces(union[1] ?? '', ';').map((each) => this.#variable(each));
      return { name: members.map((each) => each.name).join('|'), type: members.map((each) => each.type).join('|') };
    });
    this.structs.set(name, fields);
    this.#named.set(name, name);
  }

  #typedef(text: string): void {
    const pointer = /^[^(]*\(\s*\*\s*(\w+)\s*\)/.exec(text);
    if (pointer?.[1]) this.#named.set(pointer[1], 'pointer');
    else if (!/^(struct|enum)\s+(\w+)\s+\2$/.test(text)) {
      const { name, type } = this.#variable(text);
      this.#named.set(name, type);
    }
  }

  #function(statement: string): void {
    const plain = statement.replace(/\b\w*(_API|NORETURN|ATTRIBUTE_FORMAT)\b(\s*\([^)]*\))?|\bextern\b/g, ' ').trim();
    const [, result = '', name = '', list = ''] = /^([^(]*?)(\w+)\s*\(([\s\S]*)\)$/.exec(plain) ?? [];
    if (!name) throw new Error(`Not understood: ${statement}`);
    if (list.includes('...')) {
      this.leftOut.set(name, 'takes a list of any length');
      return;
    }
    const parameters = list.trim() === 'void' ? [] : pieces(list, ',');
    this.functions.push({
      name,
      home: statement.includes('GGML_BACKEND_API') ? 'backend' : 'library',
      result: this.#type(result),
      parameters: parameters.map((parameter, index) => {
        const variable = this.#variable(parameter, `argument${index}`);
        return variable.type.includes('[') ? { name: variable.name, type: 'pointer' } : variable;
      }),
    });
  }

  /** `const char * name`, `int64_t ne[4]`, `float (*name)(...)`, or a type alone. */
  #variable(text: string, unnamed?: string): Field {
    const pointer = /\(\s*\*\s*(\w+)\s*\)\s*\(/.exec(text);
    if (pointer?.[1]) return { name: pointer[1], type: 'pointer' };
    const [, type = '', name = '', dimension] = /^([\s\S]*?)(\w+)\s*(?:\[([\s\S]*)\])?$/.exec(text) ?? [];
    if (unnamed && (!type.trim() || text.trim().endsWith('*') || this.#named.has(name)))
      return { name: unnamed, type: this.#type(text) };
    if (dimension === undefined) return { name, type: this.#type(type) };
    const count = this.#evaluate(dimension.replace('sizeof(int32_t)', '4'));
    if (count === undefined) throw new Error(`The size of ${text} is not understood.`);
    return { name, type: `${this.#type(type)}[${count}]` };
  }

  #type(text: string): string {
    const words = text
      .replace(/\b(const|struct|enum|restrict|GGML_RESTRICT)\b/g, ' ')
      .replace(/\s+/g, ' ')
      .trim();
    if (words === 'char *' && /\bconst\b/.test(text)) return 'string';
    if (words.endsWith('*')) return 'pointer';
    const type = this.#named.get(words);
    if (!type) throw new Error(`The type '${text.trim()}' is not known.`);
    return type;
  }

  /** Of numbers, names of macros and enumerators, and `|`, `<<`, `*`, `/`. undefined: none of these. */
  #evaluate(expression: string): number | undefined {
    const plain = expression.trim().replace(/^\(([^()]*)\)$/, '$1');
    for (const [sign, join] of operators) {
      const parts = plain.split(sign);
      if (parts.length < 2) continue;
      const values = parts.map((part) => this.#evaluate(part));
      return values.every((value) => value !== undefined) ? values.reduce(join) : undefined;
    }
    const number = /^-?(0x[0-9a-f]+|\d+)u?$/i.test(plain) ? Number(plain.replace(/u$/i, '')) : undefined;
    return number ?? this.#enumerators.get(plain) ?? this.constants.get(plain);
  }
}

const operators: readonly [string, (left: number, right: number) => number][] = [
  ['|', (left, right) => left | right],
  ['<<', (left, right) => left << right],
  ['*', (left, right) => left * right],
  ['/', (left, right) => left / right],
];

function statements(text: string): string[] {
  return pieces(text, ';');
}

/** Cut at a separator that is in no bracket; without empty pieces. */
function pieces(text: string, separator: string): string[] {
  const found: string[] = [];
  let depth = 0;
  let start = 0;
  for (let at = 0; at <= text.length; at++) {
    const letter = text[at] ?? separator;
    if ('({['.includes(letter)) depth++;
    else if (')}]'.includes(letter)) depth--;
    else if (letter === separator && depth === 0) {
      const piece = text.slice(start, at).trim();
      if (piece) found.push(piece);
      start = at + 1;
    }
  }
  return found;
}

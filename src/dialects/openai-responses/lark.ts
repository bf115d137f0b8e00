/**
 * Lark grammars without recursion -> one regular expression, by writing each rule where it is named. That covers the
 * line-based formats that free-form tools use (a patch, a command). Grammar: Lark's reference manual, "Grammar Reference".
 */
function larkToRegex(grammar: string): string | undefined {
  try {
    const rules = readRules(grammar);
    return new Expander(rules).rule('start');
  } catch (thrown) {
    if (thrown instanceof Unsupported) return undefined;
    throw thrown;
  }
}

class Unsupported extends Error {}

/** Lark's `common` terminals that name single characters or plain runs of them. */
const common: Readonly<Record<string, string>> = {
  LF: String.raw`\n`,
  CR: String.raw`\r`,
  NEWLINE: String.raw`(?:\r?\n)+`,
  WS: String.raw`[ \t\f\r\n]+`,
  WS_INLINE: String.raw`[ \t]+`,
  DIGIT: '[0-9]',
  HEXDIGIT: '[0-9a-fA-F]',
  INT: '[0-9]+',
  SIGNED_INT: '[+-]?[0-9]+',
  LCASE_LETTER: '[a-z]',
  UCASE_LETTER: '[A-Z]',
  LETTER: '[a-zA-Z]',
  WORD: '[a-zA-Z]+',
  CNAME: '[_a-zA-Z][_a-zA-Z0-9]*',
};

/** An expanded grammar longer than this costs more to hold a model to than it is worth. */
const maxCharacters = 20_000;

type Token = { readonly kind: 'name' | 'string' | 'regex' | 'sign'; readonly text: string };
/** A rule's right side, or the regular expression of an imported terminal. */
type Rule = readonly Token[] | string;

function readRules(grammar: string): Map<string, Rule> {
  const rules = new Map<string, Rule>();
  for (const statement of statements(grammar)) {
    if (statement.startsWith('%')) {
      for (const [name, regex] of imported(statement)) rules.set(name, regex);
      continue;
    }
    const head = /^[?!]?\s*([_a-zA-Z]\w*)(?:\.-?\d+)?\s*:/.exec(statement);
    if (!head?.[1] || rules.has(head[1])) throw new Unsupported();
    rules.set(head[1], tokens(statement.slice(head[0].length)));
  }
  return rules;
}

/** One rule or directive each; a line that begins with `|` goes on with the rule before it. */
function statements(grammar: string): string[] {
  const found: string[] = [];
  for (const line of grammar.split('\n')) {
    const text = line.trim();
    if (text === '' || text.startsWith('//')) continue;
    const startsNew = text.startsWith('%') || /^[?!]?\s*[_a-zA-Z]\w*(?:\.-?\d+)?\s*:/.test(text);
    const last = found.length - 1;
    if (startsNew) found.push(text);
    else if (last >= 0) found[last] = `${found[last]}\n${text}`;
    else throw new Unsupported();
  }
  return found;
}

/** `%import common.LF`, `%import common.LF -> NL`, `%import common (LF, WS)`. `%ignore` and all others are refused. */
function imported(statement: string): [string, string][] {
  const one = /^%import\s+common\.(\w+)(?:\s*->\s*(\w+))?$/.exec(statement);
  const many = /^%import\s+common\s*\(([\w\s,]+)\)$/.exec(statement);
  const names = one?.[1] ? [one[1]] : (many?.[1]?.split(',').map((name) => name.trim()) ?? []);
  if (names.length === 0) throw new Unsupported();
  return names.map((name) => {
    const regex = Object.hasOwn(common, name) ? common[name] : undefined;
    if (regex === undefined) throw new Unsupported();
    return [one?.[2] ?? name, regex];
  });
}

const tokenPattern =
  /\s+|\/\/[^\n]*|(?<alias>->\s*\w+)|(?<string>"(?:[^"\\\n]|\\.)*")(?![a-z])|(?<regex>\/(?:[^/\\\n]|\\.)+\/)(?<flags>[a-z]*)|(?<name>[_a-zA-Z]\w*)|(?<sign>\.\.|~\s*\d+(?:\s*\.\.\s*\d+)?|[()[\]|?*+])/y;

function tokens(text: string): Token[] {
  const found: Token[] = [];
  tokenPattern.lastIndex = 0;
  while (tokenPattern.lastIndex < text.length) {
    const groups = tokenPattern.exec(text)?.groups;
    if (!groups || (groups.flags ?? '') !== '') throw new Unsupported();
    if (groups.string !== undefined) found.push({ kind: 'string', text: groups.string });
    else if (groups.regex !== undefined) found.push({ kind: 'regex', text: groups.regex });
    else if (groups.name !== undefined) found.push({ kind: 'name', text: groups.name });
    else if (groups.sign !== undefined) found.push({ kind: 'sign', text: groups.sign.replace(/\s/g, '') });
  }
  return found;
}

class Expander {
  readonly #rules: ReadonlyMap<string, Rule>;
  /** Rules that are being written: meeting one again is recursion. */
  readonly #open = new Set<string>();
  #characters = 0;

  constructor(rules: ReadonlyMap<string, Rule>) {
    this.#rules = rules;
  }

  rule(name: string): string {
    const rule = this.#rules.get(name);
    if (rule === undefined || this.#open.has(name)) throw new Unsupported();
    if (typeof rule === 'string') return rule;
    this.#open.add(name);
    const rest = [...rule];
    const regex = this.#alternatives(rest);
    if (rest.length > 0) throw new Unsupported();
    this.#open.delete(name);
    return regex;
  }

  /** Takes tokens off the front up to a closing bracket. */
  #alternatives(rest: Token[]): string {
    const branches = [this.#sequence(rest)];
    while (rest[0]?.text === '|' && rest[0].kind === 'sign') {
      rest.shift();
      branches.push(this.#sequence(rest));
    }
    return branches.length === 1 ? branches.join('') : `(?:${branches.join('|')})`;
  }

  #sequence(rest: Token[]): string {
    let regex = '';
    for (let token = rest[0]; token && !endsSequence(token); token = rest[0]) {
      rest.shift();
      regex += this.#repeated(this.#atom(token, rest), rest);
    }
    this.#characters += regex.length;
    if (this.#characters > maxCharacters) throw new Unsupported();
    return regex;
  }

  #atom(token: Token, rest: Token[]): string {
    switch (token.kind) {
      case 'name':
        return this.rule(token.text);
      case 'regex':
        return `(?:${token.text.slice(1, -1).replaceAll(String.raw`\/`, '/')})`;
      case 'string':
        return rest[0]?.text === '..' ? range(token, rest) : literal(token.text);
      case 'sign':
        return this.#group(token, rest);
      default:
        return token.kind satisfies never;
    }
  }

  #group(open: Token, rest: Token[]): string {
    if (open.text !== '(' && open.text !== '[') throw new Unsupported();
    const inner = this.#alternatives(rest);
    if (rest.shift()?.text !== (open.text === '(' ? ')' : ']')) throw new Unsupported();
    return open.text === '(' ? inner : `(?:${inner})?`;
  }

  #repeated(atom: string, rest: Token[]): string {
    const sign = rest[0];
    if (sign?.kind !== 'sign' || !/^(?:[?*+]|~.*)$/.test(sign.text)) return atom;
    rest.shift();
    const count = sign.text.startsWith('~') ? `{${sign.text.slice(1).replace('..', ',')}}` : sign.text;
    return `(?:${atom})${count}`;
  }
}

function endsSequence(token: Token): boolean {
  return token.kind === 'sign' && (token.text === '|' || token.text === ')' || token.text === ']');
}

/** `"a".."f"`, one character each. */
function range(from: Token, rest: Token[]): string {
  rest.shift();
  const to = rest.shift();
  const ends = [from, to].map((end) => (end?.kind === 'string' ? literal(end.text) : ''));
  if (ends.some((end) => !/^\\?[^\\]$/.test(end))) throw new Unsupported();
  return `[${ends.join('-')}]`;
}

/** A quoted text as a regular expression for exactly that text. */
function literal(quoted: string): string {
  const text = unquote(quoted);
  return text
    .replace(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`)
    .replace(/\n/g, String.raw`\n`)
    .replace(/\r/g, String.raw`\r`)
    .replace(/\t/g, String.raw`\t`);
}

function unquote(quoted: string): string {
  try {
    const text: unknown = JSON.parse(quoted);
    if (typeof text === 'string') return text;
  } catch {
    // An escape that JSON does not have.
  }
  throw new Unsupported();
}

/**
 * The grammar of a free-form tool as a JSON Schema `pattern`, undefined where that cannot be done: a syntax that we do
 * not know, a regular expression that does not compile, a Lark grammar that recurses or skips text.
 */
export function inputPattern(syntax: string | undefined, definition: string): string | undefined {
  const regex = syntax === 'lark' ? larkToRegex(definition) : syntax === 'regex' ? definition : undefined;
  if (regex === undefined) return undefined;
  const pattern = `^(?:${regex})$`;
  return compiles(pattern) ? pattern : undefined;
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').source !== '';
  } catch {
    return false;
  }
}

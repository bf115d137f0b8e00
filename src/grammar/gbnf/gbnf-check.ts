import { ServeError } from '../../contract/errors.ts';
import type { FlatRule } from './flat-rules.ts';
import { flatten } from './flat-rules.ts';
import type { Grammar } from './gbnf.ts';
import { parseGrammar } from './gbnf-parse.ts';

/** Longer grammars would hold up the server each time they are read. */
const maxLength = 1_000_000;
/** Ways into a rule's first character. llama.cpp walks each of them, so doubling rules would take it forever. */
const maxEntries = 20_000;

/**
 * Reads raw GBNF before the native parser does. Throws ServeError invalid_request, with line and column where the text
 * itself is at fault, for what llama.cpp rejects, ignores, or dies of: syntax, unknown rules, left recursion, rules
 * that can never end, and grammars that double with every rule.
 */
export function checkGrammar(source: string, param = 'grammar'): Grammar {
  if (source.length > maxLength)
    throw refuse(`The grammar has ${source.length} characters; the limit is ${maxLength}.`, param);
  const grammar = parseGrammar(source, param);
  checkRules(flatten(grammar, param), param);
  return grammar;
}

export function checkRules(rules: readonly FlatRule[], param: string): void {
  const nullable = closure(rules, (option, known) =>
    option.every((each) => each.kind === 'call' && known.has(each.target)),
  );
  const finite = closure(rules, (option, known) =>
    option.every((each) => each.kind === 'terminal' || known.has(each.target)),
  );
  const endless = rules.find((_, index) => !finite.has(index));
  if (endless)
    throw refuse(`The grammar's rule "${endless.name}" can never end: every alternative needs it again.`, param);
  checkEntries(rules, nullable, param);
}

/** Rules with at least one option of which `holds`, to the fixed point. */
function closure(
  rules: readonly FlatRule[],
  holds: (option: FlatRule['options'][number], known: ReadonlySet<number>) => boolean,
): ReadonlySet<number> {
  const known = new Set<number>();
  const users = rules.map((): number[] => []);
  rules.forEach((rule, index) => {
    for (const option of rule.options)
      for (const each of option) if (each.kind === 'call') users[each.target]?.push(index);
  });
  const todo = rules.map((_, index) => index);
  for (let index = todo.pop(); index !== undefined; index = todo.pop()) {
    if (known.has(index) || !rules[index]?.options.some((option) => holds(option, known))) continue;
    known.add(index);
    for (const user of users[index] ?? []) todo.push(user);
  }
  return known;
}

/** Depth first over the rules that can stand at the very beginning of a rule. */
function checkEntries(rules: readonly FlatRule[], nullable: ReadonlySet<number>, param: string): void {
  const firsts = rules.map((rule) => rule.options.flatMap((option) => leading(option, nullable)));
  const counts = new Map<number, number>();
  const open = new Set<number>();
  const todo = rules.map((_, index) => index);
  while (todo.length > 0) {
    const index = todo.at(-1) ?? 0;
    if (counts.has(index)) {
      todo.pop();
      continue;
    }
    const waiting = (firsts[index] ?? []).filter((first) => !counts.has(first));
    if (waiting.length === 0) {
      const count = (firsts[index] ?? []).reduce((sum, first) => sum + (counts.get(first) ?? 0), 1);
      if (count > maxEntries)
        throw refuse(
          `The grammar's rule "${rules[index]?.name}" can begin in more than ${maxEntries} ways; give its alternatives different beginnings.`,
          param,
        );
      counts.set(index, count);
      open.delete(index);
      todo.pop();
      continue;
    }
    open.add(index);
    const loop = waiting.find((first) => open.has(first));
    if (loop !== undefined)
      throw refuse(
        `The grammar's rule "${rules[loop]?.name}" can begin with itself (left recursion); put what it repeats after a character.`,
        param,
      );
    for (const first of waiting) todo.push(first);
  }
}

function leading(option: FlatRule['options'][number], nullable: ReadonlySet<number>): number[] {
  const found: number[] = [];
  for (const each of option) {
    if (each.kind === 'terminal') break;
    found.push(each.target);
    if (!nullable.has(each.target)) break;
  }
  return found;
}

function refuse(message: string, param: string): ServeError {
  return new ServeError('invalid_request', message, { param });
}

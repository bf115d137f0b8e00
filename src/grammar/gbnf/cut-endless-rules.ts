import type { Expression, Grammar } from './gbnf.ts';
import { choiceOf, empty, repeat, sequenceOf } from './gbnf.ts';

/**
 * Cuts the alternatives that can never come to an end, like a list node that needs a further list node for ever.
 * undefined: then nothing is left of `root`.
 */
export function withoutEndlessRules(grammar: Grammar): Grammar | undefined {
  const good = finite(grammar);
  if (!good.has('root')) return undefined;
  if (good.size === grammar.size) return grammar;
  const cut = (expression: Expression): Expression | undefined => {
    switch (expression.kind) {
      case 'rule':
        return good.has(expression.name) ? expression : undefined;
      case 'sequence': {
        const parts = expression.parts.map(cut).filter((part) => part !== undefined);
        if (same(parts, expression.parts)) return expression;
        return parts.length === expression.parts.length ? sequenceOf(parts) : undefined;
      }
      case 'choice': {
        const options = expression.options.map(cut).filter((option) => option !== undefined);
        if (same(options, expression.options)) return expression;
        return options.length === 0 ? undefined : choiceOf(options);
      }
      case 'repeat': {
        const part = cut(expression.part);
        if (part === expression.part) return expression;
        return part ? repeat(part, expression.min, expression.max) : expression.min === 0 ? empty : undefined;
      }
      default:
        return expression;
    }
  };
  const kept = [...grammar]
    .filter(([name]) => good.has(name))
    .map(([name, body]) => [name, cut(body) ?? empty] as const);
  return new Map(kept);
}

/** What nothing was cut from stays the very expression, whose text is known. */
function same(some: readonly Expression[], all: readonly Expression[]): boolean {
  return some.length === all.length && some.every((each, index) => each === all[index]);
}

/** Rules that have at least one finite text. A rule is looked at again when one that it mentions turns out to have one. */
function finite(grammar: Grammar): ReadonlySet<string> {
  const good = new Set<string>();
  const waiting = new Map<string, string[]>();
  const ends = (expression: Expression, owner: string): boolean => {
    switch (expression.kind) {
      case 'rule': {
        if (good.has(expression.name)) return true;
        const users = waiting.get(expression.name);
        if (users) users.push(owner);
        else waiting.set(expression.name, [owner]);
        return false;
      }
      case 'sequence':
        return expression.parts.every((part) => ends(part, owner));
      case 'choice':
        return expression.options.some((option) => ends(option, owner));
      case 'repeat':
        return expression.min === 0 || ends(expression.part, owner);
      default:
        return true;
    }
  };
  const todo = [...grammar.keys()];
  for (let name = todo.pop(); name !== undefined; name = todo.pop()) {
    const body = grammar.get(name);
    if (good.has(name) || !body || !ends(body, name)) continue;
    good.add(name);
    for (const user of waiting.get(name) ?? []) todo.push(user);
    waiting.delete(name);
  }
  return good;
}

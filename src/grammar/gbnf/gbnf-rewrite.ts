import { factored } from './factored.ts';
import type { Expression, Grammar } from './gbnf.ts';
import { repeat, rule, sequenceOf } from './gbnf.ts';

/** The same grammar under other names, so that it can stand beside other rules. */
export function prefixRules(grammar: Grammar, prefix: string): Grammar {
  const rename = (expression: Expression): Expression =>
    rewrite(expression, (each) => (each.kind === 'rule' ? rule(prefix + each.name) : each));
  return new Map([...grammar].map(([name, body]) => [prefix + name, rename(body)]));
}

/** The same texts; alternatives that begin alike have their beginning in common, so that fewer readings are open. */
export function shareBeginnings(grammar: Grammar): Grammar {
  const rules = new Map<string, Expression>();
  const fresh = freshNames(grammar, rules, 'rest');
  const book = {
    define: (_: string, expression: Expression) => {
      const name = fresh();
      rules.set(name, expression);
      return rule(name);
    },
  };
  for (const [name, body] of grammar)
    rules.set(
      name,
      rewrite(body, (each) => (each.kind === 'choice' ? grouped(factored(book, 'rest', each.options)) : each)),
    );
  return rules;
}

/** A choice that came to be a sequence must stay one item for a count after it. */
function grouped(expression: Expression): Expression {
  return expression.kind === 'sequence' ? { kind: 'choice', options: [expression] } : expression;
}

/**
 * Gives what is counted a rule of its own. llama.cpp multiplies nested counts and refuses more than 2000 rules for one
 * item; counting a single rule never comes near that.
 */
export function hoistCounts(grammar: Grammar): Grammar {
  const rules = new Map<string, Expression>();
  const fresh = freshNames(grammar, rules, 'counted');
  for (const [name, body] of grammar) {
    rules.set(
      name,
      rewrite(body, (each) => {
        if (each.kind !== 'repeat' || each.part.kind === 'rule' || (each.max ?? each.min) <= 1) return each;
        const part = fresh();
        rules.set(part, each.part);
        return { ...each, part: rule(part) };
      }),
    );
  }
  return rules;
}

/** Names that neither grammar has. */
function freshNames(grammar: Grammar, rules: Grammar, base: string): () => string {
  let count = 0;
  return () => {
    let name = `${base}-${++count}`;
    while (grammar.has(name) || rules.has(name)) name = `${base}-${++count}`;
    return name;
  };
}

/** Bottom up. */
function rewrite(expression: Expression, change: (expression: Expression) => Expression): Expression {
  const inner = (each: Expression) => rewrite(each, change);
  switch (expression.kind) {
    case 'sequence':
      return change(sequenceOf(expression.parts.map(inner)));
    case 'choice':
      return change({ kind: 'choice', options: expression.options.map(inner) });
    case 'repeat':
      return change(repeat(inner(expression.part), expression.min, expression.max));
    default:
      return change(expression);
  }
}

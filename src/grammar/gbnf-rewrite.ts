import type { Expression, Grammar } from './gbnf.ts';
import { repeat, rule, sequence } from './gbnf.ts';

/** The same grammar under other names, so that it can stand beside other rules. */
export function prefixRules(grammar: Grammar, prefix: string): Grammar {
  const rename = (expression: Expression): Expression =>
    rewrite(expression, (each) => (each.kind === 'rule' ? rule(prefix + each.name) : each));
  return new Map([...grammar].map(([name, body]) => [prefix + name, rename(body)]));
}

/**
 * Gives what is counted a rule of its own. llama.cpp multiplies nested counts and refuses more than 2000 rules for one
 * item; counting a single rule never comes near that.
 */
export function hoistCounts(grammar: Grammar): Grammar {
  const rules = new Map<string, Expression>();
  let count = 0;
  for (const [name, body] of grammar) {
    rules.set(
      name,
      rewrite(body, (each) => {
        if (each.kind !== 'repeat' || each.part.kind === 'rule' || (each.max ?? each.min) <= 1) return each;
        let fresh = `counted-${++count}`;
        while (grammar.has(fresh) || rules.has(fresh)) fresh = `counted-${++count}`;
        rules.set(fresh, each.part);
        return { ...each, part: rule(fresh) };
      }),
    );
  }
  return rules;
}

/** Bottom up. */
function rewrite(expression: Expression, change: (expression: Expression) => Expression): Expression {
  const inner = (each: Expression) => rewrite(each, change);
  switch (expression.kind) {
    case 'sequence':
      return change(sequence(...expression.parts.map(inner)));
    case 'choice':
      return change({ kind: 'choice', options: expression.options.map(inner) });
    case 'repeat':
      return change(repeat(inner(expression.part), expression.min, expression.max));
    default:
      return change(expression);
  }
}

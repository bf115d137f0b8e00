import type { Expression, Grammar } from '../../src/grammar/gbnf/gbnf.ts';

/** A number from 0 to below `limit`. */
export type Draw = (limit: number) => number;

/** A random text of the grammar; beyond `size` steps only the shortest ways to the end are taken. */
export function randomText(grammar: Grammar, draw: Draw, size = 200): string {
  let left = size;
  const write = (expression: Expression): string => {
    left--;
    switch (expression.kind) {
      case 'text':
        return expression.text;
      case 'chars': {
        const [low, high] = expression.ranges[draw(expression.ranges.length)] ?? [97, 97];
        // Mostly the beginning of a range: its far end is rarely interesting.
        return String.fromCodePoint(low + draw(Math.min(high - low + 1, draw(4) === 0 ? high - low + 1 : 30)));
      }
      case 'rule':
        return write(grammar.get(expression.name) ?? { kind: 'sequence', parts: [] });
      case 'sequence':
        return expression.parts.map(write).join('');
      case 'choice': {
        const options =
          left > 0
            ? expression.options
            : [...expression.options]
                .sort((a, b) => height(a, heightsIn(grammar)) - height(b, heightsIn(grammar)))
                .slice(0, 1);
        const option = options[draw(options.length)];
        return option ? write(option) : '';
      }
      case 'repeat': {
        const most = expression.max ?? expression.min + 4;
        const count = left > 0 ? expression.min + draw(Math.min(most - expression.min, 6) + 1) : expression.min;
        return Array.from({ length: count }, () => write(expression.part)).join('');
      }
      default:
        throw new Error(`no text for ${expression.kind}`);
    }
  };
  return write({ kind: 'rule', name: 'root' });
}

const known = new WeakMap<Grammar, ReadonlyMap<string, number>>();

function heightsIn(grammar: Grammar): ReadonlyMap<string, number> {
  const heights = known.get(grammar) ?? ruleHeights(grammar);
  known.set(grammar, heights);
  return heights;
}

/** How deep a rule's shallowest text nests, by name. */
function ruleHeights(grammar: Grammar): Map<string, number> {
  const heights = new Map<string, number>();
  for (let changed = true; changed; ) {
    changed = false;
    for (const [name, body] of grammar) {
      const found = height(body, heights);
      if (found < (heights.get(name) ?? Number.POSITIVE_INFINITY)) {
        heights.set(name, found);
        changed = true;
      }
    }
  }
  return heights;
}

function height(expression: Expression, heights: ReadonlyMap<string, number>): number {
  switch (expression.kind) {
    case 'rule':
      return 1 + (heights.get(expression.name) ?? Number.POSITIVE_INFINITY);
    case 'sequence':
      return Math.max(0, ...expression.parts.map((part) => height(part, heights)));
    case 'choice':
      return Math.min(...expression.options.map((option) => height(option, heights)));
    case 'repeat':
      return expression.min === 0 ? 0 : height(expression.part, heights);
    default:
      return 0;
  }
}

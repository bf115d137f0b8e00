import { z } from 'zod';
import { type BuiltInTool, builtInTool } from './built-in-tool.ts';

/** A person's sum is shorter. With the limits on digits it keeps the work of one call below some milliseconds. */
const longestExpression = 500;

export function calculatorTool(): BuiltInTool {
  return builtInTool({
    name: 'calculator',
    description:
      'Calculates exactly, with fractions and integers of any size. Knows + - * / ^ % ! and parentheses, sqrt cbrt abs round floor ceil min max gcd lcm mod choose exp ln log log2 sin cos tan asin acos atan (radians), pi and e.',
    args: z.object({
      expression: z.string().max(longestExpression).describe('Such as (0.1 + 0.2) * 3^20 or sqrt(2) / 7'),
    }),
    run: async ({ expression }) => {
      const { calculate } = await import('./calculate.ts');
      return calculate(expression);
    },
  });
}

import { describe, expect, it } from 'vitest';
import { environmentName, flagSpelling, flags } from '../../src/config/flags.ts';
import { describeFlags, parseConfig } from '../../src/config.ts';

function help(): string {
  const parsed = parseConfig(['--help'], {});
  return parsed.command === 'help' ? parsed.text : '';
}

describe('--help', () => {
  it('shows every flag once, no line longer than a terminal', () => {
    const lines = help().split('\n');
    for (const name of Object.keys(flags)) {
      const mark = new RegExp(`^  --(\\[no-\\])?${flagSpelling(name)}[ ,]|^  --(\\[no-\\])?${flagSpelling(name)}$`);
      expect(
        lines.filter((line) => mark.test(line)),
        name,
      ).toHaveLength(1);
    }
    expect(lines.filter((line) => line.length > 100)).toEqual([]);
  });

  it('says defaults and choices', () => {
    expect(help()).toContain('--gpu auto|cuda|metal|vulkan|off\n        What to compute on. [auto]');
    expect(help()).toContain('--queue-timeout TIME\n        Longest wait for a slot. [1m]');
  });

  it('has no two flags or variables of the same name', () => {
    const words = describeFlags().flatMap((row) => [...row.usage.matchAll(/--?[a-z[\]-]+/g)].map(([word]) => word));
    expect(new Set(words).size).toBe(words.length);
    const variables = Object.keys(flags).map(environmentName);
    expect(new Set(variables).size).toBe(variables.length);
  });
});

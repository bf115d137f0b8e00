import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { flagGroups } from '../../src/config/flags.ts';
import { describeFlags } from '../../src/config.ts';

const path = resolve(import.meta.dirname, '../../README.md');
const marks = /(<!-- flags:begin -->\n)[\s\S]*(<!-- flags:end -->)/;

function flagTable(): string {
  const cell = (text: string) => text.replaceAll('|', '\\|');
  const row = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
  const rows = flagGroups.flatMap((group) => [
    row([`**${group}**`, '', '']),
    ...describeFlags()
      .filter((flag) => flag.group === group)
      .map((flag) => row([`\`${flag.usage}\``, flag.help, flag.default])),
  ]);
  return ['| flag | what | default |', '| --- | --- | --- |', ...rows].join('\n');
}

it("the README's flag table is the one that --help prints", () => {
  const readme = readFileSync(path, 'utf8');
  const expected = readme.replace(marks, (_, begin: string, end: string) => `${begin}${flagTable()}\n${end}`);
  if (process.env.UPDATE_README === '1') writeFileSync(path, expected);
  else expect(readme, 'UPDATE_README=1 writes it').toBe(expected);
  expect(readme).toMatch(marks);
});

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { flagGroups } from '../../src/config/flags.ts';
import { describeFlags } from '../../src/config.ts';
import { readDocument, root } from '../support/documents.ts';

const marks = /(<!-- flags:begin -->\n)([\s\S]*)(<!-- flags:end -->)/;
const cell = (text: string) => text.replaceAll('|', '\\|');
const row = (cells: readonly string[]) => `| ${cells.map(cell).join(' | ')} |`;
const head = ['| flag | what | default |', '| --- | --- | --- |'];
const flags = describeFlags().map((flag) => ({
  name: /--(\[no-\])?([a-z-]+)/.exec(flag.usage)?.[2] ?? '',
  group: flag.group,
  line: row([`\`${flag.usage}\``, flag.help, flag.default]),
}));

/** Compares a document's table of flags with the one that belongs there, or writes it. */
function expectTable(path: string, lines: (written: string) => readonly string[]): void {
  const document = readDocument(path);
  expect(document, path).toMatch(marks);
  const expected = document.replace(
    marks,
    (_, begin: string, written: string, end: string) => `${begin}${[...head, ...lines(written)].join('\n')}\n${end}`,
  );
  if (process.env.UPDATE_README === '1') writeFileSync(join(root, path), expected);
  else expect(document, 'UPDATE_README=1 writes it').toBe(expected);
}

it('the table of all flags is the one that --help prints', () => {
  expectTable('src/config/README.md', () =>
    flagGroups.flatMap((group) => [
      row([`**${group}**`, '', '']),
      ...flags.filter((flag) => flag.group === group).map((flag) => flag.line),
    ]),
  );
});

it("the README's table has ten flags, in the words of the table of all", () => {
  expectTable('README.md', (written) => {
    const names = [...written.matchAll(/^\| `--(?:\[no-\])?([a-z-]+)/gm)].map((match) => match[1] ?? '');
    expect(new Set(names).size).toBe(10);
    return names.map((name) => flags.find((flag) => flag.name === name)?.line ?? `there is no flag --${name}`);
  });
});

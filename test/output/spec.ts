import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** One case of a spec file: what the model writes, and the blocks that must come of it. */
export interface SpecCase {
  readonly file: string;
  readonly line: number;
  readonly title: string;
  readonly input: string;
  readonly expected: readonly string[];
  readonly settings: Readonly<Record<string, string>>;
}

/**
 * Reads the spec files of a folder. A heading `## title` begins a case; a list line `- name: value` is a setting of the
 * case, or of all cases when it stands above the first; the fenced blocks `input` and `blocks` hold the text. The line break
 * in front of a closing fence is not part of it.
 */
export function readSpecs(folder: string): SpecCase[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.md') && file !== 'README.md')
    .flatMap((file) => readSpec(file, readFileSync(join(folder, file), 'utf8')));
}

function readSpec(file: string, text: string): SpecCase[] {
  const [head = '', ...sections] = text.split(/^## /m);
  const shared = settingsOf(head);
  let line = head.split('\n').length;
  return sections.map((section) => {
    const title = section.slice(0, section.indexOf('\n')).trim();
    const input = fenced(section, 'input');
    const blocks = fenced(section, 'blocks');
    if (input === undefined || blocks === undefined) throw new Error(`${file}:${line}: a case needs input and blocks.`);
    const found = {
      file,
      line,
      title,
      input,
      expected: blocks === '' ? [] : blocks.split('\n'),
      settings: { ...shared, ...settingsOf(section.replace(fences, '')) },
    };
    line += section.split('\n').length - 1;
    return found;
  });
}

const fences = /^(`{3,}|~{3,})(\w*)\n([\s\S]*?)^\1$/gm;

function fenced(section: string, name: string): string | undefined {
  const found = [...section.matchAll(fences)].find(([, , label]) => label === name)?.[3];
  return found?.replace(/\n$/, '');
}

function settingsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    [...text.matchAll(/^- ([\w-]+): (.*)$/gm)].map(([, name = '', value = '']) => [name, value]),
  );
}

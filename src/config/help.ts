import { commands } from './commands.ts';
import type { FlagName, FlagValues } from './flags.ts';
import { environmentName, type Flag, flagGroups, flagSpelling, flags } from './flags.ts';
import { flagNames } from './read-arguments.ts';

const width = 96;

/** One flag as a person reads it. The tables of the documents and --help are made of these. */
export interface FlagText {
  readonly group: string;
  /** `--port N`, `--no-strict-tools` for a switch that is on. */
  readonly usage: string;
  readonly environment: string;
  readonly help: string;
  /** Empty when there is nothing to say. */
  readonly default: string;
}

export function describeFlags(): FlagText[] {
  return flagNames.map(describeFlag);
}

function describeFlag(name: FlagName): FlagText {
  const row: Flag<unknown> = flags[name];
  const spelling = flagSpelling(name);
  const also = (row.alsoFlags ?? []).map((other) => (other.length === 1 ? `-${other}` : `--${other}`));
  const placeholder = row.kind.placeholder === '' ? '' : ` ${row.kind.placeholder}`;
  const main = row.kind.shape === 'switch' || row.kind.none !== undefined ? `--[no-]${spelling}` : `--${spelling}`;
  return {
    group: row.group,
    usage: `${[main, ...also].join(', ')}${placeholder}`,
    environment: [environmentName(name), ...(row.alsoEnvironment ?? [])].join(', '),
    help: row.kind.shape === 'repeatable' ? `${row.help} Repeatable.` : row.help,
    default: defaultText(name),
  };
}

function defaultText(name: keyof FlagValues): string {
  const row: Flag<unknown> = flags[name];
  if (row.defaultText !== undefined) return row.defaultText;
  return row.default === undefined ? '' : row.kind.show(row.default);
}

export function helpText(): string {
  const usages = Object.entries(commands).map(([name, { operands, help }]) => ({
    usage: `${name} ${operands}`.trimEnd(),
    help,
  }));
  const longest = Math.max(...usages.map(({ usage }) => usage.length));
  const commandLines = usages.map(({ usage, help }) => `  serve-model ${usage.padEnd(longest)}  ${help}`);
  const sections = flagGroups.map((group) => {
    const rows = describeFlags().filter((row) => row.group === group);
    return [`${group}:`, ...rows.flatMap(helpLines)].join('\n');
  });
  return [
    'Usage: serve-model [MODEL] [flags]',
    wrap(
      'MODEL is a .gguf file (the first part of a split one), a folder that holds one, or hf:owner/repo[:quant]. Without it the bundled demo model is served.',
      '',
    ).join('\n'),
    ['Commands:', ...commandLines].join('\n'),
    ...sections,
    wrap(
      'Every flag has a twin in the environment: --ctx-size is SERVE_MODEL_CTX_SIZE. The command line wins. Times are seconds or 30s, 5m, 2h. Lists are repeated or separated by commas.',
      '',
    ).join('\n'),
    'The guides to all of it: /docs of a server that runs, as http://127.0.0.1:8080/docs.',
    '  -h, --help     this text\n  -V, --version  the version',
  ].join('\n\n');
}

function helpLines(row: FlagText): string[] {
  const tail = row.default === '' ? '' : ` [${row.default}]`;
  return [`  ${row.usage}`, ...wrap(row.help + tail, '        ')];
}

function wrap(words: string, indent: string): string[] {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(indent + word);
  }
  return lines;
}

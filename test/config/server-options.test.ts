import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Flag, flags } from '../../src/config/flags.ts';
import { describeFlags, embeddedDefaults, parseConfig } from '../../src/config.ts';
import { root } from '../support/documents.ts';

const path = join(root, 'src/config/server-options.ts');

/** Members of Config that are no flag's value as it is written; the texts continue what Config says of them. */
const others: Readonly<Record<string, { readonly type: string; readonly text: string }>> = {
  cacheFolder: {
    type: 'string',
    text: "Folder for what is found out once, as which threads are quickest. Default: .cache/serve-model in the user's home.",
  },
  chatStore: {
    type: 'ChatStorePlace',
    text: 'Where chats are kept. Default: nowhere, because a program that holds the server keeps nothing unasked.',
  },
  chatTemplate: { type: 'string', text: "Jinja text of a chat template. Default: the model's own." },
  dataFolder: {
    type: 'string',
    text: "Folder for what is remembered of this machine. Default: serve-model's in the user's data folder.",
  },
  keyFile: { type: 'KeyFile', text: 'Keys with names and limits, as --api-key-file has them. Default: none.' },
  modelsDir: {
    type: 'string',
    text: "Folder for downloaded models. Default: serve-model's in the user's cache folder.",
  },
  namedModels: {
    type: 'NamedModels',
    text: 'Models with names and settings, as --models-file has them. Default: none.',
  },
  runtimeFolder: {
    type: 'string',
    text: "Folder for what lives no longer than its processes. Default: serve-model's in the user's runtime folder.",
  },
  waitAtExit: {
    type: 'boolean',
    text: 'Wait at the end of the process for native code that runs, 3 s at most: without it a program that ends while a model loads may end with an abort. Default: false.',
  },
  toolServers: {
    type: 'readonly ToolServerConfig[]',
    text: 'Servers of tools (MCP), as --mcp-config has them. Default: none.',
  },
};

/** How the command line writes it -> how a program does. */
function defaultOf(name: string, row: Flag<unknown>, shown: string): string {
  const own = Object.hasOwn(embeddedDefaults, name) ? Reflect.get(embeddedDefaults, name) : row.default;
  if (row.defaultText !== undefined) return row.defaultText;
  if (own === undefined) return 'none';
  return row.kind.placeholder === 'TIME' || typeof own === 'boolean'
    ? String(own)
    : own === row.default
      ? shown
      : `${own}`;
}

function members(): string[] {
  const parsed = parseConfig([], {});
  const names = parsed.command === 'serve' ? Object.keys(parsed.config) : [];
  return names.toSorted().flatMap((name) => {
    const other = others[name];
    if (other) return [`  /** ${other.text} */`, `  readonly ${name}?: ${other.type};`];
    const row: Flag<unknown> | undefined = Object.entries(flags).find(([key]) => key === name)?.[1];
    if (row === undefined) throw new Error(`What is ${name}? Say it in this test.`);
    // Of the commands that talk to a server, or that do something else.
    if (row.onlyFor !== undefined && !row.onlyFor.includes('serve')) return [];
    const shown = describeFlags().find(({ environment }) => environment.startsWith(environmentOf(name)))?.default ?? '';
    const unit = row.kind.placeholder === 'TIME' ? ' Seconds.' : '';
    return [
      `  /** ${row.help}${unit} Default: ${defaultOf(name, row, shown)}. */`,
      `  readonly ${name}?: FlagValues['${name}'];`,
    ];
  });
}

function environmentOf(name: string): string {
  return `SERVE_MODEL_${name.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase()}`;
}

it('the options of createServer() say what the flags say', () => {
  const expected = `// Written by test/config/server-options.test.ts out of the table of flags: UPDATE_README=1 writes it anew.
import type { ChatStorePlace } from '../contract/chats.ts';
import type { ToolServerConfig } from '../contract/server-tools.ts';
import type { FlagValues } from './flags.ts';
import type { KeyFile } from './key-file.ts';
import type { NamedModels } from './named-models.ts';

/** What \`createServer()\` takes: the flags in camel case. Times are seconds; members that are left out take their defaults. */
export interface ServerOptions {
${members().join('\n')}
}
`;
  if (process.env.UPDATE_README === '1') writeFileSync(path, expected);
  else expect(readFileSync(path, 'utf8'), 'UPDATE_README=1 writes it').toBe(expected);
});

import { readdirSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = resolve(import.meta.dirname, '../src');

/** room -> rooms it may import. A room is a folder of src, or a file at its top. */
const allowed: Record<string, readonly string[]> = {
  contract: [],
  files: [],
  native: ['contract'],
  dialects: ['contract'],
  prompt: ['contract'],
  output: ['contract'],
  grammar: ['contract'],
  engine: ['contract', 'native'],
  // Prompts made in another process.
  templates: ['contract', 'prompt'],
  scheduler: ['contract', 'engine', 'files'],
  generation: ['contract', 'engine', 'scheduler', 'prompt', 'output', 'grammar'],
  models: ['contract', 'files', 'native'],
  telemetry: ['contract'],
  // What is kept between requests lives longer than one: neither the door's nor the conductor's.
  'response-store': ['contract', 'files'],
  // Handed to whoever fetches for a client.
  fetching: ['contract'],
  chats: ['contract', 'files'],
  http: ['contract', 'dialects'],
  config: ['contract'],
  'config.ts': ['contract', 'config', 'files'],
  cli: ['contract', 'config.ts', 'main.ts', 'models', 'telemetry'],
  // main.ts and its folder are one room.
  main: [
    'contract',
    'files',
    'grammar',
    'config.ts',
    'models',
    'scheduler',
    'generation',
    'engine',
    'native',
    'prompt',
    'templates',
    'output',
    'telemetry',
    'http',
    'response-store',
    'fetching',
    'chats',
  ],
  'main.ts': [
    'main',
    'files',
    'contract',
    'config.ts',
    'models',
    'scheduler',
    'generation',
    'http',
    'dialects',
    'engine',
    'prompt',
    'templates',
    'output',
    'grammar',
    'telemetry',
    'response-store',
  ],
  'index.ts': ['contract', 'config.ts', 'main', 'main.ts', 'engine', 'http'],
};

/** package -> rooms that may import it. */
const packageRooms: Record<string, readonly string[]> = {
  hono: ['http'],
  'rate-limiter-flexible': ['http'],
  '@hono/node-server': ['http'],
  zod: ['dialects', 'config', 'config.ts', 'http'],
  '@huggingface/jinja': ['prompt'],
  'node-llama-cpp': ['models'],
  koffi: ['native'],
  pino: ['telemetry'],
  'pino-pretty': ['telemetry'],
  'prom-client': ['telemetry'],
};

const rule = `
The door asks the conductor, the conductor asks the workshops, and everyone speaks contract.
Nobody looks up or sideways. Only main builds.`;

interface Import {
  readonly file: string;
  readonly room: string;
  readonly target: string;
}

function sourceFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(folder, name));
}

function roomOf(file: string): string {
  return relative(source, file).split('/')[0] ?? '';
}

function imports(): Import[] {
  return sourceFiles(source).flatMap((file) => {
    const text = readFileSync(file, 'utf8');
    const targets = [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map((match) => match[1] ?? '');
    return targets.map((target) => ({ file, room: roomOf(file), target }));
  });
}

const all = imports();
const name = (file: string) => relative(source, file);

describe('architecture', () => {
  it('knows every room', () => {
    const rooms = new Set(sourceFiles(source).map(roomOf));
    expect([...rooms].filter((room) => !(room in allowed))).toEqual([]);
    expect(all.length).toBeGreaterThan(10);
  });

  it('lets rooms import only what lies below them', () => {
    const wrong = all
      .filter(({ target }) => target.startsWith('.'))
      .map(({ file, room, target }) => ({ file, room, to: roomOf(resolve(dirname(file), target)) }))
      .filter(({ room, to }) => to !== room && !allowed[room]?.includes(to))
      .map(({ file, room, to }) => `${name(file)}: ${room} must not import ${to}`);
    expect(wrong, rule).toEqual([]);
  });

  it('keeps each package in its room', () => {
    const wrong = all
      .filter(({ target }) => !target.startsWith('.') && !target.startsWith('node:'))
      .map(({ file, room, target }) => ({ file, room, target, owner: ownerOf(target) }))
      .filter(({ owner, room }) => !packageRooms[owner]?.includes(room))
      .map(({ file, room, target }) => `${name(file)}: ${target} does not belong into ${room}`);
    expect(wrong, rule).toEqual([]);
  });

  it('writes node: before built-in modules', () => {
    expect(all.filter(({ target }) => builtinModules.includes(target)).map(({ file }) => name(file))).toEqual([]);
  });

  it('lets only main import an engine implementation', () => {
    const wrong = all
      .filter(
        ({ room, target }) =>
          /engine\/(thread|process|loop)\//.test(target) && !['engine', 'main', 'main.ts', 'index.ts'].includes(room),
      )
      .map(({ file }) => name(file));
    expect(wrong, rule).toEqual([]);
  });

  it('reads the environment, the clock and randomness only where they are handed out', () => {
    const handedIn = /process\.env|Date\.now\(|new Date\(\)|Math\.random\(|performance\.now\(|randomUUID\(/;
    const owners = /^(config|main|index)\.ts$|^(cli|main)\//;
    const wrong = sourceFiles(source)
      .filter((file) => !owners.test(name(file)) && handedIn.test(readFileSync(file, 'utf8')))
      .map(name);
    expect(wrong, 'Time, ids and randomness are handed in; process.env is read by config.ts.').toEqual([]);
  });
});

function ownerOf(target: string): string {
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

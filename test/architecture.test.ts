import { readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { circles, codeFiles, edgesOf, importsIn } from './support/imports.ts';

const source = resolve(import.meta.dirname, '../src');

/** room -> rooms it may import. A room is a folder of src, or a file at its top. */
const allowed: Record<string, readonly string[]> = {
  contract: [],
  files: ['contract'],
  native: ['contract'],
  dialects: ['contract'],
  prompt: ['contract'],
  output: ['contract'],
  grammar: ['contract'],
  // Images to rows: pure scaling, decoding of files, and graphs over the C API.
  media: ['contract', 'native'],
  engine: ['contract', 'native', 'media'],
  // Templates run in another process: the prompts that they make, and the format of answers that they tell.
  templates: ['contract', 'prompt', 'output'],
  scheduler: ['contract', 'engine', 'files'],
  generation: ['contract', 'engine', 'scheduler', 'prompt', 'output', 'grammar'],
  models: ['contract', 'files', 'native'],
  telemetry: ['contract'],
  // What lives longer than its request is neither the door's nor the conductor's.
  responses: ['contract', 'dialects', 'files'],
  usage: ['contract', 'files'],
  // Handed to whoever fetches for a client.
  fetching: ['contract'],
  chats: ['contract', 'files'],
  // The host of servers of tools; generation is handed one.
  tools: ['contract'],
  // Looks at the machine from the lowest floors, without a server.
  doctor: ['contract', 'models', 'native'],
  http: ['contract', 'dialects', 'responses'],
  config: ['contract'],
  'config.ts': ['contract', 'config', 'files'],
  // Before anything else is read.
  'prepare.ts': ['main', 'engine'],
  // Talks to a server from outside, as any other program would.
  client: ['contract', 'files'],
  // What a server gives, measured from outside.
  bench: ['contract'],
  terminal: ['contract', 'client', 'files'],
  launch: ['contract', 'files'],
  cli: [
    'contract',
    'bench',
    'client',
    'terminal',
    'launch',
    'doctor',
    'config.ts',
    'main.ts',
    'prepare.ts',
    'models',
    'telemetry',
  ],
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
    'media',
    'prompt',
    'templates',
    'output',
    'telemetry',
    'http',
    'responses',
    'usage',
    'fetching',
    'chats',
    'tools',
    'doctor',
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
  ],
  'index.ts': ['contract', 'config.ts', 'generation', 'main', 'main.ts', 'engine', 'http'],
  ui: [],
};

/** room -> rooms of which it may import types alone. What runs in a browser takes no code of the server along. */
const typesOnly: Record<string, readonly string[]> = { ui: ['contract', 'dialects'] };

/** folder of a room -> folders of that room that it may import; what lies at the top of the room may import all. */
const shelves: Record<string, readonly string[]> = {
  'grammar/gbnf': [],
  'grammar/regex': ['grammar/gbnf'],
  'grammar/schema': ['grammar/gbnf', 'grammar/regex'],
};

/** package -> rooms that may import it. */
const packageRooms: Record<string, readonly string[]> = {
  hono: ['http'],
  'rate-limiter-flexible': ['http'],
  '@hono/node-server': ['http'],
  zod: ['bench', 'doctor', 'dialects', 'config', 'config.ts', 'http', 'tools', 'client', 'terminal'],
  'eventsource-parser': ['client'],
  '@modelcontextprotocol/client': ['tools'],
  '@mdream/js': ['tools'],
  'fraction.js': ['tools'],
  '@huggingface/jinja': ['prompt'],
  'node-llama-cpp': ['models'],
  koffi: ['native'],
  sharp: ['media'],
  pino: ['telemetry'],
  'pino-pretty': ['telemetry'],
  'prom-client': ['telemetry'],
  preact: ['ui'],
  '@preact/signals': ['ui'],
  marked: ['ui'],
  'highlight.js': ['ui'],
  idb: ['ui'],
  katex: ['ui'],
  'pdfjs-dist': ['ui'],
  '@mermaid-js/tiny': ['ui'],
  fflate: ['ui'],
};

/** Of text with lines of 120 characters. */
const linesOfScreen = 60;

const rule = `
The door asks the conductor, the conductor asks the workshops, and everyone speaks contract.
Nobody looks up or sideways. Only main builds.`;

function roomOf(file: string): string {
  return relative(source, file).split('/')[0] ?? '';
}

/** `grammar/gbnf`, or the room alone for what lies at its top. */
function shelfOf(file: string): string {
  return dirname(relative(source, file)).split('/').slice(0, 2).join('/');
}

const all = importsIn(source).map((each) => ({ ...each, room: roomOf(each.file) }));
const name = (file: string) => relative(source, file);

describe('architecture', () => {
  it('knows every room', () => {
    const rooms = new Set(codeFiles(source).map(roomOf));
    expect([...rooms].filter((room) => !(room in allowed))).toEqual([]);
    expect(all.length).toBeGreaterThan(10);
  });

  it('lets rooms import only what lies below them', () => {
    const wrong = all
      .filter(({ target }) => target.startsWith('.'))
      .map((each) => ({ ...each, to: roomOf(resolve(dirname(each.file), each.target)) }))
      .filter(({ room, to }) => to !== room && !allowed[room]?.includes(to))
      .filter(({ room, to, isType }) => !(isType && typesOnly[room]?.includes(to)))
      .map(({ file, room, to }) => `${name(file)}: ${room} must not import ${to}`);
    expect(wrong, rule).toEqual([]);
  });

  it('lets shelves of a room import only what lies below them', () => {
    const wrong = all
      .filter(({ file, target }) => target.startsWith('.') && shelfOf(file) in shelves)
      .map((each) => ({ ...each, from: shelfOf(each.file), to: shelfOf(resolve(dirname(each.file), each.target)) }))
      .filter(({ file, room, target }) => roomOf(resolve(dirname(file), target)) === room)
      .filter(({ from, to }) => to !== from && !shelves[from]?.includes(to))
      .map(({ file, to }) => `${name(file)} must not import ${to}`);
    expect(wrong, rule).toEqual([]);
    expect(all.filter(({ file }) => shelfOf(file) in shelves).length).toBeGreaterThan(50);
  });

  it('has no circle of files, types included', () => {
    const edges = edgesOf(all);
    expect(circles(edges).map((files) => files.map(name).sort())).toEqual([]);
    expect(
      circles(
        new Map([
          ['a', ['b']],
          ['b', ['c']],
          ['c', ['a', 'd']],
        ]),
      ),
    ).toEqual([['c', 'b', 'a']]);
  });

  it('has a sign on the door of every room: its question, who may call, its decisions, on three screens at most', () => {
    const rooms = Object.keys(allowed).filter((room) => !room.endsWith('.ts'));
    const wrong = rooms.flatMap((room) => {
      const text = readFileSync(join(source, room, 'README.md'), 'utf8');
      // A guide is for users, and as long as it has to be.
      const sign = text.replace(/^## Guide: .+\n[\s\S]*?(?=^## |(?![\s\S]))/m, '');
      const callers = Object.keys(allowed).filter((other) => allowed[other]?.includes(room) && !other.endsWith('.ts'));
      const [mayCall = ''] = /^\*\*Who may call\*\*[\s\S]*?\n\n/m.exec(sign) ?? [];
      // Everybody speaks contract.
      const unnamed = room === 'contract' ? [] : callers.filter((other) => !mayCall.includes(`\`${other}\``));
      return [
        ...(sign.startsWith(`# ${room}: `) ? [] : ['does not begin with its name and what it is']),
        ...(/^\*\*The question\*\*: [\s\S]*?\?/m.test(sign) ? [] : ['has no question']),
        ...(/^## Decisions$/m.test(sign) ? [] : ['has no decisions']),
        ...unnamed.map((other) => `does not say that ${other} may call`),
        ...(sign.split('\n').length <= 3 * linesOfScreen ? [] : ['is longer than three screens']),
      ].map((fault) => `${room}: README.md ${fault}`);
    });
    expect(wrong).toEqual([]);
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
          /engine\/(thread|process|loop)\//.test(target) &&
          !['engine', 'main', 'main.ts', 'prepare.ts', 'index.ts'].includes(room),
      )
      .map(({ file }) => name(file));
    expect(wrong, rule).toEqual([]);
  });

  it('reads the environment, the clock and randomness only where they are handed out', () => {
    const handedIn = /process\.env|Date\.now\(|new Date\(\)|Math\.random\(|performance\.now\(|randomUUID\(/;
    const owners = /^(config|main|index)\.ts$|^(cli|main)\/|^ui\/main\.tsx$/;
    const wrong = codeFiles(source)
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

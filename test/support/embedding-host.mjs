// A program that holds a server inside, as npm's users write it, and looks at itself before and after. Its arguments: the
// package's index.js, a model, a folder for what the server finds out, and `exit` to end without closing. Its last line is JSON.
import { randomBytes } from 'node:crypto';
import dns from 'node:dns';
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { createRequire } from 'node:module';
import net from 'node:net';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';

const [, , entry, model, cacheFolder, mode] = process.argv;
// Loaded by the host itself, and used by it besides.
const require = createRequire(entry);
const shared = ['node-llama-cpp', 'koffi', 'hono', 'zod', 'pino', 'prom-client', '@huggingface/jinja'];
const packages = await Promise.all(shared.map(async (name) => [name, await import(require.resolve(name))]));
const builtIns = await Promise.all(
  ['fs', 'fs/promises', 'http', 'https', 'net', 'child_process', 'worker_threads', 'events', 'stream', 'timers'].map(
    async (name) => [`node:${name}`, (await import(`node:${name}`)).default],
  ),
);

/** Waits that hold up this thread. */
let waits = 0;
const wait = Atomics.wait;
Atomics.wait = (...given) => {
  waits++;
  return wait(...given);
};

/** Every property of an object and of its prototype by its value's identity, without calling a getter. */
const known = new Map();
const nameOf = (value) => {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return String(value);
  if (!known.has(value)) known.set(value, known.size);
  return `#${known.get(value)}`;
};
const describe = (object) =>
  Object.fromEntries(
    Reflect.ownKeys(object).map((key) => {
      const { value, get, set, ...how } = Object.getOwnPropertyDescriptor(object, key);
      return [String(key), JSON.stringify([nameOf(value), nameOf(get), nameOf(set), how])];
    }),
  );

function surroundings() {
  const objects = [['globalThis', globalThis], ['process', process], ...builtIns, ...packages];
  for (const key of Reflect.ownKeys(globalThis)) {
    // Getters of the global object load what they name.
    const { value } = Object.getOwnPropertyDescriptor(globalThis, key);
    if (typeof value === 'function') objects.push([String(key), value]);
  }
  for (const [name, module] of [...builtIns, ...packages])
    for (const key of Reflect.ownKeys(module)) {
      const { value } = Object.getOwnPropertyDescriptor(module, key) ?? {};
      if (typeof value === 'function') objects.push([`${name}.${String(key)}`, value]);
    }
  const prototypes = objects.flatMap(([name, { prototype }]) =>
    typeof prototype === 'object' && prototype !== null ? [[`${name}.prototype`, prototype]] : [],
  );
  return {
    ...Object.fromEntries([...objects, ...prototypes].map(([name, object]) => [name, describe(object)])),
    listeners: Object.fromEntries(process.eventNames().map((name) => [String(name), process.listenerCount(name)])),
    environment: { ...process.env },
    settings: {
      umask: process.umask(),
      cwd: process.cwd(),
      title: process.title,
      argv: process.argv.join(' '),
      exitCode: String(process.exitCode),
      dns: dns.getDefaultResultOrder(),
      autoSelectFamily: String(net.getDefaultAutoSelectFamily()),
      agent: nameOf(http.globalAgent),
      maxHeaderSize: String(http.maxHeaderSize),
      stackTraceLimit: String(Error.stackTraceLimit),
    },
  };
}

/** What is otherwise: `place: member`. */
function differences(before, after) {
  return Object.keys({ ...before, ...after }).flatMap((place) => {
    const [was, is] = [before[place] ?? {}, after[place] ?? {}];
    return Object.keys({ ...was, ...is })
      .filter((member) => was[member] !== is[member])
      .map((member) => `${place}: ${member}`);
  });
}

// Node.js makes many globals when they are first looked at, and one that nobody reads with the first fetch.
for (const key of Reflect.ownKeys(globalThis)) void globalThis[key];
await fetch('data:,');
const { createServer } = await import(entry);
const before = surroundings();
const server = await createServer({
  ...{ model: [model], ctxSize: 512, parallel: 2, threads: 1, flashAttn: false, cacheFolder },
});
const loaded = surroundings();
const body = JSON.stringify({ messages: [{ role: 'user', content: 'Who are you?' }], max_tokens: 64, stream: true });
const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
const { body: stream, status } = await server.fetch(new Request('http://localhost/v1/chat/completions', init));
const reader = stream.getReader();
await reader.read();
// The pool of threads is everybody's: it works while a model answers.
const work = Array.from({ length: 16 }, () => promisify(deflate)(randomBytes(1024)));
await Promise.all([...work, readFile(entry), dns.promises.lookup('localhost')]);
if (mode === 'exit') {
  process.on('exit', () => console.log(JSON.stringify({ status, waits })));
  process.exit(7);
}
while (!(await reader.read()).done);
await server.close();
const closed = surroundings();
console.log(
  JSON.stringify({ status, waits, loaded: differences(before, loaded), closed: differences(before, closed) }),
);

/**
 * What forms that are hard to follow cost: the request that asks for one, and another client's "Hello!" beside it.
 * `npm run measure:grammar -- [MODEL] [TOKENS]`; the bundled demo model where none is given.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { operatorTree } from '../.cache/scripts/scripts/operator-tree.js';
import { parseConfig } from '../dist/config.js';
import { startServer } from '../dist/main.js';

const [model, mostTokens = 80] = process.argv.slice(2);
/** Milliseconds that the hard request has a head start, and that anything is waited for. */
const headStart = 300;
const patience = 60_000;

const schema = (value) => ({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema: value } } });
const pattern = (value) => schema({ type: 'string', pattern: value });
const tags = '^(([a-z]+,?){1,10};?){1,10}$';
const tool = {
  type: 'function',
  function: {
    name: 'tag',
    parameters: { type: 'object', properties: { tags: { type: 'string', pattern: tags } }, required: ['tags'] },
  },
};
const forms = [
  ['none', {}],
  ...[
    tags,
    '^([0-9]{1,3}(,[0-9]{3})*;?){1,500}$',
    '^([a-z]{1,50} ?){1,200}$',
    '^(a{1,100}){1,100}$',
    '^((a{1,100}){1,100}){1,100}$',
  ].map((each) => [each, pattern(each)]),
  [
    'the first as a parameter of a tool',
    { tools: [tool], messages: [{ role: 'user', content: 'Call tag with the tags red,blue;green.' }] },
  ],
  ['a tree of 4 operators, only deeper', schema(operatorTree(4)), 'deep'],
  ['a tree of 9 operators, only deeper', schema(operatorTree(9)), 'deep'],
  ['a grammar without borders', { grammar: 'root ::= ([a-z]{1,50} " "?){1,200}' }],
  [
    'a grammar that doubles, later',
    { grammar: 'root ::= [a-z]{60} list\nlist ::= "a" list "b" | [a-z] list "c" | ""' },
  ],
  ['a grammar that doubles', { grammar: 'root ::= "a" root "b" | [a-z] root "c" | ""' }],
];

const { config } = parseConfig([...(model ? [model] : []), '--port', '0', '--log-level', 'silent'], process.env);
const server = await startServer(config, { progress: () => undefined });
await chat({});

console.log(
  `${'form'.padEnd(42)}${'its time'.padStart(10)}${'tokens'.padStart(8)}${'"Hello!" beside it'.padStart(20)}`,
);
const noDigits = await bias('0123456789-');
for (const [name, body, depth] of forms) {
  const hard = chat({ temperature: 1, seed: 1, max_tokens: Number(mostTokens), ...body, ...(depth && noDigits) });
  await sleep(headStart);
  const hello = await chat({});
  const own = await hard;
  console.log(name.padEnd(42) + own.time.padStart(10) + own.tokens.padStart(8) + hello.time.padStart(20) + own.note);
}
await server.close();

/** No token that begins so: the model cannot end a tree with a number. */
async function bias(characters) {
  const found = await Promise.all(
    [...characters].map(async (content) => {
      const response = await post('/tokenize', { content, add_special: false });
      return (await response.json()).tokens[0];
    }),
  );
  return { logit_bias: Object.fromEntries(found.map((token) => [token, -100])) };
}

function post(path, body) {
  return fetch(server.url + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(patience),
  });
}

async function chat(body) {
  const begin = performance.now();
  const asked = {
    messages: [{ role: 'user', content: body.response_format || body.grammar ? 'Give me the value.' : 'Hello!' }],
    reasoning_effort: 'none',
    max_tokens: 5,
    ...body,
  };
  try {
    const response = await post('/v1/chat/completions', asked);
    const answer = await response.json();
    const note = answer.error?.message ?? decodeURIComponent(response.headers.get('x-serve-model-warning') ?? '');
    return { time: since(begin), tokens: `${answer.usage?.completion_tokens ?? '-'}`, note: note && `  ${note}` };
  } catch {
    return { time: `> ${since(begin)}`, tokens: '-', note: '' };
  }
}

function since(begin) {
  const milliseconds = performance.now() - begin;
  return milliseconds < 1000 ? `${milliseconds.toFixed(0)} ms` : `${(milliseconds / 1000).toFixed(1)} s`;
}

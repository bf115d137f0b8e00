import { samplerNames } from '../../../src/contract/request.ts';
import { Random } from '../../support/random.ts';

/** A request of any kind that a client may think of; the server answers it whole or refuses it in a sentence. */
export interface FuzzRequest {
  readonly name: string;
  readonly path: string;
  /** JSON, or nearly. */
  readonly body: string;
  /** The client leaves after so many bytes of the answer. */
  readonly leavesAfter: number | undefined;
}

/** Of the server that is asked. */
export interface FuzzFacts {
  readonly contextSize: number;
  readonly vocabularySize: number;
}

/** Stands in a JSON text without quotation marks: numbers that JSON.stringify would not write. */
const raw = (text: string) => `@@${text}@@`;

export function hostileRequest(seed: number, facts: FuzzFacts): FuzzRequest {
  const random = new Random(seed);
  const maker = random.pick(makers);
  const { path, body } = maker.make(random, facts);
  const stream = maker.streams && random.chance(0.3);
  const whole = { ...body, ...(stream && { stream: true }) };
  return {
    name: `${seed}: ${maker.name}`,
    path,
    body: JSON.stringify(whole).replace(/"@@(.*?)@@"/g, '$1'),
    leavesAfter: random.chance(0.1) ? random.between(0, 2000) : undefined,
  };
}

interface Made {
  readonly path: string;
  readonly body: Record<string, unknown>;
}

interface Maker {
  readonly name: string;
  readonly streams: boolean;
  make(random: Random, facts: FuzzFacts): Made;
}

const makers: readonly Maker[] = [
  { name: 'a grammar', streams: true, make: (random, facts) => asked(random, facts, { grammar: grammar(random) }) },
  { name: 'a schema', streams: true, make: (random, facts) => chat(random, facts, { response_format: form(random) }) },
  {
    name: 'a grammar against everything else',
    streams: true,
    make: (random, facts) =>
      asked(random, facts, {
        grammar: grammar(random),
        ...sampling(random),
        ...{ logit_bias: bias(random, facts), ignore_eos: random.chance(0.5), min_tokens: random.between(0, 20) },
        stop: ['a', '{', ' '].slice(0, random.between(0, 3)),
      }),
  },
  { name: 'samplers', streams: true, make: (random, facts) => asked(random, facts, sampling(random)) },
  {
    name: 'a bias',
    streams: true,
    make: (random, facts) => asked(random, facts, { logit_bias: bias(random, facts), ...sampling(random) }),
  },
  { name: 'a length', streams: true, make: (random, facts) => lengthy(random, facts) },
  { name: 'letters without a space', streams: false, make: (random) => letters(random) },
  {
    name: 'adapters',
    streams: true,
    make: (random, facts) =>
      asked(random, facts, {
        lora: Array.from({ length: random.between(0, 3) }, () => ({
          id: random.pick([0, 1, 2, -1, 1e9]),
          scale: number(random),
        })),
      }),
  },
  { name: 'vectors', streams: false, make: (random, facts) => vectors(random, facts) },
  { name: 'any values', streams: true, make: (random, facts) => chat(random, facts, anything(random)) },
];

const prompts = ['Hello!', 'Tell me a story.', '', ' ', '\n\n', 'é漢😀', '<|im_end|>', '\0', 'a'.repeat(300)];

function asked(random: Random, facts: FuzzFacts, fields: Record<string, unknown>): Made {
  const length = random.pick([1, 2, 8, 24]);
  switch (random.between(0, 4)) {
    case 0:
      return {
        path: '/completion',
        body: { prompt: random.pick(prompts), n_predict: length, n_probs: random.pick([0, 0, 3]), ...fields },
      };
    case 1:
      return {
        path: '/v1/completions',
        body: {
          prompt: random.pick<unknown>([random.pick(prompts), prompts.slice(0, 3), tokens(random, facts)]),
          ...{ max_tokens: length, n: random.pick([1, 1, 3]), logprobs: random.pick([null, null, 5]) },
          ...{ echo: random.chance(0.2), ...fields },
        },
      };
    case 2:
      return {
        path: '/infill',
        body: { input_prefix: random.pick(prompts), input_suffix: random.pick(prompts), n_predict: length, ...fields },
      };
    default:
      return chat(random, facts, fields);
  }
}

function chat(random: Random, _: FuzzFacts, fields: Record<string, unknown>): Made {
  return {
    path: '/v1/chat/completions',
    body: {
      messages: [{ role: 'user', content: random.pick(prompts) }],
      ...{ max_tokens: random.pick([1, 2, 8, 24]), logprobs: random.chance(0.2), n: random.pick([1, 1, 1, 2]) },
      ...fields,
    },
  };
}

/** Numbers that stand at the edge of what somebody thought of. */
const oddNumbers: readonly unknown[] = [
  ...[0, raw('-0'), 1, -1, 0.5, 2, 1e-45, 1e-320, 5e-324, 1e38, 3.5e38, -3.5e38, 1e308, -1e308],
  ...[2 ** 31 - 1, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 53, 2 ** 63, raw('1e999'), raw('NaN'), raw('Infinity')],
  ...['0.5', 'NaN', '', null, true, [], {}, raw('00'), raw('1e')],
];

/** Mostly one that is in order. */
function number(random: Random, usual: readonly unknown[] = [0, 0.1, 0.5, 1, 1.5]): unknown {
  return random.chance(0.7) ? random.pick(usual) : random.pick(oddNumbers);
}

const numbers: Readonly<Record<string, readonly unknown[]>> = {
  temperature: [0, 0.2, 1, 2, 1e-10],
  top_p: [0, 1e-10, 0.3, 1],
  top_k: [-1, 0, 1, 40, 100_000],
  min_p: [0, 0.05, 1],
  typical_p: [0, 1e-9, 0.5, 1],
  top_n_sigma: [-1, 0, 1e-10, 1, 1e10],
  dynatemp_range: [0, 0.5, 100],
  dynatemp_exponent: [0, 1, 100],
  mirostat: [0, 1, 2],
  mirostat_tau: [0, 5, 100],
  mirostat_eta: [0, 0.1, 1],
  xtc_probability: [0, 0.5, 1],
  xtc_threshold: [0, 0.1, 0.5, 1],
  dry_multiplier: [0, 0.8, 100],
  dry_base: [0, 1, 1.75, 100],
  dry_allowed_length: [0, 1, 2, 100_000],
  dry_penalty_last_n: [-1, 0, 64, 2 ** 31 - 1],
  repeat_last_n: [-1, 0, 1, 64, 2 ** 31 - 1],
  repeat_penalty: [1e-30, 0.5, 1, 10],
  frequency_penalty: [-2, 0, 2],
  presence_penalty: [-2, 0, 2],
  adaptive_target: [-1, 0, 0.5, 1],
  adaptive_decay: [0, 0.5, 0.99],
  min_keep: [0, 1, 1000, 1_000_000],
  min_tokens: [0, 1, 30, 1e9],
  seed: [0, -1, 1, 2 ** 32, raw('18446744073709551615')],
};

function sampling(random: Random): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const few = random.chance(0.8) ? 0.25 : 1;
  for (const [name, usual] of Object.entries(numbers)) if (random.chance(few)) fields[name] = number(random, usual);
  if (random.chance(0.4)) fields.samplers = samplers(random);
  if (random.chance(0.2)) {
    fields.dry_sequence_breakers = random.pick([[], [''], ['\0'], ['\n', 'é'], ['x'.repeat(100)], ['x'.repeat(101)]]);
  }
  return fields;
}

function samplers(random: Random): unknown {
  const names = [...samplerNames, 'top-k', 'temp', 'nucleus', 'unknown', ''];
  const list = Array.from({ length: random.pick([0, 1, 3, 11, 40, 41]) }, () => random.pick(names));
  return random.pick<unknown>([list, list, list, 'edskypmxt', 'iiii', 'aaaa', '?', 7]);
}

function bias(random: Random, { vocabularySize }: FuzzFacts): unknown {
  const ids = [
    0,
    1,
    vocabularySize - 1,
    vocabularySize,
    -1,
    2 ** 31,
    2 ** 40,
    1.5,
    'NaN',
    '',
    'a',
    ' 5 ',
    '0x5',
    '1e3',
  ];
  const amount = () => number(random, [-100, 100, 0, 1, false]);
  const several = Array.from({ length: random.between(0, 6) }, () => [random.pick(ids), amount()]);
  const all = Array.from({ length: 1024 }, (_, id) => [random.chance(0.5) ? id : 2 * id, -100]);
  return random.pick<unknown>([several, several, Object.fromEntries(several), all, Object.fromEntries(all), 'x', [[]]]);
}

function tokens(random: Random, { vocabularySize, contextSize }: FuzzFacts): unknown[] {
  const length = random.pick([0, 1, 5, contextSize - 2, contextSize - 1, contextSize, contextSize + 1]);
  const list: unknown[] = Array.from({ length }, () => random.between(0, vocabularySize - 1));
  if (random.chance(0.3)) list[random.between(0, length)] = random.pick([vocabularySize, -1, 0.5, null, 1e300]);
  return list;
}

function lengthy(random: Random, facts: FuzzFacts): Made {
  const { contextSize } = facts;
  const limits = [-2, -1, 0, 1, contextSize - 1, contextSize, contextSize + 1, 2 ** 31, 1e15, 1e300, null, '5'];
  const list = tokens(random, facts);
  return {
    path: '/v1/completions',
    body: {
      prompt: random.chance(0.7) ? list : [list, list.slice(1), tokens(random, facts)],
      max_tokens: random.pick(limits),
      ...{
        ignore_eos: random.chance(0.5),
        n: random.pick([1, 1, 2, 5, 0, -1, 1e9]),
        best_of: random.pick([null, null, 3]),
      },
      ...{ echo: random.chance(0.3), logprobs: random.pick([null, 0, 5, 6, -1]) },
      cache_prompt: random.chance(0.5),
    },
  };
}

/** Words that `std::regex` recurses over. */
function letters(random: Random): Made {
  const letter = random.pick(['a', '7', ' ', '漢', '!', '😀', '\u0301', '\n', "'s", '\r\n', '\u00a0', 'ſ']);
  const text = letter.repeat(Math.ceil(200_000 / letter.length));
  return random.pick<Made>([
    { path: '/tokenize', body: { content: text } },
    { path: '/v1/completions', body: { prompt: text, max_tokens: 1 } },
    { path: '/v1/chat/completions', body: { messages: [{ role: 'user', content: text }], max_tokens: 1 } },
    { path: '/v1/embeddings', body: { input: text } },
    { path: '/v1/messages', body: { max_tokens: 1, messages: [{ role: 'user', content: text }] } },
  ]);
}

function vectors(random: Random, facts: FuzzFacts): Made {
  const inputs: readonly unknown[] = [
    ...['', ' ', 'word', 'word '.repeat(facts.contextSize), [], ['a', ''], [['a']], [1, 2], [[1], [2]], [-1], null, 7],
    tokens(random, facts),
    Array.from({ length: 40 }, () => 'words of all lengths '.repeat(random.between(1, 40))),
  ];
  const body = { input: random.pick(inputs), encoding_format: random.pick([null, 'float', 'base64', 'x']) };
  return { path: '/v1/embeddings', body: { ...body, dimensions: random.pick([null, null, 1, 0, 1e9]) } };
}

/** Fields of every kind with values of every kind. */
function anything(random: Random): Record<string, unknown> {
  const values: readonly unknown[] = [...oddNumbers, 'x', ['x'], [[]], { a: 1 }, '\ud800', 'a'.repeat(100_000), [null]];
  const names = [
    ...['messages', 'stop', 'tools', 'tool_choice', 'response_format', 'logit_bias', 'grammar', 'json_schema'],
    ...['stream_options', 'reasoning_effort', 'n', 'logprobs', 'top_logprobs', 'user', 'metadata', 'seed', 'priority'],
    ...['session_id', 'cancel_id', 'cache_salt', 'use_adapter', 'lora', 'chat_template_kwargs', 'prediction'],
  ];
  return Object.fromEntries(
    Array.from({ length: random.between(1, 3) }, () => [random.pick(names), random.pick(values)]),
  );
}

/** GBNF that forbids what would be drawn, allows nothing, never ends, doubles, or is none. */
function grammar(random: Random): unknown {
  const whole = [
    'root ::= ""',
    'root ::= "\\x00"',
    'root ::= [^\\x00-\\x7F]{3,}',
    'root ::= "\\U0001F600" root?',
    'root ::= "a"{5,2}',
    'root ::= "a"{0,0} "b"',
    'root ::= root "a" | "b"',
    'root ::= "a" root',
    'root ::= x x x x x x x x\nx ::= y y y y y y y y\ny ::= "a"? "b"? "c"?',
    'root ::= ([a-z]{1,50} " "?){1,200}',
    'root ::= <[5]> !<[5]> .*',
    'root ::= <[999999]>',
    'root ::= ("a" | "ab" | "abc")* "d"',
    'root ::= "unended',
    'root ::= [a',
    'root ::= "\\q"',
    'root ::= (((((("a")?)?)?)?)?)?',
    `root ::= ${'('.repeat(300)}"a"${')'.repeat(300)}`,
    `root ::= ${'"a"? '.repeat(400)}`,
    `root ::= "${'x'.repeat(5000)}"`,
    'other ::= "a"',
    'root ::=',
    '\0',
    '',
    'root ::= "a"\n# comment',
    'root ::= [\\]\\-\\[^] "\\"" .{0,3}',
    7,
    [],
  ];
  return random.chance(0.5) ? random.pick<unknown>(whole) : `root ::= ${expression(random, 3)}`;
}

function expression(random: Random, depth: number): string {
  const leaves = ['"a"', '"The"', '" "', '[a-z]', '[^a-z]', '.', '"é"', '[0-9]{2}', '"\\n"', '[A-Z\\u00e9]'];
  if (depth === 0) return random.pick(leaves);
  const parts = Array.from({ length: random.between(1, 3) }, () => {
    const part = random.chance(0.5) ? random.pick(leaves) : `(${expression(random, depth - 1)})`;
    return `${part}${random.pick(['', '', '*', '+', '?', '{2}', '{0,3}', '{1,}'])}`;
  });
  return parts.join(random.pick([' ', ' ', ' | ']));
}

function form(random: Random): unknown {
  const schemas: readonly unknown[] = [
    ...[true, false, {}, null, [], { type: 'nothing' }, { enum: [] }, { const: 'x'.repeat(3000) }, { not: {} }],
    {
      type: 'string',
      pattern: random.pick(['^(a+)+$', '(', '^\\p{L}{3}$', '^.{0,2000}$', '(?=a)b', '^$', '[^\\s\\S]']),
    },
    { type: 'string', minLength: random.pick([0, 5, 1e6, -1]), maxLength: random.pick([0, 3, 1e9]) },
    { type: 'integer', minimum: number(random), maximum: number(random), multipleOf: number(random) },
    { type: 'array', items: { $ref: '#' }, minItems: random.pick([0, 1, 3]) },
    { type: 'object', properties: { a: { $ref: '#/nowhere' } }, required: ['a'] },
    { type: 'object', additionalProperties: { type: ['string', 'null', 'array'] }, minProperties: 2 },
    { anyOf: [{ type: 'string' }, { type: 'object', properties: { '': {}, é: {}, '\0': {} }, required: ['', '\0'] }] },
    { allOf: [{ type: 'string' }, { type: 'number' }] },
  ];
  return random.pick<unknown>([
    { type: 'json_schema', json_schema: { name: 'x', schema: random.pick(schemas) } },
    { type: 'json_schema', json_schema: { name: 'x', schema: random.pick(schemas), strict: true } },
    { type: 'json_object' },
    { type: random.pick(['text', 'grammar', 'x', null]) },
  ]);
}

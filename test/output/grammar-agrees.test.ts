import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ChatFormat } from '../../src/contract/chat-format.ts';
import type { BlockEvent } from '../../src/contract/events.ts';
import type { Tool } from '../../src/contract/request.ts';
import { constrain } from '../../src/grammar/constraint.ts';
import { parseGrammar } from '../../src/grammar/gbnf/gbnf-parse.ts';
import { chatFormats } from '../../src/output/detect-family.ts';
import { schemas } from '../grammar/random-schema.ts';
import { randomText } from '../grammar/random-text.ts';
import { runs } from '../support/runs.ts';
import { chunks, inText, machineFor, tool } from './machine.ts';

const strict = (made: Tool): Tool => ({
  ...made,
  strict: true,
  parameters: {
    ...made.parameters,
    additionalProperties: false,
    required: Object.keys(Object(made.parameters?.properties)),
  },
});

const tools: readonly Tool[] = [
  strict(
    tool('get_weather', {
      city: { type: 'string' },
      days: { type: 'integer', minimum: 0, maximum: 99 },
      metric: { type: 'boolean' },
      unit: { enum: ['celsius', 'fahrenheit'] },
      tags: { type: 'array', items: { type: 'string' }, maxItems: 3 },
      place: { type: 'object', properties: { x: { type: 'number' } }, required: ['x'], additionalProperties: false },
    }),
  ),
  strict(tool('ping')),
];

const ajv = new Ajv2020.default();
const valid = new Map(tools.map(({ name, parameters }) => [name, ajv.compile(parameters ?? {})]));

/** The same numbers in every run. */
function draws(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

interface Call {
  readonly name: string;
  text: string;
}

function callsOf(events: readonly BlockEvent[]): { calls: Call[]; others: string[] } {
  const calls: Call[] = [];
  const others: string[] = [];
  let open: Call | undefined;
  for (const event of events) {
    if (event.type === 'block-start') {
      open = event.kind === 'tool-call' ? { name: event.name, text: '' } : undefined;
      if (open) calls.push(open);
      else others.push(event.kind);
    } else if (event.type === 'block-delta' && open) {
      open.text += event.delta;
    }
  }
  return { calls, others };
}

const families = Object.values(chatFormats).filter(({ toolCalls }) => toolCalls);

function readAll(format: ChatFormat, offered: readonly Tool[], text: string) {
  const machine = machineFor({ format, tools: offered, toolChoice: { type: 'required' } });
  const events = [...chunks(text, 5).flatMap((piece) => machine.push(piece)), ...machine.end('complete')];
  return { ...callsOf(events), repairs: machine.repairs };
}

function grammarFor(format: ChatFormat, offered: readonly Tool[]) {
  return constrain({
    format,
    opening: inText,
    tools: offered,
    toolChoice: { type: 'required' },
    parallelToolCalls: true,
    outputShape: { type: 'text' },
    strictTools: true,
  });
}

describe('calls that the grammar allows', () => {
  it.each(families.map((format) => [format.name, format] as const))('%s reads every one of them', (_, format) => {
    const { grammar } = grammarFor(format, tools);
    const rules = parseGrammar(grammar ?? '', 'grammar');
    for (let seed = 1; seed <= runs(4); seed++) {
      const text = randomText(rules, draws(seed * 7919));
      const { calls, others, repairs } = readAll(format, tools, text);
      const wrong = calls.filter(({ name, text: args }) => !valid.get(name)?.(JSON.parse(args)));
      expect({ text, wrong, repairs }).toEqual({ text, wrong: [], repairs: 0 });
      expect({ text, calls: calls.length > 0, others: others.filter((kind) => kind === 'text') }).toEqual({
        text,
        calls: true,
        others: [],
      });
    }
  });

  const member = fc.tuple(fc.constantFrom('a', 'name', 'x_y', 'value-2'), schemas, fc.boolean());
  const randomTools = fc.uniqueArray(member, { selector: ([key]) => key, maxLength: 4 }).map((members): Tool => {
    const parameters = {
      type: 'object',
      properties: Object.fromEntries(members.map(([key, { schema }]) => [key, schema])),
      required: members.filter(([, , required]) => required).map(([key]) => key),
      additionalProperties: false,
    };
    return { name: 'put', strict: true, parameters, definition: {} };
  });
  const syntaxes = ['hermes', 'qwen3-coder', 'glm-4.7', 'deepseek-v3.2', 'kimi-k3', 'minicpm5', 'minimax-m3'];
  it.each(syntaxes)('%s reads the arguments of random tools', { timeout: 60_000 }, (name) => {
    const format = chatFormats[name];
    if (!format) throw new Error(name);
    let checked = 0;
    fc.assert(
      fc.property(randomTools, fc.infiniteStream(fc.nat()), (made, numbers) => {
        const plan = grammarFor(format, [made]);
        if (plan.loosened.length > 0) return;
        checked++;
        const rules = parseGrammar(plan.grammar ?? '', 'grammar');
        const text = randomText(rules, (limit) => (numbers.next().value ?? 0) % limit);
        const { calls, repairs } = readAll(format, [made], text);
        const validate = randomAjv.compile(made.parameters ?? {});
        const wrong = calls.filter(({ text: args }) => !validate(JSON.parse(args)));
        expect({ text, wrong, repairs, called: calls.length > 0 }).toEqual({
          text,
          wrong: [],
          repairs: 0,
          called: true,
        });
      }),
      { numRuns: runs(10) },
    );
    expect(checked).toBeGreaterThan(3);
  });
});

const randomAjv = new Ajv2020.default({ strict: false, logger: false, code: { optimize: false } });
addFormats.default(randomAjv);

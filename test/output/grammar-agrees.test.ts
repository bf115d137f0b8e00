import Ajv2020 from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import type { BlockEvent } from '../../src/contract/events.ts';
import type { Tool } from '../../src/contract/request.ts';
import { parseGrammar } from '../../src/grammar/gbnf-parse.ts';
import { planConstraint } from '../../src/grammar/plan.ts';
import { chatFormats } from '../../src/output/families.ts';
import { randomText } from '../grammar/random-text.ts';
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

/** The grammar leaves the inside of a MiniMax M3 call free, so there is nothing to agree about. */
const families = Object.values(chatFormats).filter(({ toolCalls }) => toolCalls && toolCalls.syntax !== 'namespaced');

describe('calls that the grammar allows', () => {
  it.each(families.map((format) => [format.name, format] as const))('%s reads every one of them', (_, format) => {
    const { grammar } = planConstraint({
      format,
      opening: inText,
      tools,
      toolChoice: { type: 'required' },
      parallelToolCalls: true,
      outputShape: { type: 'text' },
      strictTools: true,
    });
    const rules = parseGrammar(grammar ?? '', 'grammar');
    for (let seed = 1; seed <= 12; seed++) {
      const text = randomText(rules, draws(seed * 7919));
      const machine = machineFor({ format, tools, toolChoice: { type: 'required' } });
      const events = [...chunks(text, 5).flatMap((piece) => machine.push(piece)), ...machine.end()];
      const { calls, others } = callsOf(events);
      const wrong = calls.filter(({ name, text: args }) => !valid.get(name)?.(JSON.parse(args)));
      expect({ text, wrong, repairs: machine.repairs }).toEqual({ text, wrong: [], repairs: 0 });
      expect({ text, calls: calls.length > 0, others: others.filter((kind) => kind === 'text') }).toEqual({
        text,
        calls: true,
        others: [],
      });
    }
  });
});

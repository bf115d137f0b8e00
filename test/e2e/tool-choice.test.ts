import Ajv2020 from 'ajv/dist/2020.js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningServer } from '../../src/main.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { startDemoServer } from '../support/demo-server.ts';
import { writeRandomModel } from '../support/random-model.ts';

/** What was asked for must come from the grammar, not from the model: so also with a model that only makes noise. */
const parameters = {
  type: 'object',
  properties: {
    city: { enum: ['Berlin', 'Rome', 'New York'] },
    days: { type: 'integer', minimum: 1, maximum: 14 },
    unit: { enum: ['C', 'F', null] },
  },
  required: ['city'],
  additionalProperties: false,
};
const functionTool = (name: string, schema?: object) => ({
  type: 'function',
  function: { name, description: name, ...(schema && { parameters: schema }) },
});
const tools = [
  functionTool('get_weather', parameters),
  functionTool('get_time'),
  functionTool('send_mail', {
    type: 'object',
    properties: { urgent: { type: 'boolean' }, to: { type: 'string', maxLength: 12 } },
    required: ['to'],
  }),
];

interface Call {
  readonly function: { readonly name: string; readonly arguments: string };
}
interface Choice {
  readonly finish_reason: string;
  readonly message: { readonly content: string | null; readonly tool_calls?: readonly Call[] };
}

const named = (name: string) => ({ type: 'function', function: { name } });
const choices = {
  none: 'none',
  auto: 'auto',
  required: 'required',
  named: named('get_time'),
  allowed: {
    type: 'allowed_tools',
    allowed_tools: { mode: 'required', tools: [named('get_weather'), named('send_mail')] },
  },
} as const;
const offered: Record<string, readonly string[]> = {
  auto: ['get_weather', 'get_time', 'send_mail'],
  required: ['get_weather', 'get_time', 'send_mail'],
  named: ['get_time'],
  allowed: ['get_weather', 'send_mail'],
};

const ajv = new Ajv2020.default();
const schemaOf = new Map(
  tools.map(({ function: { name, parameters: schema } }) => [
    name,
    ajv.compile(schema ?? { type: 'object', maxProperties: 0 }),
  ]),
);

const families = ['hermes', 'qwen3-coder', 'mistral'];
const models: [string, string | undefined, string[]][] = [
  ['the demo model', demoModelPath, families],
  ['random weights', undefined, [...families, 'minimax-m3']],
];

describe.each(models)('tool_choice with %s', (_, path, syntaxes) => {
  describe.each(syntaxes)('in the syntax of %s', (family) => {
    let server: RunningServer;
    let random: ReturnType<typeof writeRandomModel> | undefined;
    beforeAll(async () => {
      random = path === undefined ? writeRandomModel() : undefined;
      const flags = ['--ctx-size', '2048', '--parallel', '2', '--chat-format', family];
      server = await startDemoServer(flags, path ?? random?.path);
    }, 180_000);
    afterAll(async () => {
      await server?.close();
      random?.remove();
    });

    const ask = async (body: object): Promise<Choice> => {
      const response = await fetch(`${server.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          messages: [{ role: 'user', content: 'What is the weather in Berlin?' }],
          tools,
          temperature: 1.2,
          ...body,
        }),
      });
      const answer = (await response.json()) as { choices: Choice[] };
      expect([response.status, response.status === 200 || answer]).toEqual([200, true]);
      const [choice] = answer.choices;
      if (!choice) throw new Error('no choice');
      return choice;
    };

    const cases = (Object.keys(choices) as (keyof typeof choices)[]).flatMap((choice) =>
      [true, false].flatMap((parallel) => [true, false].map((thinking) => ({ choice, parallel, thinking }))),
    );
    it.each(cases)('$choice, parallel $parallel, thinking $thinking', async ({ choice, parallel, thinking }) => {
      const { message, finish_reason } = await ask({
        tool_choice: choices[choice],
        // A forced call of noise, one byte a token, and its thought take 320 at most; where none is forced, noise goes on
        // for as long as it may.
        max_tokens: choice === 'none' || choice === 'auto' ? 48 : 400,
        parallel_tool_calls: parallel,
        chat_template_kwargs: { enable_thinking: thinking },
        thinking_budget_tokens: 24,
        seed: cases.length + Number(parallel) * 2 + Number(thinking),
      });
      const calls = message.tool_calls ?? [];
      expect(calls.filter(({ function: { name } }) => !offered[choice]?.includes(name))).toEqual([]);
      if (choice === 'none') expect(calls).toEqual([]);
      if (choice !== 'none' && choice !== 'auto') {
        expect(calls.length).toBeGreaterThan(0);
        expect(message.content ?? '').toBe('');
      }
      if (!parallel || choice === 'named') expect(calls.length).toBeLessThan(2);
      // Only a call that was cut off by max_tokens may be incomplete.
      const whole = finish_reason === 'length' ? calls.slice(0, -1) : calls;
      for (const call of whole) {
        const validate = schemaOf.get(call.function.name);
        expect([call, validate?.(JSON.parse(call.function.arguments)), validate?.errors]).toEqual([call, true, null]);
      }
      if (calls.length > 0 && finish_reason !== 'length') expect(finish_reason).toBe('tool_calls');
      const isOne = choice === 'named' || (choice !== 'none' && choice !== 'auto' && !parallel);
      if (isOne) expect(finish_reason).toBe('tool_calls');
    });

    it('shows calls and nothing else where max_tokens cuts them', async () => {
      const cuts = Array.from({ length: 12 }, (_, at) => 1 + 4 * at);
      const answers = await Promise.all(
        cuts.map((max_tokens) =>
          ask({
            tool_choice: 'required',
            max_tokens,
            chat_template_kwargs: { enable_thinking: false },
            seed: max_tokens,
          }),
        ),
      );
      expect(answers.map(({ message }) => message.content ?? '')).toEqual(cuts.map(() => ''));
    });
  });
});

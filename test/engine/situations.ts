import type { WireChat } from './reference-rendering.ts';

const hello = { role: 'user', content: 'Hello, who are you?' } as const;
const system = { role: 'system', content: 'You answer briefly.' } as const;
const weather = {
  type: 'function',
  function: {
    name: 'get_weather',
    description: 'Weather of a city',
    parameters: {
      type: 'object',
      properties: { city: { type: 'string', description: 'Its name' }, days: { type: 'integer' } },
      required: ['city'],
    },
  },
} as const;
const ask = { role: 'user', content: 'What is the weather where I am?' } as const;
const call = {
  role: 'assistant',
  content: '',
  tool_calls: [
    {
      type: 'function',
      function: { name: 'get_weather', arguments: '{"city": "Paris", "days": 2}' },
      id: 'abcdefgh1',
    },
  ],
} as const;
const result = { role: 'tool', content: '{"temperature": 18}', tool_call_id: 'abcdefgh1' } as const;

/** The conversations that every template must render, or refuse in its own words. */
export const situations: Readonly<Record<string, WireChat>> = {
  'plain user': { messages: [hello] },
  'system and user': { messages: [system, hello] },
  'several turns': {
    messages: [system, hello, { role: 'assistant', content: 'A model.' }, { role: 'user', content: 'Which one?' }],
  },
  'tools and user': { messages: [ask], tools: [weather] },
  'tool call, result and the next turn': {
    messages: [
      ask,
      call,
      result,
      { role: 'assistant', content: 'It is 18 degrees.' },
      { role: 'user', content: 'Thanks!' },
    ],
    tools: [weather],
  },
  'reasoning in the history': {
    messages: [
      hello,
      { role: 'assistant', content: 'A model.', reasoning_content: 'They ask who I am.' },
      { role: 'user', content: 'Which one?' },
    ],
  },
  'thinking off': { messages: [system, hello], enableThinking: false },
  'content as parts': {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'text', text: 'First part.' },
          { type: 'text', text: 'Second part.' },
        ],
      },
    ],
  },
};

import type { MessageLayout, PartLayout } from '../contract/chat-format.ts';

/** gpt-oss: `<|channel|>analysis<|message|>...<|end|>`. The recipient stands before or after the channel. */
export const harmony = {
  type: 'messages',
  start: '<|start|>',
  role: 'assistant',
  message: '<|message|>',
  // The last two end the generation: no grammar writes them.
  ends: ['<|end|>', '<|call|>', '<|return|>'],
  fields: { channel: '<|channel|>', constrain: '<|constrain|>' },
  heads: {
    thought: '<|channel|>analysis<|message|>',
    text: '<|channel|>final<|message|>',
    preamble: '<|channel|>commentary<|message|>',
    calls: [
      { open: '<|channel|>commentary to=functions.', nameEnd: ' <|constrain|>json<|message|>' },
      { open: ' to=functions.', nameEnd: '<|channel|>commentary <|constrain|>json<|message|>' },
    ],
  },
  beginnings: ['to=', 'assistant<|', 'assistant to='],
  recipients: { assistant: 'nobody' },
  channels: { analysis: 'reasoning' },
  notInBodies: ['<|end|>', '<|start|>', '<|channel|>', '<|message|>'],
} as const satisfies MessageLayout;

/** Muse: ` to=self<|message|>...<|eom|>`; the call itself is markup in the body of a message to the tool. */
export const muse = {
  type: 'messages',
  start: '<|start|>',
  role: 'assistant',
  message: '<|message|>',
  ends: ['<|eom|>', '<|eot|>'],
  fields: {},
  heads: {
    thought: ' to=self<|message|>',
    text: ' to=user<|message|>',
    calls: [{ open: ' to=', nameEnd: '<|message|>' }],
  },
  beginnings: ['to=', 'assistant to='],
  recipients: { self: 'reasoning', user: 'text' },
  channels: {},
  notInBodies: ['<|eom|>', '<|eot|>', '<|start|>'],
} as const satisfies MessageLayout;

/** Functionary 3.2: `all` and a line break before text, a name and a line break before arguments. */
export const functionary = {
  type: 'parts',
  separator: '>>>',
  callSeparator: '\n>>>',
  textName: 'all',
  nameEnd: '\n',
} as const satisfies PartLayout;

import type { WireChat } from './reference-rendering.ts';

type Sent = readonly [what: string, needle: string];

/** What a client has sent, and a text by which a prompt shows that it is there. */
function sent({ messages, tools = [] }: WireChat): Sent[] {
  const definitions: Sent[] = tools.length > 0 ? [['the tools', 'Weather of a city']] : [];
  const texts = messages.flatMap(({ role, content = '', tool_calls }): Sent[] => {
    if (tool_calls) return [['the call', 'Paris']];
    if (role === 'tool') return [['the result', 'temperature']];
    const parts = typeof content === 'string' ? [content] : content.map(({ text }) => text);
    return parts.map((text) => [`a message of the ${role}`, text]);
  });
  return [...definitions, ...texts];
}

/**
 * What of a conversation a prompt lacks, in words. `asUsual` is the prompt of the same messages without a wish about
 * thinking: when it is the same, the wish was not heard.
 */
export function lacks(prompt: string, wire: WireChat, asUsual: string): string {
  if (prompt.startsWith('refused: ')) return 'everything, it is refused';
  const lost = sent(wire).filter(([, needle]) => !prompt.includes(needle));
  const unheard = wire.enableThinking === false && prompt === asUsual ? ['the wish not to think'] : [];
  return [...lost.map(([what]) => what), ...unheard].join(', ');
}

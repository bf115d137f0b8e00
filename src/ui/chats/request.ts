import { type AssistantMessage, type Message, textOf, thoughtOf, type UserMessage } from './message.ts';

/** A message as `/v1/chat/completions` takes it. */
export type WireMessage = Readonly<Record<string, unknown>> & { readonly role: string };

export interface PromptOptions {
  readonly systemPrompt: string;
  /** The template keeps thoughts of earlier turns; else they are left out, as it would. */
  readonly keepsThoughts: boolean;
}

/** The messages of a chat's path as the server reads them. */
export function wireMessages(path: readonly Message[], { systemPrompt, keepsThoughts }: PromptOptions): WireMessage[] {
  const system = systemPrompt.trim() === '' ? [] : [{ role: 'system', content: systemPrompt }];
  const turns = path.flatMap((message, index) => {
    if (message.role === 'user') return [{ role: 'user', content: userText(message) }];
    return assistantTurn(message, keepsThoughts || index === path.length - 1);
  });
  return [...system, ...turns];
}

/** What a person wrote, with the files that go with it in front. */
export function userText(message: Pick<UserMessage, 'blocks' | 'files'>): string {
  const files = (message.files ?? []).map(({ name, text }) => `File ${JSON.stringify(name)}:\n${fenced(text)}`);
  return [...files, textOf(message)].filter((part) => part !== '').join('\n\n');
}

function assistantTurn(message: AssistantMessage, withThought: boolean): WireMessage[] {
  const calls = message.blocks.filter((block) => block.kind === 'call');
  const thought = withThought ? thoughtOf(message) : '';
  const text = textOf(message);
  if (text === '' && thought === '' && calls.length === 0) return [];
  const turn = {
    role: 'assistant',
    content: text,
    ...(thought !== '' && { reasoning_content: thought }),
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ id, name, arguments: text }) => ({
        id,
        type: 'function',
        function: { name, arguments: text },
      })),
    }),
  };
  const results = calls.flatMap(({ id, result }) =>
    result ? [{ role: 'tool', tool_call_id: id, content: result.text }] : [],
  );
  return [turn, ...results];
}

/** A fence that is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}${text.endsWith('\n') ? '' : '\n'}${fence}`;
}

import { type AssistantMessage, type Block, type Message, textOf, thoughtOf, type UserMessage } from './message.ts';

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
function userText(message: Pick<UserMessage, 'blocks' | 'files'>): string {
  const files = (message.files ?? []).map(({ name, text }) => `File ${JSON.stringify(name)}:\n${fenced(text)}`);
  return [...files, textOf(message)].filter((part) => part !== '').join('\n\n');
}

/** A turn of the model for each round: behind the results of its calls it has spoken anew. */
function assistantTurn(message: AssistantMessage, withThought: boolean): WireMessage[] {
  return roundsOf(message).flatMap((blocks) => roundTurn(blocks, withThought));
}

type Round = Pick<AssistantMessage, 'blocks'>;

function roundsOf({ blocks }: AssistantMessage): Round[] {
  const rounds: Block[][] = [[]];
  for (const block of blocks) {
    const now = rounds.at(-1) ?? [];
    const last = now.at(-1);
    // Calls that a client would run end the answer: what follows them belongs to them.
    const spokeAnew = block.kind === 'call' ? block.behindResults === true : last?.kind === 'call';
    if (spokeAnew && last?.kind === 'call' && last.server !== undefined) rounds.push([block]);
    else now.push(block);
  }
  return rounds.map((round) => ({ blocks: round }));
}

function roundTurn(round: Round, withThought: boolean): WireMessage[] {
  const calls = round.blocks.filter((block) => block.kind === 'call');
  const thought = withThought ? thoughtOf(round) : '';
  const text = textOf(round);
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
  const results = calls.flatMap(({ id, result, server }) => {
    const content = result?.text ?? (server === undefined ? undefined : unfinished);
    return content === undefined ? [] : [{ role: 'tool', tool_call_id: id, content }];
  });
  return [turn, ...results];
}

/** For the model: its call was stopped with its answer. */
const unfinished = 'This call was ended before it gave a result.';

/** A fence that is longer than any in the text. */
function fenced(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`{3,}/g)].map(([ticks]) => ticks.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}\n${text}${text.endsWith('\n') ? '' : '\n'}${fence}`;
}

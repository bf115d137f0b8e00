import {
  type AssistantMessage,
  type AttachedImage,
  type AttachedText,
  type Block,
  isImage,
  type Message,
  textOf,
  thoughtOf,
  type UserMessage,
} from './message.ts';

/** A message as `/v1/chat/completions` takes it. */
export type WireMessage = Readonly<Record<string, unknown>> & { readonly role: string };

export interface PromptOptions {
  readonly systemPrompt: string;
  /** The template keeps thoughts of earlier turns; else they are left out, as it would. */
  readonly keepsThoughts: boolean;
  /** A picture as a `data:` address; undefined where the model is told only that there is one. */
  readonly imageUrl: (image: AttachedImage) => string | undefined;
}

/** The messages of a chat's path as the server reads them. */
export function wireMessages(
  path: readonly Message[],
  { systemPrompt, keepsThoughts, imageUrl }: PromptOptions,
): WireMessage[] {
  const system = systemPrompt.trim() === '' ? [] : [{ role: 'system', content: systemPrompt }];
  const turns = path.flatMap((message, index) => {
    if (message.muted) return [];
    if (message.role === 'user') return [{ role: 'user', content: userContent(message, imageUrl) }];
    return assistantTurn(message, keepsThoughts || index === path.length - 1);
  });
  return [...system, ...turns];
}

type Said = Pick<UserMessage, 'blocks' | 'files' | 'short'>;

/** What a person wrote, with the files that go with it in front; pictures before everything. */
function userContent(message: Said, imageUrl: PromptOptions['imageUrl']): string | readonly object[] {
  const urls = new Map((message.files ?? []).filter(isImage).map((image) => [image, imageUrl(image)]));
  const files = (message.files ?? []).flatMap((file) => {
    if (!isImage(file)) return message.short === undefined ? [fileText(file)] : [];
    return urls.get(file) === undefined ? [`File ${JSON.stringify(file.name)}: ${unseen}`] : [];
  });
  const text = joined([...files, message.short ?? textOf(message)]);
  const images = [...urls.values()].filter((url) => url !== undefined);
  if (images.length === 0) return text;
  const parts = images.map((url) => ({ type: 'image_url', image_url: { url } }));
  return text === '' ? parts : [...parts, { type: 'text', text }];
}

/** What prompts have of a message in words; without its calls, and what shortens it. */
export function readText(message: Message): string {
  const files = message.role === 'user' ? (message.files ?? []) : [];
  return joined([...files.flatMap((file) => (isImage(file) ? [] : [fileText(file)])), textOf(message)]);
}

function fileText({ name, text }: AttachedText): string {
  return `File ${JSON.stringify(name)}:\n${fenced(text)}`;
}

function joined(parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join('\n\n');
}

/** For the model: there is more than it can read. */
const unseen = 'a picture, which you cannot see.';

/** A turn of the model for each round: behind the results of its calls it has spoken anew. */
function assistantTurn(message: AssistantMessage, withThought: boolean): WireMessage[] {
  if (message.short !== undefined) return [{ role: 'assistant', content: message.short }];
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

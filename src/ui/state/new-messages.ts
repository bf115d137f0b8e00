import type { AssistantMessage, AttachedFile, Block, Message, UserMessage } from '../chats/message.ts';
import type { Environment } from './environment.ts';
import type { NewEntry } from './known-chats.ts';

/** Where ids and the time come from. */
export type Maker = Pick<Environment, 'newId' | 'now'>;

export function newUserMessage(
  { newId, now }: Maker,
  parent: string | null,
  text: string,
  files: readonly AttachedFile[],
): UserMessage {
  const blocks = text === '' ? [] : [{ kind: 'text', text } as const];
  const base = { id: newId(), parent, time: now(), blocks, role: 'user' } as const;
  return files.length > 0 ? { ...base, files } : base;
}

/** One that nothing was said of yet. */
export function newAnswer({ newId, now }: Maker, parent: string): AssistantMessage {
  return { id: newId(), parent, role: 'assistant', time: now(), blocks: [] };
}

/** An answer as a person would have it, beside what it was. */
export function correctedAnswer(
  { newId, now }: Maker,
  before: AssistantMessage,
  blocks: readonly Block[],
): AssistantMessage {
  const { figures: _, failure: __, short: ___, ...facts } = before;
  return { ...facts, id: newId(), time: now(), blocks, outcome: 'stopped', edited: true };
}

/** The same messages, one below the other, for another chat. */
export function copiedMessages({ newId }: Maker, path: readonly Message[]): NewEntry[] {
  const ids = new Map(path.map((message) => [message.id, newId()]));
  return path.map((message) => {
    const parent = message.parent === null ? null : (ids.get(message.parent) ?? null);
    return { type: 'message', message: { ...message, id: ids.get(message.id) ?? message.id, parent } };
  });
}

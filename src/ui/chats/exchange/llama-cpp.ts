import { member } from '../../api/failure.ts';
import type { AttachedText, Block } from '../message.ts';
import type { OtherChat, OtherMessage } from './tree-of-others.ts';

/**
 * llama.cpp's page. JSONL: a line of the type `session` with the conversation, then one of the type `message` for each
 * message, and the next session; before June 2026 one JSON of `{conv, messages}`, or a list of these.
 */
export function readLlamaCpp(records: readonly unknown[]): OtherChat[] {
  const chats: { readonly conversation: unknown; readonly messages: unknown[] }[] = [];
  for (const record of records) {
    const type = member(record, 'type');
    const messages = member(record, 'messages');
    if (type === 'session') chats.push({ conversation: record, messages: [] });
    else if (type === 'message') chats.at(-1)?.messages.push(member(record, 'message'));
    else if (Array.isArray(messages)) chats.push({ conversation: member(record, 'conv'), messages });
  }
  return chats.map(({ conversation, messages }) => ({
    id: text(conversation, 'id'),
    title: text(conversation, 'name'),
    pinned: member(conversation, 'pinned') === true,
    head: text(conversation, 'currNode') || undefined,
    messages: messages.map(readMessage),
  }));
}

function readMessage(value: unknown): OtherMessage {
  const thought = text(value, 'reasoningContent') || text(value, 'thinking');
  const said = text(value, 'content');
  const time = member(value, 'timestamp');
  return {
    id: text(value, 'id'),
    parent: text(value, 'parent') || undefined,
    // The root of the tree says nothing.
    role: text(value, 'type') === 'root' ? 'root' : text(value, 'role'),
    blocks: [
      ...(thought === '' ? [] : [{ kind: 'thought', text: thought } as const]),
      ...(said === '' ? [] : [{ kind: 'text', text: said } as const]),
      ...callsIn(member(value, 'toolCalls')),
    ],
    files: filesIn(member(value, 'extra')),
    model: text(value, 'model') || undefined,
    time: typeof time === 'number' ? time : 0,
  };
}

function callsIn(calls: unknown): Block[] {
  if (!Array.isArray(calls)) return [];
  return calls.map((call: unknown, index) => {
    const called = member(call, 'function');
    return {
      kind: 'call',
      id: text(call, 'id') || String(index),
      name: text(called, 'name'),
      arguments: text(called, 'arguments'),
    };
  });
}

/** Texts, and what was read out of PDFs. */
function filesIn(extra: unknown): AttachedText[] {
  if (!Array.isArray(extra)) return [];
  return extra.flatMap((file: unknown) => {
    const content = text(file, 'content');
    return content === '' ? [] : [{ name: text(file, 'name') || 'file', text: content }];
  });
}

function text(value: unknown, name: string): string {
  const found = member(value, name);
  return typeof found === 'string' ? found : '';
}

import { member } from '../../api/failure.ts';
import type { Block } from '../message.ts';
import type { OtherChat, OtherMessage } from './tree-of-others.ts';

/** Open WebUI's "Export chats": a list of chats, each with `chat.history.messages` by id and `currentId`. Times in seconds. */
export function readOpenWebUi(chats: readonly unknown[]): OtherChat[] {
  return chats.flatMap((row) => {
    const chat = member(row, 'chat');
    const history = member(chat, 'history');
    const messages = member(history, 'messages');
    if (typeof messages !== 'object' || messages === null) return [];
    return [
      {
        id: text(row, 'id') || text(chat, 'id'),
        title: text(row, 'title') || text(chat, 'title'),
        pinned: member(row, 'pinned') === true,
        head: text(history, 'currentId') || undefined,
        messages: Object.entries(messages).map(([id, message]) => readMessage(id, message)),
      },
    ];
  });
}

function readMessage(id: string, value: unknown): OtherMessage {
  const time = member(value, 'timestamp');
  return {
    id,
    parent: text(value, 'parentId') || undefined,
    role: text(value, 'role'),
    blocks: blocksIn(value),
    files: [],
    model: text(value, 'model') || undefined,
    time: typeof time === 'number' ? Math.round(time * 1000) : 0,
  };
}

/** Thoughts stand in the text, folded away and quoted. */
const folded = /<details type="reasoning"([^>]*)>\s*<summary>[\s\S]*?<\/summary>([\s\S]*?)<\/details>\s*/g;

function blocksIn(value: unknown): Block[] {
  const content = text(value, 'content');
  if (text(value, 'role') !== 'assistant') return content === '' ? [] : [{ kind: 'text', text: content }];
  const blocks: Block[] = [];
  let from = 0;
  const say = (said: string) => {
    if (said.trim() !== '') blocks.push({ kind: 'text', text: said.trimStart() });
  };
  for (const match of content.matchAll(folded)) {
    say(content.slice(from, match.index));
    const [whole, attributes = '', thought = ''] = match;
    const seconds = /duration="(\d+)"/.exec(attributes)?.[1];
    const ms = seconds === undefined ? undefined : Number(seconds) * 1000;
    const lines = thought.trim().split('\n');
    const quoted = lines.map((line) => line.replace(/^(>|&gt;) ?/, '')).join('\n');
    blocks.push({ kind: 'thought', text: quoted, ...(ms !== undefined && { ms }) });
    from = match.index + whole.length;
  }
  say(content.slice(from));
  return blocks;
}

function text(value: unknown, name: string): string {
  const found = member(value, name);
  return typeof found === 'string' ? found : '';
}

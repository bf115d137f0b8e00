import { member } from '../../api/failure.ts';
import { readLlamaCpp } from './llama-cpp.ts';
import { readOpenWebUi } from './open-webui.ts';
import { ownFormat, type PortableChat, type PortableFiles, readFiles, readOwn } from './own.ts';
import { portable } from './tree-of-others.ts';

/** The chats in a file, whoever wrote it. Empty where it is no file of chats that is known here. */
export function readChats(file: string, newId: () => string): PortableChat[] {
  const whole = parsed(file);
  if (member(whole, 'format') === ownFormat) return readOwn(whole).filter(hasMessages);
  const others = readOthers(whole ?? lines(file));
  return others.map((chat) => portable(chat, newId)).filter(hasMessages);
}

/** What the chats of a file of ours refer to. */
export function filesOfChats(file: string): PortableFiles {
  return readFiles(parsed(file));
}

function readOthers(content: unknown) {
  const records = Array.isArray(content) ? content : [content];
  return records.some((record) => member(member(record, 'chat'), 'history') !== undefined)
    ? readOpenWebUi(records)
    : readLlamaCpp(records);
}

function lines(file: string): unknown[] {
  return file
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map(parsed);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function hasMessages({ entries }: PortableChat): boolean {
  return entries.some(({ type }) => type === 'message');
}

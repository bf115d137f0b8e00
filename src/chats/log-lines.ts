import type { ChatEntry } from '../contract/chats.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';

/** The first line of a chat's file. */
export interface LogHeader {
  readonly chat_id: string;
  /** Unix milliseconds. */
  readonly created: number;
  /** Goes up when the file is written anew without what does not count any more: places in it change then. */
  readonly generation: number;
  /** Entries that were left out then. They are still known, so that they do not come again. */
  readonly gone: readonly string[];
}

const format = 1;

export function headerLine({ chat_id, created, generation, gone }: LogHeader): string {
  return `${JSON.stringify({ format, chat_id, created, generation, gone })}\n`;
}

export function entryLine(entry: ChatEntry): string {
  return `${JSON.stringify(entry)}\n`;
}

/** Undefined for what is none, which a line behind the first one never is. */
export function readHeader(line: string): LogHeader | undefined {
  const value = parsed(line);
  if (!isJsonObject(value) || value.format !== format) return undefined;
  const { chat_id, created, generation, gone } = value;
  if (typeof chat_id !== 'string' || !isCount(created) || !isCount(generation)) return undefined;
  return { chat_id, created, generation, gone: isTextList(gone) ? gone : [] };
}

/**
 * Undefined for a line that was torn, or written by somebody else. What clients send was checked at the door; here it is
 * what the rest of the room relies on.
 */
export function readEntry(line: string): ChatEntry | undefined {
  const value = parsed(line);
  if (!isJsonObject(value)) return undefined;
  const { entry_id, time } = value;
  if (typeof entry_id !== 'string' || !isCount(time)) return undefined;
  return entryOf(value, { entry_id, time });
}

function entryOf(value: JsonObject, base: { entry_id: string; time: number }): ChatEntry | undefined {
  const { type, parent = null, target, message, title, pinned, settings, head = null, deleted } = value;
  const files = isTextList(value.files) ? { files: value.files } : {};
  if (type === 'message' && isJsonObject(message) && isTextOrNull(parent))
    return { ...base, type, parent, message, ...files };
  if (type === 'edit' && isJsonObject(message) && typeof target === 'string')
    return { ...base, type, target, message, ...files };
  if (type === 'title' && typeof title === 'string') return { ...base, type, title };
  if (type === 'pin' && typeof pinned === 'boolean') return { ...base, type, pinned };
  if (type === 'settings' && isJsonObject(settings)) return { ...base, type, settings };
  if (type === 'head' && isTextOrNull(head)) return { ...base, type, head };
  if (type === 'delete' && typeof target === 'string' && typeof deleted === 'boolean')
    return { ...base, type, target, deleted };
  return undefined;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isCount(value: JsonValue | undefined): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isTextOrNull(value: JsonValue | undefined): value is string | null {
  return value === null || typeof value === 'string';
}

function isTextList(value: JsonValue | undefined): value is readonly string[] {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

import { chatIdPattern, sha256Pattern } from '../contract/chats.ts';
import { ServeError } from '../contract/errors.ts';

const ending = '.jsonl';

/** Ids become names of files: whatever else a client asks for is not there. */
export function isChatId(text: string): boolean {
  return chatIdPattern.test(text);
}

export function fileOfChat(id: string): string {
  return id + ending;
}

/** Undefined for files that are no chats. */
export function chatOfFile(name: string): string | undefined {
  const id = name.endsWith(ending) ? name.slice(0, -ending.length) : '';
  return isChatId(id) ? id : undefined;
}

/** In the bin the time of the deletion stands in front, so that a chat can lie there more than once. */
export function fileInBin(id: string, deleted: number): string {
  return `${deleted}.${fileOfChat(id)}`;
}

export function chatInBin(name: string): { readonly chatId: string; readonly deleted: number } | undefined {
  const [, time = '', file = ''] = /^(\d{1,15})\.(.+)$/.exec(name) ?? [];
  const id = chatOfFile(file);
  return id === undefined ? undefined : { chatId: id, deleted: Number(time) };
}

export function isSha256(text: string): boolean {
  return sha256Pattern.test(text);
}

const withoutKeys = 'local';
const keyPrefix = 'key-';
/** Persons' names as key files have them, and the hashes that stand for keys without one. */
const ownerName = /^[a-z0-9-]{1,100}$/;

/** The folder of an owner; `''` is whoever uses a server without keys. */
export function folderOfOwner(owner: string): string {
  if (owner === '') return withoutKeys;
  if (!ownerName.test(owner)) throw new RangeError('not the name of an owner');
  return keyPrefix + owner;
}

export function ownerOfFolder(name: string): string | undefined {
  if (name === withoutKeys) return '';
  const owner = name.startsWith(keyPrefix) ? name.slice(keyPrefix.length) : '';
  return ownerName.test(owner) ? owner : undefined;
}

export function noSuchChat(id: string): ServeError {
  return new ServeError(
    'not_found',
    `There is no chat ${JSON.stringify(id)}. It was never kept, was deleted, or went from the bin after 30 days.`,
  );
}

export function noSuchFile(hash: string): ServeError {
  return new ServeError('not_found', `There is no file ${JSON.stringify(hash)}. Send it with POST first.`);
}

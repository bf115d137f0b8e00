import { type Message, textOf } from './message.ts';
import type { WireMessage } from './request.ts';

/** What a person said and what came of it: the smallest part of a chat that can be left out of a prompt. */
export interface Exchange {
  readonly ids: readonly string[];
  /** How it begins. */
  readonly title: string;
  readonly muted: boolean;
  readonly pinned: boolean;
  /** At least one of its messages is read in a shorter form. */
  readonly shortened: boolean;
}

export function exchangesOf(path: readonly Message[]): Exchange[] {
  const groups: Message[][] = [];
  for (const message of path) {
    const last = groups.at(-1);
    if (message.role === 'user' || !last) groups.push([message]);
    else last.push(message);
  }
  return groups.map((messages) => {
    const [first] = messages;
    const files = first?.role === 'user' ? (first.files ?? []).map(({ name }) => name) : [];
    return {
      ids: messages.map(({ id }) => id),
      title: (first && textOf(first).trim().slice(0, 80)) || files.join(', '),
      muted: messages.every(({ muted }) => muted === true),
      pinned: messages.some(({ pinned }) => pinned === true),
      shortened: messages.some(({ short }) => short !== undefined),
    };
  });
}

/**
 * The beginnings of a prompt whose lengths tell what each part takes: first what stands before everything that is said,
 * then one exchange more each. What is said begins anew with each message of a person.
 */
export function beginnings(messages: readonly WireMessage[]): WireMessage[][] {
  const starts = messages.flatMap(({ role }, index) => (role === 'user' ? [index] : []));
  return [...starts, messages.length].map((end) => messages.slice(0, end));
}

export interface Sized extends Exchange {
  /** In tokens; undefined while it is not counted, and of what is left out. */
  readonly tokens: number | undefined;
}

/** So full a prompt may be after a cut: the next turns have room, and the cut after it is a while off. */
const fullAfterCut = 0.6;

/** The oldest exchanges that could go so that there is room again: never the last one, and none that is pinned. */
export function proposeCut(exchanges: readonly Sized[], total: number, contextSize: number): Sized[] {
  const cut: Sized[] = [];
  let left = total;
  for (const exchange of exchanges.slice(0, -1)) {
    if (left <= contextSize * fullAfterCut) break;
    if (exchange.muted || exchange.pinned || exchange.tokens === undefined) continue;
    cut.push(exchange);
    left -= exchange.tokens;
  }
  return cut;
}

/** Tokens that are read anew when this exchange changes: all that comes after it. */
export function rereadAfter(exchanges: readonly Sized[], index: number): number {
  return exchanges.slice(index + 1).reduce((sum, { tokens = 0 }) => sum + tokens, 0);
}

import type { BlockDelta, BlockEvent, BlockKind, TokenLogprob } from '../contract/events.ts';

/** A token that was written, as far as no text has come of it yet. */
interface Written {
  /** Undefined: it was given with the beginning of its text. */
  readonly logprob: TokenLogprob | undefined;
  /** Empty where the token is a part of a character that a later one completes. */
  readonly text: string;
}

interface Piece {
  readonly delta: BlockDelta;
  readonly kind: BlockKind;
}

/** Where a piece of an answer stands in what was written, in characters. */
interface Place extends Piece {
  /** Whitespace in front of it that was written elsewhere, before a thought or a call. */
  readonly lead: number;
  readonly begin: number;
  readonly end: number;
}

/** How far the machine that makes the events has come. */
export interface Reading {
  /** Characters at the end of what was written that are in no event and may yet be. */
  readonly unread: number;
  /** It was or is inside a thought, which need not show in an event: empty ones do not. */
  readonly thinking: boolean;
}

/** A token of a text and where in the piece it begins, in characters. */
export interface OwnToken {
  readonly logprob: TokenLogprob;
  readonly at: number;
}

const none: readonly OwnToken[] = [];

/**
 * Which tokens the pieces of an answer's text are made of. Between the two lie thoughts, calls and markup, which are no
 * text, and text that is held back: so tokens are followed by their spelling. A token belongs to the first piece that one
 * of its characters turns up in.
 */
export class TokenTrail {
  #written: Written[] = [];
  /** Of the block that is open. */
  #kind: BlockKind | undefined;
  #owners = new Map<BlockDelta, readonly OwnToken[]>();

  wrote(text: string, logprob: TokenLogprob): void {
    this.#written.push({ logprob, text });
  }

  /** What came of the tokens so far, but for the last characters, which are not read yet. `thinking`: not a text. */
  follow(events: readonly BlockEvent[], { unread, thinking }: Reading): void {
    const deltas = this.#deltas(events);
    if (this.#written.length === 0) return;
    const all = this.#written.map((token) => token.text).join('');
    const read = Math.max(0, all.length - unread);
    const places = placesOf(deltas, all.slice(0, read));
    const texts = places.filter(({ kind }) => kind === 'text');
    this.#owners = new Map(texts.map((place) => [place.delta, this.#own(place)]));
    // What a call has read beyond its arguments may come as text yet.
    if (thinking || (events.length > 0 && this.#kind === undefined)) this.#keepFrom(read);
    else this.#keepFrom(places.at(-1)?.end ?? 0);
  }

  tokensOf(delta: BlockDelta): readonly OwnToken[] {
    return this.#owners.get(delta) ?? none;
  }

  #deltas(events: readonly BlockEvent[]): readonly Piece[] {
    const deltas: Piece[] = [];
    for (const event of events) {
      if (event.type === 'block-start') this.#kind = event.kind;
      else if (event.type === 'block-end') this.#kind = undefined;
      else if (this.#kind) deltas.push({ delta: event, kind: this.#kind });
    }
    return deltas;
  }

  /** The tokens that have a character in this place, each once. */
  #own({ begin, end, lead }: Place): readonly OwnToken[] {
    const own: OwnToken[] = [];
    let at = 0;
    this.#written = this.#written.map((token) => {
      const { logprob, text } = token;
      const next = at + text.length;
      const isInside = at < end && (text === '' ? at >= begin : next > begin);
      if (isInside && logprob) own.push({ logprob, at: Math.max(0, lead + at - begin) });
      at = next;
      return isInside && logprob ? { logprob: undefined, text } : token;
    });
    return own;
  }

  /** Forgets what was written before this place. */
  #keepFrom(place: number): void {
    let at = 0;
    this.#written = this.#written.flatMap((token) => {
      const { logprob, text } = token;
      const begin = at;
      at += text.length;
      if (begin >= place) return [token];
      return at > place ? [{ logprob, text: text.slice(place - begin) }] : [];
    });
  }
}

/** From the last piece to the first: markup was thrown away before a piece rather than after the last one. */
function placesOf(pieces: readonly Piece[], read: string): readonly Place[] {
  const places: Place[] = [];
  let end = read.length;
  for (const [index, { delta, kind }] of [...pieces.entries()].reverse()) {
    const next = kind === 'text' && index === 0;
    const whole = find(delta.delta, read.slice(0, end), next);
    const visible = whole < 0 && kind === 'text' ? delta.delta.trimStart() : delta.delta;
    const begin = whole < 0 && visible !== '' ? find(visible, read.slice(0, end), next) : whole;
    const lead = delta.delta.length - visible.length;
    // No spelling of these tokens: half a character, or a call's arguments that were mended. All there is made it.
    if (begin < 0) places.unshift({ delta, kind, lead: 0, begin: 0, end: Math.max(end, 1) });
    else places.unshift({ delta, kind, lead, begin, end: begin + visible.length });
    if (begin >= 0) end = begin;
  }
  return places;
}

/** `next`: nothing but the whitespace between two blocks should stand before it. */
function find(text: string, all: string, next: boolean): number {
  if (next && all.startsWith(text)) return 0;
  const visible = all.search(/\S/);
  return next && visible >= 0 && all.startsWith(text, visible) ? visible : all.lastIndexOf(text);
}

import type { ToolCallFormat } from '../../contract/chat-format.ts';
import { MarkerSet, type Reading } from '../marker-scanner.ts';
import type { CallSyntax, CallTools } from './call-reader.ts';
import { CallObject, type ObjectKeys } from './json-object.ts';

type Framed = Exclude<ToolCallFormat, { readonly syntax: 'addressed' }>;

/** How one call is read, after its opening marker; false: it is no call. Closing markers are left to the frame. */
type ReadCall = () => Reading<boolean>;

export interface FrameMarkers {
  /** In the order in which they come; the last one opens a single call. */
  readonly openers: readonly string[];
  /** In the order in which they come; the last one ends all calls. */
  readonly closers: readonly string[];
}

/** The literal markers of a format without the whitespace and the array's brackets, which models get wrong. */
export function frameMarkers(format: Framed): FrameMarkers {
  const openers = [...lines(format.section?.open), ...lines(format.open)];
  const closers = [...lines(format.close), ...lines(format.section?.close)];
  const isArray = (format.syntax === 'json' && format.array) || format.syntax === 'python';
  if (!isArray) return { openers, closers };
  return {
    openers: openers.map((line) => line.replace(/(?<=[>\]])\s*\[$/, '')),
    closers: closers.map((line) => line.replace(/^\]\s*/, '')).filter((line) => line !== ''),
  };
}

function lines(text = ''): string[] {
  return text
    .split(/\n|(?<=```)(?=<)/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

export interface FrameOptions {
  /** Keys of calls that are JSON objects. */
  readonly keys?: ObjectKeys;
  /** Reads a call after the last opener. */
  readonly readCall?: ReadCall;
  /** Reads a call that begins with its name, between the openers and the closers. */
  readonly readBareCall?: ReadCall;
}

/**
 * Calls between markers: alone, one after the other, or in an array. A JSON object that stands where a call should
 * begin is read as a call in every family: models mix the two.
 */
export function framedCalls(format: Framed, tools: CallTools, options: FrameOptions): CallSyntax {
  const markers = frameMarkers(format);
  const frame = new Frame(tools, markers, options);
  return {
    openers: options.readCall ? markers.openers : markers.openers.slice(0, 1),
    read: () => frame.read(),
  };
}

const usualKeys: ObjectKeys = { name: 'name', arguments: 'arguments' };

class Frame {
  readonly #tools: CallTools;
  readonly #openers: readonly string[];
  readonly #lastCloser: string;
  readonly #markers: MarkerSet;
  readonly #callOpener: string | undefined;
  readonly #keys: ObjectKeys;
  readonly #options: FrameOptions;
  /** Of the reading that is going on. */
  #calls = 0;
  #opened = false;

  constructor(tools: CallTools, { openers, closers }: FrameMarkers, options: FrameOptions) {
    this.#tools = tools;
    this.#openers = openers;
    this.#lastCloser = closers.at(-1) ?? '';
    this.#markers = new MarkerSet([...openers, ...closers]);
    this.#callOpener = options.readCall && openers.at(-1);
    this.#keys = { ...(options.keys ?? usualKeys), closers };
    this.#options = options;
  }

  *read(): Reading<string> {
    const { scanner } = this.#tools;
    this.#calls = 0;
    this.#opened = this.#openers.length === 0;
    scanner.record();
    for (;;) {
      const next = yield* scanner.skipSpace();
      const marker = next === undefined ? undefined : yield* scanner.next(this.#markers);
      const text = marker === undefined ? yield* this.#unmarked(next) : yield* this.#marked(marker);
      if (text !== undefined) return text;
    }
  }

  /** What is left over when the calls are over; undefined while they go on. */
  *#marked(marker: string): Reading<string | undefined> {
    const { scanner } = this.#tools;
    scanner.take(marker.length);
    if (marker === this.#callOpener && this.#options.readCall) {
      this.#opened = true;
      const begin = yield* scanner.skipSpace();
      if (begin === '{' || begin === '[') return undefined;
      return this.#counted(yield* this.#options.readCall());
    }
    // The opener of another section counts too: its calls are read like those of this one.
    if (this.#openers.includes(marker)) {
      this.#opened = true;
      return undefined;
    }
    if (this.#calls === 0) return scanner.recorded();
    return marker === this.#lastCloser ? this.#ended() : undefined;
  }

  *#unmarked(next: string | undefined): Reading<string | undefined> {
    const { scanner } = this.#tools;
    if (this.#opened && next === '{') {
      return this.#counted(yield* new CallObject(this.#tools, this.#keys).read());
    }
    if (this.#opened && next !== undefined && this.#options.readBareCall && /[\p{L}_]/u.test(next)) {
      return this.#counted(yield* this.#options.readBareCall());
    }
    const isBracket = next !== undefined && '[],;'.includes(next);
    const isBraceTooMany = next === '}' && this.#calls > 0;
    if (!isBracket && !isBraceTooMany) return this.#cutShort(next);
    scanner.take(1);
    if (isBraceTooMany) this.#tools.repaired();
    // Arrays without a marker after them end with their bracket.
    return next === ']' && this.#lastCloser === '' && this.#calls > 0 ? this.#ended() : undefined;
  }

  #counted(isCall: boolean): string | undefined {
    if (!isCall) return this.#tools.scanner.recorded();
    this.#calls++;
    this.#tools.scanner.record();
    return undefined;
  }

  #ended(): string {
    this.#tools.scanner.recorded();
    return '';
  }

  /** Something else stands where a call or a closing marker should: separators of calls are all that was read. */
  #cutShort(next: string | undefined): string {
    const separators = this.#tools.scanner.recorded();
    if (this.#calls === 0) return separators;
    if (this.#lastCloser !== '' && next !== undefined) this.#tools.repaired();
    return separators.includes('[') ? separators.trimStart() : '';
  }
}

import type { ToolCallFormat } from '../../contract/chat-format.ts';
import { MarkerSet, type Reading } from '../marker-scanner.ts';
import type { CallSyntax, CallTools } from './call-reader.ts';
import { CallObject, type ObjectKeys } from './json-object.ts';

type Framed = Exclude<ToolCallFormat, { readonly syntax: 'addressed' }>;

/** How one call is read, behind its opening marker; false: it is no call. Closing markers are left to the frame. */
export type ReadCall = () => Reading<boolean>;

export interface FrameMarkers {
  /** In the order in which they come; the last one opens a single call. */
  readonly openers: readonly string[];
  /** In the order in which they come; the last one ends all calls. */
  readonly closers: readonly string[];
}

/** The literal markers of a format without the whitespace and brackets between them, which models get wrong. */
export function frameMarkers(format: Framed): FrameMarkers {
  return {
    openers: [...lines(format.section?.open), ...lines(format.open)].map((line) =>
      line.replace(/(?<=[>\]])\s*\[$/, ''),
    ),
    closers: [...lines(format.close), ...lines(format.section?.close)]
      .map((line) => line.replace(/^\]\s*/, ''))
      .filter((line) => line !== ''),
  };
}

function lines(text = ''): string[] {
  return text
    .split(/\n|(?<=```)(?=<)/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

/**
 * Calls between markers: alone, one after the other, or in an array. A JSON object that stands where a call should
 * begin is read as a call in every family: models mix the two.
 */
export function framedCalls(format: Framed, tools: CallTools, keys: ObjectKeys, readCall?: ReadCall): CallSyntax {
  const { openers, closers } = frameMarkers(format);
  const frame = new Frame(tools, { openers, closers }, keys, readCall);
  return { openers: readCall ? openers : openers.slice(0, 1), read: () => frame.read() };
}

class Frame {
  readonly #tools: CallTools;
  readonly #openers: readonly string[];
  readonly #lastCloser: string;
  readonly #markers: MarkerSet;
  readonly #callOpener: string | undefined;
  readonly #keys: ObjectKeys;
  readonly #readCall: ReadCall | undefined;

  constructor(tools: CallTools, { openers, closers }: FrameMarkers, keys: ObjectKeys, readCall?: ReadCall) {
    this.#tools = tools;
    this.#openers = openers;
    this.#lastCloser = closers.at(-1) ?? '';
    this.#markers = new MarkerSet([...openers, ...closers]);
    this.#callOpener = readCall && openers.at(-1);
    this.#keys = { ...keys, closers };
    this.#readCall = readCall;
  }

  *read(): Reading<string> {
    const { scanner } = this.#tools;
    let calls = 0;
    let opened = this.#openers.length === 0;
    scanner.record();
    for (;;) {
      const next = yield* scanner.skipSpace();
      const marker = next === undefined ? undefined : yield* scanner.next(this.#markers);
      if (opened && next === '{') {
        if (!(yield* this.#readObject())) return scanner.recorded();
        calls++;
        scanner.record();
      } else if (marker !== undefined && marker === this.#callOpener && this.#readCall) {
        scanner.take(marker.length);
        opened = true;
        const begin = yield* scanner.skipSpace();
        if (begin === '{' || begin === '[') continue;
        if (!(yield* this.#readCall())) return scanner.recorded();
        calls++;
        scanner.record();
      } else if (marker !== undefined && this.#openers.includes(marker)) {
        // The opener of the next section: its calls are read like those of this one.
        scanner.take(marker.length);
        opened = true;
      } else if (marker !== undefined) {
        scanner.take(marker.length);
        if (calls === 0) return scanner.recorded();
        if (marker === this.#lastCloser) return this.#ended();
      } else if (this.#closesArray(next, calls)) {
        scanner.take(1);
        return this.#ended();
      } else if (next !== undefined && '[],;'.includes(next)) {
        scanner.take(1);
      } else if (next === '}' && calls > 0) {
        this.#tools.repaired();
        scanner.take(1);
      } else {
        return this.#cutShort(calls, next);
      }
    }
  }

  /** Arrays without a marker behind them end with their bracket. */
  #closesArray(next: string | undefined, calls: number): boolean {
    return next === ']' && this.#lastCloser === '' && calls > 0;
  }

  #ended(): string {
    this.#tools.scanner.recorded();
    return '';
  }

  /** Something else stands where a call or a closing marker should: only separators were read since the last call. */
  #cutShort(calls: number, next: string | undefined): string {
    const separators = this.#tools.scanner.recorded();
    if (calls === 0) return separators;
    if (this.#lastCloser !== '' && next !== undefined) this.#tools.repaired();
    return '';
  }

  *#readObject(): Reading<boolean> {
    return yield* new CallObject(this.#tools, this.#keys).read();
  }
}

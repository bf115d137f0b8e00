import type { BlockWriter } from '../block-writer.ts';
import type { MarkerScanner, Reading } from '../marker-scanner.ts';
import type { ToolNames } from '../tool-names.ts';

/** What every syntax of tool calls works with. */
export interface CallTools extends ToolNames {
  readonly scanner: MarkerScanner;
  readonly writer: BlockWriter;
  /** Mend what is certain. */
  readonly heal: boolean;
  newId(): string;
  repaired(count?: number): void;
}

/**
 * Reads calls, starting in front of their opening marker. Returns the text that turned out not to be a call: all of it
 * from the opening marker on, or what stands after the last good call. Where the text was cut, nobody knows whether it
 * would have been one.
 */
type CallReader = () => Reading<string>;

/** Where the text of calls begins. */
export interface CallSyntax {
  readonly openers: readonly string[];
  /** Openers that count only where an answer begins. */
  readonly onlyAtStart?: readonly string[];
  readonly read: CallReader;
}

/**
 * One call whose name is known. Everything since the scanner began to record is gone for good once it is started: from
 * then on the text belongs to the call. It is started as soon as the family's own mark after the name is read, so that a
 * call stays one whatever follows and wherever the text is cut.
 */
export class OpenCall {
  #started = false;
  #written = false;
  readonly #tools: CallTools;
  readonly #name: string;
  readonly #id: string | undefined;

  constructor(tools: CallTools, name: string, id?: string) {
    this.#tools = tools;
    this.#name = name;
    this.#id = id;
  }

  start(): void {
    if (this.#started) return;
    this.#started = true;
    this.#tools.scanner.recorded();
    this.#tools.writer.startCall(this.#id || this.#tools.newId(), this.#name);
  }

  readonly write = (text: string): void => {
    this.start();
    this.#written = true;
    this.#tools.writer.arguments(text);
  };

  get started(): boolean {
    return this.#started;
  }

  /** No arguments are an empty object. */
  end(): void {
    this.start();
    if (!this.#written) this.#tools.writer.arguments('{}');
    this.#tools.writer.close();
  }
}

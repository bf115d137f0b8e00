import type { Dialect, Frame } from '../../dialects/dialect.ts';

/** A frame whose data is text already, as it is kept for those who read it later. */
export interface WrittenFrame {
  readonly type: 'written';
  readonly text: string;
  readonly event?: string;
  /** Its number in its stream, where readers are told so. */
  readonly id?: number;
}

export type WireFrame = Frame | WrittenFrame;

/** A frame as it goes over the wire. JSON text holds no raw line break, so one `data:` line is always enough. */
const writers = {
  sse(frame: WireFrame): string {
    switch (frame.type) {
      case 'data':
        return `${eventLine(frame)}data: ${JSON.stringify(frame.data)}\n\n`;
      case 'written':
        return `${frame.id === undefined ? '' : `id: ${frame.id}\n`}${eventLine(frame)}data: ${frame.text}\n\n`;
      case 'raw':
        return `data: ${frame.text}\n\n`;
      case 'comment':
        return `: ${frame.text}\n\n`;
      default:
        return frame satisfies never;
    }
  },
  /** One JSON value per line, and nothing else: there are no comments and no terminator. */
  ndjson(frame: WireFrame): string {
    switch (frame.type) {
      case 'data':
        return `${JSON.stringify(frame.data)}\n`;
      case 'written':
        return `${frame.text}\n`;
      case 'raw':
      case 'comment':
        return '';
      default:
        return frame satisfies never;
    }
  },
} as const satisfies Record<Dialect['format'], (frame: WireFrame) => string>;

function eventLine({ event }: { readonly event?: string }): string {
  return event === undefined ? '' : `event: ${event}\n`;
}

export function frameText(frames: readonly WireFrame[], format: Dialect['format']): string {
  return frames.map(writers[format]).join('');
}

/**
 * What goes out by itself. Many programs read Ollama's streams chunk by chunk and take each chunk for one JSON value, as
 * Ollama flushes every line.
 */
export function writesOf(text: string, format: Dialect['format']): readonly string[] {
  if (text === '') return [];
  return format === 'ndjson' ? text.split(/(?<=\n)/) : [text];
}

export const streamContentType = {
  sse: 'text/event-stream',
  ndjson: 'application/x-ndjson',
} as const satisfies Record<Dialect['format'], string>;

import type { Dialect, Frame } from '../dialects/dialect.ts';

/** A frame as it goes over the wire. JSON text holds no raw line break, so one `data:` line is always enough. */
const writers = {
  sse(frame: Frame): string {
    switch (frame.type) {
      case 'data':
        return `${frame.event === undefined ? '' : `event: ${frame.event}\n`}data: ${JSON.stringify(frame.data)}\n\n`;
      case 'raw':
        return `data: ${frame.text}\n\n`;
      case 'comment':
        return `: ${frame.text}\n\n`;
      default:
        return frame satisfies never;
    }
  },
  /** One JSON value per line, and nothing else: there are no comments and no terminator. */
  ndjson(frame: Frame): string {
    return frame.type === 'data' ? `${JSON.stringify(frame.data)}\n` : '';
  },
} as const satisfies Record<Dialect['format'], (frame: Frame) => string>;

export function frameText(frames: readonly Frame[], format: Dialect['format']): string {
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

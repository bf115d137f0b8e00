/** Takes a stream of server-sent events apart (HTML 9.2.6), as far as this server writes them: data, and comments. */
export class SseReader {
  #decoder = new TextDecoder();
  #rest = '';

  /** The data of every event that is complete now. Bytes may be cut anywhere, also within a character. */
  push(bytes: Uint8Array): string[] {
    return this.#take(this.#decoder.decode(bytes, { stream: true }));
  }

  /** What the stream ends with where its last line is missing its end. */
  end(): string[] {
    return this.#take(`${this.#decoder.decode()}\n\n`);
  }

  #take(text: string): string[] {
    // A carriage return may be the first half of a line's end: it waits for what follows.
    const whole = this.#rest + text;
    const settled = whole.endsWith('\r') ? whole.slice(0, -1) : whole;
    const events = settled.replace(/\r\n?/g, '\n').split('\n\n');
    this.#rest = (events.pop() ?? '') + whole.slice(settled.length);
    return events.map(dataOf).filter((data) => data !== undefined);
  }
}

function dataOf(event: string): string | undefined {
  const lines = event.split('\n').filter((line) => line.startsWith('data:'));
  if (lines.length === 0) return undefined;
  return lines.map((line) => line.slice(line.startsWith('data: ') ? 6 : 5)).join('\n');
}

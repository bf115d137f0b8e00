import type { Frame } from '../../dialects/dialect.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { type FrameSource, streamResponse } from './sse.ts';

/** What happens, as server-sent events, until the reader leaves or the events end. */
export function eventStream<Event>(
  exchange: Exchange,
  subscribe: (signal: AbortSignal) => AsyncIterable<Event>,
  write: (event: Event) => readonly Frame[],
  { settings, clock, timers }: Pick<AppDependencies, 'settings' | 'clock' | 'timers'>,
): Response {
  const stop = new AbortController();
  const events = subscribe(stop.signal)[Symbol.asyncIterator]();
  let done = false;
  const source: FrameSource = {
    get done() {
      return done;
    },
    async next() {
      const result = await events.next();
      done = result.done === true;
      return result.done ? [] : write(result.value);
    },
    heartbeat: () => ({ type: 'comment', text: 'heartbeat' }),
    closed(how) {
      stop.abort();
      exchange.note({ outcome: how === 'complete' ? 'ok' : 'client_closed' });
      exchange.end(200);
    },
  };
  exchange.markStreaming();
  const { heartbeatMs, stallTimeoutMs, gatherMs } = settings;
  return streamResponse(source, { format: 'sse', headers: {}, heartbeatMs, stallTimeoutMs, gatherMs, clock, timers });
}

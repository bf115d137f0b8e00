import { Collector, type GenerationEvent, type GenerationResult } from '../../src/contract/events.ts';

/** The whole answer out of its events, as the door collects it where there is no stream. */
export async function collect(events: AsyncIterable<GenerationEvent>): Promise<GenerationResult> {
  const collector = new Collector();
  for await (const event of events) collector.add(event);
  return collector.result();
}

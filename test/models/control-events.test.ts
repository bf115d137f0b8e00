import { expect, it } from 'vitest';
import type { LoadPhase } from '../../src/contract/control.ts';
import { createControlEvents } from '../../src/models/control-events.ts';

/** What a reader of load-progress is told between loads. */
it('a load that has ended is remembered until the next one begins or its model goes', () => {
  const events = createControlEvents();
  const progress = (model: string, phase: LoadPhase, fraction: number) =>
    events.publish({
      type: 'progress',
      model,
      phase,
      fraction,
      bytesLoaded: 1,
      bytesTotal: 2,
      etaSeconds: undefined,
    });
  const seen: (string | undefined)[] = [];
  const look = () => seen.push(events.finished?.model);
  const load = (model: string) => {
    events.publish({ type: 'model', model, state: 'loading' });
    progress(model, 'load', 0.5);
    look();
    progress(model, 'ready', 1);
    events.publish({ type: 'model', model, state: 'ready' });
    look();
  };
  load('a');
  expect(events.finished).toMatchObject({ phase: 'ready', fraction: 1 });
  events.publish({ type: 'slots', model: 'a', slots: [] });
  load('b');
  events.publish({ type: 'model', model: 'a', state: 'draining' });
  events.publish({ type: 'model', model: 'a', state: 'unloaded' });
  look();
  events.publish({ type: 'model', model: 'b', state: 'unloaded' });
  look();
  load('c');
  progress('hf:owner/repo', 'download', 0.1);
  look();
  load('d');
  events.begin();
  look();
  load('e');
  events.publish({ type: 'model', model: 'e', state: 'failed' });
  look();
  expect(seen.map((model) => model ?? '-').join('')).toBe('-a-bb--c--d--e-');
});

import { Gauge, type Registry } from 'prom-client';
import type { LiveModel } from '../contract/live-model.ts';

/** What a gauge shows of one model; undefined leaves the model out. */
type Reading = (model: LiveModel) => number | undefined;

/** A gauge that is read anew at every scrape, one line per loaded model. */
export function liveGauge(
  registry: Registry,
  live: () => readonly LiveModel[],
  row: { readonly name: string; readonly help: string; readonly label: string; readonly read: Reading },
): void {
  new Gauge({
    name: row.name,
    help: row.help,
    labelNames: [row.label],
    registers: [registry],
    collect() {
      this.reset(); // an unloaded model must not leave its last figure behind
      for (const model of live()) {
        const value = row.read(model);
        if (value !== undefined) this.set({ [row.label]: model.name }, value);
      }
    },
  });
}

export function contextUsage(model: LiveModel): number {
  return model.contextTokens === 0 ? 0 : model.heldTokens / model.contextTokens;
}

export function registerLiveGauges(registry: Registry, live: () => readonly LiveModel[]): void {
  const rows: readonly (readonly [string, string, Reading])[] = [
    ['slots', 'Slots', (model) => model.slots],
    ['slots_busy', 'Slots that generate or read a prompt', (model) => model.busySlots],
    ['queue_length', 'Requests that wait for a slot', (model) => model.waiting],
    ['context_usage_ratio', 'Part of the context memory that holds tokens, 0 to 1', contextUsage],
    ['prefill_tokens_per_second', 'Speed of reading prompts, running average', (model) => model.prefillRate],
    ['decode_tokens_per_second', 'Speed of generating, running average', (model) => model.decodeRate],
  ];
  for (const [name, help, read] of rows) {
    liveGauge(registry, live, { name: `serve_model_${name}`, help, label: 'model', read });
  }
}

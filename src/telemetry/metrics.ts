import { type Counter, Registry } from 'prom-client';
import type { LiveModel } from '../contract/live-model.ts';
import type { RequestRecord } from '../contract/services.ts';
import { registerLiveGauges } from './live-gauges.ts';
import { createMetricSet } from './metric-set.ts';
import { registerProcessGauges } from './process-gauges.ts';
import { registerVllmGauges } from './vllm-gauges.ts';

interface StepRecord {
  readonly model: string;
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  readonly seconds: number;
}

type CancelPhase = 'queued' | 'prefill' | 'decode';
type RefusalCause = 'full' | 'timeout' | 'draining';

/** Counts what happens. Every method is quick and never throws. Their names: metric-set.ts. */
export interface Metrics {
  requestDone(record: RequestRecord): void;
  stepDone(step: StepRecord): void;
  /** Time between two tokens of one stream. */
  tokenGap(model: string, seconds: number): void;
  /** Prompt tokens that came out of the prefix store into a slot. */
  prefixRestored(model: string, tokens: number): void;
  /** Prompt tokens that made room in the prefix store. */
  prefixDropped(model: string, tokens: number): void;
  /** A request that got no slot. */
  refused(model: string, cause: RefusalCause): void;
  cancelled(phase: CancelPhase): void;
  /** Places in malformed calls of models that were mended. */
  toolCallsRepaired(places: number): void;
  grammarCompiled(seconds: number): void;
  grammarCacheHit(): void;
  modelLoaded(record: { readonly model: string; readonly seconds: number; readonly ok: boolean }): void;
  /** Where the gauges read from; the last one given counts. */
  watch(models: () => readonly LiveModel[]): void;
  /** The page for /metrics. */
  render(): Promise<string>;
  readonly contentType: string;
  /** Lets go of the event-loop monitor. */
  close(): void;
}

export interface MetricsOptions {
  readonly compat: 'vllm' | 'none';
  /** Tell requests and tokens by the name of their key: only where not everybody may read them. */
  readonly byKey: boolean;
  readonly version: string;
}

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const set = createMetricSet(registry, options);
  let models: () => readonly LiveModel[] = () => [];
  const live = () => models();
  registerLiveGauges(registry, live);
  const closeProcess = registerProcessGauges(registry, options.version);
  if (options.compat === 'vllm') registerVllmGauges(registry, live, set);
  const gaps = new Backlog<{ model: string; seconds: number }>(({ model, seconds }) =>
    set.tokenGap.observe({ model }, seconds),
  );
  return {
    contentType: registry.contentType,
    render: () => {
      gaps.settle();
      return registry.metrics();
    },
    close: closeProcess,
    watch(source) {
      models = source;
    },
    requestDone(record) {
      const { status, outcome, model = '', route = 'unknown' } = record;
      // Never the path: labels live for ever in a registry, and clients put names of theirs into paths.
      const key = options.byKey ? { key: record.key ?? '' } : {};
      set.requests.inc({ route, status, outcome, ...key });
      set.requestSeconds.observe({ model }, record.totalMs / 1000);
      if (record.queueMs !== undefined) set.queueWait.observe({ model }, record.queueMs / 1000);
      if (record.firstTokenMs !== undefined) set.firstToken.observe({ model }, record.firstTokenMs / 1000);
      const labels = { model, ...key };
      countTokens(set.promptTokens, labels, record.inputTokens);
      countTokens(set.cachedTokens, labels, record.cachedTokens);
      countTokens(set.outputTokens, labels, record.outputTokens);
    },
    stepDone({ model, prefillTokens, decodeTokens, seconds }) {
      set.steps.inc({ model });
      set.stepTokens.observe({ model }, prefillTokens + decodeTokens);
      set.stepSeconds.observe({ model }, seconds);
      set.prefillTokens.inc({ model }, prefillTokens);
      set.decodeTokens.inc({ model }, decodeTokens);
    },
    tokenGap: (model, seconds) => gaps.add({ model, seconds }),
    prefixRestored: (model, tokens) => set.restoredTokens.inc({ model }, tokens),
    prefixDropped: (model, tokens) => set.droppedTokens.inc({ model }, tokens),
    refused: (model, cause) => set.refusals.inc({ model, cause }),
    cancelled: (phase) => set.cancels.inc({ phase }),
    toolCallsRepaired: (places) => set.repairs.inc(places),
    grammarCompiled: (seconds) => set.grammarSeconds.observe(seconds),
    grammarCacheHit: () => set.grammarHits.inc(),
    modelLoaded({ model, seconds, ok }) {
      set.loads.inc({ model, result: ok ? 'ok' : 'failed' });
      if (ok) set.loadSeconds.observe({ model }, seconds);
    },
  };
}

/** Counted many at once: by itself, between two steps of the engine, each would find nothing in the caches. */
class Backlog<Entry> {
  readonly #waiting: Entry[] = [];
  readonly #count: (entry: Entry) => void;

  constructor(count: (entry: Entry) => void) {
    this.#count = count;
  }

  add(entry: Entry): void {
    if (this.#waiting.push(entry) >= mostWaiting) this.settle();
  }

  settle(): void {
    for (const entry of this.#waiting.splice(0)) this.#count(entry);
  }
}

const mostWaiting = 64;

function countTokens(
  counter: Counter<'model' | 'key'>,
  labels: { readonly model: string; readonly key?: string },
  tokens: number | undefined,
): void {
  if (tokens !== undefined) counter.inc(labels, tokens);
}

import { Counter, Gauge, type Registry } from 'prom-client';
import type { LiveModel } from '../contract/live-model.ts';
import { contextUsage, liveGauge } from './live-gauges.ts';
import type { MetricSet } from './metric-set.ts';

/** Gateways divide the context into blocks of this many tokens; 16 is the usual size. */
const blockSize = 16;

/**
 * Names that inference gateways read (Gateway API Inference Extension, llm-d, vLLM's production stack), with their
 * types and meanings: running and waiting requests, context usage from 0 to 1, prefix hits and queries in tokens.
 */
export function registerVllmGauges(registry: Registry, live: () => readonly LiveModel[], set: MetricSet): void {
  const gauge = (name: string, help: string, read: (model: LiveModel) => number) =>
    liveGauge(registry, live, { name: `vllm:${name}`, help, label: 'model_name', read });
  gauge('num_requests_running', 'Requests in slots', (model) => model.busySlots);
  gauge('num_requests_waiting', 'Requests in the queue', (model) => model.waiting);
  gauge('kv_cache_usage_perc', 'Context usage, 0 to 1', contextUsage);
  gauge('gpu_cache_usage_perc', 'Context usage, 0 to 1', contextUsage);
  for (const prefix of ['vllm:', 'vllm:gpu_']) {
    mirror(registry, `${prefix}prefix_cache_hits_total`, set.cachedTokens);
    mirror(registry, `${prefix}prefix_cache_queries_total`, set.promptTokens);
  }
  registerHitRate(registry, set);
  registerCacheConfig(registry, live);
}

type TokenCounter = MetricSet['promptTokens'];

/** The same figures under another name. */
function mirror(registry: Registry, name: string, counter: TokenCounter): void {
  new Counter({
    name,
    help: 'Prompt tokens',
    labelNames: ['model_name'],
    registers: [registry],
    async collect() {
      const { values } = await counter.get();
      this.reset();
      for (const { labels, value } of values) this.inc({ model_name: labels.model ?? '' }, value);
    },
  });
}

function registerHitRate(registry: Registry, set: MetricSet): void {
  new Gauge({
    name: 'vllm:gpu_prefix_cache_hit_rate',
    help: 'Part of the prompt tokens whose evaluation was reused, 0 to 1',
    labelNames: ['model_name'],
    registers: [registry],
    async collect() {
      const hits = await byModel(set.cachedTokens);
      for (const [model, queries] of await byModel(set.promptTokens))
        this.set({ model_name: model }, queries === 0 ? 0 : (hits.get(model) ?? 0) / queries);
    },
  });
}

/** All keys together. */
async function byModel(counter: TokenCounter): Promise<ReadonlyMap<string, number>> {
  const sums = new Map<string, number>();
  for (const { labels, value } of (await counter.get()).values) {
    const model = String(labels.model ?? '');
    sums.set(model, (sums.get(model) ?? 0) + value);
  }
  return sums;
}

function registerCacheConfig(registry: Registry, live: () => readonly LiveModel[]): void {
  new Gauge({
    name: 'vllm:cache_config_info',
    help: 'Context memory in blocks',
    labelNames: ['model_name', 'block_size', 'num_gpu_blocks'],
    registers: [registry],
    collect() {
      this.reset();
      for (const { name, contextTokens } of live()) {
        const blocks = Math.floor(contextTokens / blockSize);
        this.set({ model_name: name, block_size: blockSize, num_gpu_blocks: blocks }, 1);
      }
    },
  });
}

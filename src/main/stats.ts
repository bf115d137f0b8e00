import type { JsonObject } from '../contract/json.ts';
import type { ModelRuntime } from '../generation/runtime.ts';
import type { LiveModel } from '../telemetry/metrics.ts';

/** What /metrics shows of each loaded model. Cheap: it is read at every scrape. */
export function liveModels(runtimes: readonly ModelRuntime[]): LiveModel[] {
  return runtimes.map(({ profile, engine, scheduler }) => {
    const { prefillRate, decodeRate } = engine.stats();
    const { queued, preparing, running } = scheduler.stats();
    const heldTokens = engine.slots().reduce((sum, { tokens }) => sum + tokens.length, 0);
    return {
      name: profile.id,
      slots: profile.slots,
      busySlots: preparing + running,
      waiting: queued,
      heldTokens,
      contextTokens: profile.slots * profile.contextSize,
      prefillRate,
      decodeRate,
    };
  });
}

/** What /internal/stats shows. */
export function statsOf(runtimes: readonly ModelRuntime[], version: string): JsonObject {
  return {
    versions: { 'serve-model': version, node: process.versions.node },
    uptime_seconds: Math.round(process.uptime()),
    memory_bytes: process.memoryUsage.rss(),
    models: runtimes.map(modelStats),
  };
}

function modelStats({ profile, engine, scheduler }: ModelRuntime): JsonObject {
  const { threads, flashAttention, steps, prefillTokens, decodeTokens, prefillRate, decodeRate } = engine.stats();
  const { prefixTokens, refused, snapshots, snapshotBytes, queued, averageQueueMs } = scheduler.stats();
  return {
    id: profile.id,
    path: profile.path,
    context_size: profile.contextSize,
    device: engine.info.device,
    threads: { ...threads },
    flash_attention: flashAttention,
    steps: { count: steps, prefill_tokens: prefillTokens, decode_tokens: decodeTokens },
    tokens_per_second: { prefill: prefillRate ?? null, decode: decodeRate ?? null },
    queue: { waiting: queued, average_ms: averageQueueMs ?? null, refused: { ...refused } },
    prefix_cache: { tokens: { ...prefixTokens }, snapshots, bytes: snapshotBytes },
    slots: engine.slots().map(({ id, phase, tokens }) => ({ id, state: phase, tokens: tokens.length })),
  };
}

import type { ModelFeatures, SlotReport } from '../contract/control.ts';
import type { LiveModel } from '../contract/live-model.ts';
import type { ModelRuntime } from './runtime.ts';

/** A loaded model as the gauges of /metrics show it. Read at every scrape: no I/O, no waiting. */
export function liveModel({ profile, engine, scheduler }: ModelRuntime): LiveModel {
  const slots = engine.slots();
  const { queued, preparing, running } = scheduler.stats();
  const { prefillRate, decodeRate } = engine.stats();
  return {
    name: profile.id,
    slots: slots.length,
    busySlots: preparing + running,
    waiting: queued,
    heldTokens: slots.reduce((sum, { tokens }) => sum + tokens.length, 0),
    contextTokens: slots.length * engine.info.contextSize,
    prefillRate,
    decodeRate,
  };
}

/** What the slots do and for whom, as the control API's events tell it. */
export function slotReports({ engine, scheduler }: ModelRuntime): SlotReport[] {
  return engine.slots().map(({ id, tokens, phase }) => {
    const { owner, sessionId } = scheduler.on(id) ?? {};
    return {
      id,
      state: phase,
      tokens: tokens.length,
      ...(owner !== undefined && { owner }),
      ...(sessionId !== undefined && { sessionId }),
    };
  });
}

/** The same and more for people, as /internal/stats. */
export function describeRuntimes(runtimes: readonly ModelRuntime[], version: string): Record<string, unknown> {
  return {
    versions: { serve_model: version, node: process.version },
    models: runtimes.map(({ profile, engine, scheduler }) => ({
      id: profile.id,
      device: engine.info.device,
      process_id: engine.info.processId ?? process.pid,
      context_size: engine.info.contextSize,
      batch_size: engine.info.batchSize,
      slots: engine.slots().map(({ id, phase, tokens }) => ({ id, phase, tokens: tokens.length })),
      scheduler: scheduler.stats(),
      engine: engine.stats(),
    })),
    memory: process.memoryUsage(),
    uptime_seconds: process.uptime(),
  };
}

/** What its template and its family can do. */
export function featuresOf({ renderer, adapters }: ModelRuntime): ModelFeatures {
  const { supportsTools, supportsReasoning, reasoningStyle, reasoningAlwaysOn, supportsPreserveThinking } =
    renderer.capabilities;
  const hasAdapters = adapters !== undefined;
  return { supportsTools, supportsReasoning, reasoningStyle, reasoningAlwaysOn, supportsPreserveThinking, hasAdapters };
}

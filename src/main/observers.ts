import { type Config, packageVersion } from '../config.ts';
import type { Telemetry } from '../contract/services.ts';
import type { GenerationObserver } from '../generation/dependencies.ts';
import type { ConstraintCacheOptions } from '../grammar/constraint-cache.ts';
import type { SchedulerObserver } from '../scheduler/scheduler.ts';
import { createTelemetry } from '../telemetry/log.ts';
import { createMetrics, type Metrics } from '../telemetry/metrics.ts';
import { createSpans, loadOpenTelemetry } from '../telemetry/spans.ts';
import { logSettings, metricsSettings } from './room-settings.ts';
import type { System } from './system.ts';

export interface Observed {
  readonly metrics: Metrics;
  readonly telemetry: Telemetry;
}

/** Log lines, counts and spans. */
export async function openTelemetry(config: Config, { unixMilliseconds: now }: System): Promise<Observed> {
  const version = packageVersion();
  const metrics = createMetrics({ ...metricsSettings(config), version });
  const openTelemetryApi = await loadOpenTelemetry();
  const spans = openTelemetryApi && createSpans(openTelemetryApi, { version, now });
  const telemetry = createTelemetry({
    ...logSettings(config),
    color: process.stdout.isTTY,
    stream: process.stdout,
    now,
    onRequest: (record) => {
      metrics.requestDone(record);
      spans?.(record);
    },
  });
  return { metrics, telemetry };
}

/** What rooms tell, as lines and counts. */
export function generationObserver(
  { metrics, telemetry }: Observed,
  { logPrompts }: Pick<Config, 'logPrompts'>,
): GenerationObserver {
  return {
    cancelled: (phase) => metrics.cancelled(phase),
    timeLimit: () => telemetry.log('warn', 'an answer was ended by --max-predict-seconds'),
    tokenGap: (model, ms) => metrics.tokenGap(model, ms / 1000),
    ...(logPrompts && { texts: ({ ...texts }) => telemetry.log('info', 'texts', texts) }),
    repaired: (places) => metrics.toolCallsRepaired(places),
    misfit: (sentence) => telemetry.log('warn', sentence),
    toolCalled: ({ owner, ...call }) => telemetry.log('info', 'tool call', { key: owner || undefined, ...call }),
  };
}

export function constraintObserver({
  metrics,
  telemetry,
}: Observed): NonNullable<ConstraintCacheOptions['onConstraint']> {
  return ({ cached, milliseconds, loosened }) => {
    if (cached) metrics.grammarCacheHit();
    else metrics.grammarCompiled(milliseconds / 1000);
    for (const { isWarning, sentence } of loosened) telemetry.log(isWarning ? 'warn' : 'debug', sentence);
  };
}

export function schedulerObserver({ metrics, telemetry }: Observed, model: string): Partial<SchedulerObserver> {
  return {
    admitted: ({ source, reusedTokens }) => {
      if (source === 'copy' || source === 'snapshot') metrics.prefixRestored(model, reusedTokens);
    },
    refused: (cause) => metrics.refused(model, cause),
    snapshotDropped: ({ tokens }) => metrics.prefixDropped(model, tokens),
    transferFailed: (operation, error) => telemetry.log('warn', `prefix state: ${operation} failed`, { error }),
  };
}

import type { RequestRecord } from '../contract/services.ts';

/** The part of `@opentelemetry/api` that is used. The package is the user's to install; without it there are no spans. */
export interface OpenTelemetryApi {
  readonly context: { active(): unknown };
  readonly trace: {
    getTracer(name: string, version: string): Tracer;
    setSpanContext(context: unknown, spanContext: SpanContext): unknown;
  };
}

interface Tracer {
  startSpan(name: string, options: SpanOptions, context: unknown): Span;
}

interface SpanOptions {
  readonly kind: number;
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly attributes: Attributes;
}

interface Span {
  setStatus(status: { readonly code: number; readonly message?: string }): unknown;
  end(endTime: number): void;
}

interface SpanContext {
  readonly traceId: string;
  readonly spanId: string;
  readonly traceFlags: number;
  readonly isRemote: true;
}

type Attributes = Readonly<Record<string, string | number | readonly string[]>>;

/** Undefined where the package is not installed. */
export async function loadOpenTelemetry(): Promise<OpenTelemetryApi | undefined> {
  // Not a literal: the compiler would ask for a package that most installations do not have.
  const name: string = '@opentelemetry/api';
  try {
    const api: OpenTelemetryApi = await import(name);
    return api;
  } catch {
    return undefined;
  }
}

const serverKind = 1;
const errorStatus = 2;

/**
 * One span per request that did work, made when it is over, with the attributes of OpenTelemetry's `gen_ai` conventions.
 * Where they go is set up by the user, by the standard variables.
 */
export function createSpans(
  api: OpenTelemetryApi,
  options: { readonly version: string; readonly now: () => number },
): (record: RequestRecord) => void {
  const tracer = api.trace.getTracer('serve-model', options.version);
  return (record) => {
    if (record.dialect === undefined) return;
    const end = options.now();
    const operation = operationOf(record.dialect);
    const span = tracer.startSpan(
      record.model === undefined ? operation : `${operation} ${record.model}`,
      { kind: serverKind, startTime: end - record.totalMs, attributes: attributesOf(record, operation) },
      parentContext(api, record.traceparent),
    );
    if (record.error !== undefined) span.setStatus({ code: errorStatus, message: record.outcome });
    span.end(end);
  };
}

/** In the words of the conventions; they have none for ranking. `studio-generate` takes messages. */
function operationOf(dialect: string): string {
  if (dialect.includes('embed')) return 'embeddings';
  if (dialect === 'rerank') return dialect;
  if (dialect === 'studio-generate') return 'chat';
  return /completion|infill|generate/.test(dialect) ? 'text_completion' : 'chat';
}

function attributesOf(record: RequestRecord, operation: string): Attributes {
  const { model, inputTokens, outputTokens, cachedTokens, firstTokenMs, error } = record;
  const generates = operation === 'chat' || operation === 'text_completion';
  return {
    'gen_ai.operation.name': operation,
    'gen_ai.provider.name': 'serve-model',
    ...(model !== undefined && { 'gen_ai.response.model': model }),
    ...(inputTokens !== undefined && { 'gen_ai.usage.input_tokens': inputTokens }),
    ...(cachedTokens !== undefined && { 'gen_ai.usage.cache_read.input_tokens': cachedTokens }),
    ...(outputTokens !== undefined && { 'gen_ai.usage.output_tokens': outputTokens }),
    ...(firstTokenMs !== undefined && { 'gen_ai.server.time_to_first_token': firstTokenMs / 1000 }),
    ...(error === undefined && generates && { 'gen_ai.response.finish_reasons': [record.outcome] }),
    ...(error !== undefined && { 'error.type': record.outcome }),
    'http.request.method': record.method,
    'http.response.status_code': record.status,
    'url.path': record.path,
    'serve_model.request_id': record.requestId,
  };
}

function parentContext(api: OpenTelemetryApi, traceparent: string | undefined): unknown {
  const [, traceId, spanId, flags] = traceparent?.split('-') ?? [];
  const active = api.context.active();
  if (traceId === undefined || spanId === undefined) return active;
  return api.trace.setSpanContext(active, {
    traceId,
    spanId,
    traceFlags: Number.parseInt(flags ?? '0', 16),
    isRemote: true,
  });
}

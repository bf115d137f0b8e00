import { describe, expect, it } from 'vitest';
import type { RequestRecord } from '../../src/contract/services.ts';
import { createSpans, type OpenTelemetryApi } from '../../src/telemetry/spans.ts';

const record: RequestRecord = {
  requestId: 'req_1',
  method: 'POST',
  path: '/v1/chat/completions',
  status: 200,
  dialect: 'openai-chat',
  model: 'demo',
  inputTokens: 12,
  cachedTokens: 4,
  outputTokens: 30,
  firstTokenMs: 250,
  totalMs: 900,
  outcome: 'stop',
};

/** Writes down what it is told. */
function recorder(): { api: OpenTelemetryApi; spans: unknown[] } {
  const spans: unknown[] = [];
  return {
    spans,
    api: {
      context: { active: () => 'active' },
      trace: {
        setSpanContext: (context, spanContext) => ({ context, spanContext }),
        getTracer: (name, version) => ({
          startSpan: (span, options, context) => {
            const made = {
              tracer: `${name} ${version}`,
              span,
              ...options,
              context,
              status: undefined as unknown,
              end: 0,
            };
            spans.push(made);
            return {
              setStatus: (status) => {
                made.status = status;
              },
              end: (time) => {
                made.end = time;
              },
            };
          },
        }),
      },
    },
  };
}

describe('spans', () => {
  it('tell a finished request in the words of the gen_ai conventions', () => {
    const { api, spans } = recorder();
    createSpans(api, { version: '1.0.0', now: () => 10_000 })(record);
    expect(spans).toEqual([
      {
        tracer: 'serve-model 1.0.0',
        span: 'chat demo',
        kind: 1,
        startTime: 9100,
        end: 10_000,
        context: 'active',
        status: undefined,
        attributes: {
          'gen_ai.operation.name': 'chat',
          'gen_ai.provider.name': 'serve-model',
          'gen_ai.response.model': 'demo',
          'gen_ai.usage.input_tokens': 12,
          'gen_ai.usage.cache_read.input_tokens': 4,
          'gen_ai.usage.output_tokens': 30,
          'gen_ai.server.time_to_first_token': 0.25,
          'gen_ai.response.finish_reasons': ['stop'],
          'http.request.method': 'POST',
          'http.response.status_code': 200,
          'url.path': '/v1/chat/completions',
          'serve_model.request_id': 'req_1',
        },
      },
    ]);
  });

  it('belong to the caller’s trace', () => {
    const { api, spans } = recorder();
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
    createSpans(api, { version: '1', now: () => 0 })({ ...record, traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
    expect(spans).toMatchObject([
      {
        context: {
          context: 'active',
          spanContext: { traceId, spanId: '00f067aa0ba902b7', traceFlags: 1, isRemote: true },
        },
      },
    ]);
  });

  it('show a failure', () => {
    const { api, spans } = recorder();
    createSpans(api, { version: '1', now: () => 0 })({ ...record, outcome: 'overloaded', error: 'full', status: 429 });
    expect(spans).toMatchObject([
      { status: { code: 2, message: 'overloaded' }, attributes: { 'error.type': 'overloaded' } },
    ]);
  });

  it.each([
    ['openai-completions', 'text_completion demo'],
    ['tgi-generate', 'text_completion demo'],
    ['llama-completion', 'text_completion demo'],
    ['infill', 'text_completion demo'],
    ['ollama-generate', 'text_completion demo'],
    ['openai-embeddings', 'embeddings demo'],
    ['ollama-embed', 'embeddings demo'],
    ['rerank', 'rerank demo'],
    ['anthropic-messages', 'chat demo'],
    ['studio-generate', 'chat demo'],
  ])('of %s are called %s', (dialect, span) => {
    const { api, spans } = recorder();
    createSpans(api, { version: '1', now: () => 0 })({ ...record, dialect });
    expect(spans).toMatchObject([{ span }]);
  });

  it('tell finish reasons only of what is generated', () => {
    const { api, spans } = recorder();
    createSpans(api, { version: '1', now: () => 0 })({ ...record, dialect: 'rerank', outcome: 'ok' });
    expect(JSON.stringify(spans)).not.toContain('finish_reasons');
  });

  it('are not made of requests that did no work', () => {
    const { api, spans } = recorder();
    const { dialect: _, ...rest } = record;
    createSpans(api, { version: '1', now: () => 0 })(rest);
    expect(spans).toEqual([]);
  });
});

import { Counter, Histogram, type Registry } from 'prom-client';

/** Upper bounds in seconds, from a step on a GPU to a long answer on a processor. */
const shortTimes = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5];
const longTimes = [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600];
const batchSizes = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048];

/** The counters and histograms, by what they count. */
export function createMetricSet(registry: Registry, { byKey }: { readonly byKey: boolean }) {
  const registers = [registry];
  const counter = <Label extends string>(name: string, help: string, labelNames: readonly Label[]) =>
    new Counter({ name: `serve_model_${name}`, help, labelNames, registers });
  const histogram = <Label extends string>(
    name: string,
    help: string,
    labelNames: readonly Label[],
    buckets: number[],
  ) => new Histogram({ name: `serve_model_${name}`, help, labelNames, buckets, registers });
  const model = ['model'] as const;
  const key = byKey ? (['key'] as const) : [];
  const modelAndKey = [...model, ...key] as const;
  return {
    requests: counter('requests_total', 'Finished requests', ['route', 'status', 'outcome', ...key]),
    requestSeconds: histogram('request_seconds', 'Request to last byte', model, longTimes),
    queueWait: histogram('queue_wait_seconds', 'Wait for a slot', model, longTimes),
    firstToken: histogram('time_to_first_token_seconds', 'Request to first token', model, longTimes),
    tokenGap: histogram('inter_token_seconds', 'Time between two tokens of a stream', model, shortTimes),
    promptTokens: counter('prompt_tokens_total', 'Prompt tokens of finished requests', modelAndKey),
    cachedTokens: counter('cached_tokens_total', 'Prompt tokens whose evaluation was reused', modelAndKey),
    restoredTokens: counter('restored_tokens_total', 'Prompt tokens taken from the prefix store', model),
    droppedTokens: counter('dropped_tokens_total', 'Prompt tokens that made room in the prefix store', model),
    outputTokens: counter('output_tokens_total', 'Generated tokens of finished requests', modelAndKey),
    steps: counter('steps_total', 'Steps of the engine', model),
    stepTokens: histogram('step_tokens', 'Tokens evaluated in one step', model, batchSizes),
    stepSeconds: histogram('step_seconds', 'Time of one step', model, shortTimes),
    prefillTokens: counter('prefill_tokens_total', 'Prompt tokens evaluated', model),
    decodeTokens: counter('decode_tokens_total', 'Tokens generated', model),
    refusals: counter('queue_refusals_total', 'Requests that got no slot', ['model', 'cause']),
    cancels: counter('cancels_total', 'Requests that ended early, by what they were doing', ['phase']),
    repairs: counter('tool_call_repairs_total', 'Places in malformed tool calls that were mended', []),
    grammarSeconds: histogram('grammar_compile_seconds', 'Time to compile a grammar', [], shortTimes),
    grammarHits: counter('grammar_cache_hits_total', 'Grammars that were compiled already', []),
    loads: counter('model_loads_total', 'Models loaded', ['model', 'result']),
    loadSeconds: histogram('model_load_seconds', 'Time to load a model', model, longTimes),
  };
}

export type MetricSet = ReturnType<typeof createMetricSet>;

import { Registry } from 'prom-client';
import { afterEach, describe, expect, it } from 'vitest';
import type { LiveModel } from '../../src/contract/live-model.ts';
import type { RequestRecord } from '../../src/contract/services.ts';
import { createMetrics, type Metrics } from '../../src/telemetry/metrics.ts';
import { registerProcessGauges } from '../../src/telemetry/process-gauges.ts';

const opened: Metrics[] = [];
function metrics(compat: 'vllm' | 'none' = 'none', byKey = false): Metrics {
  const made = createMetrics({ compat, byKey, version: '1.2.3' });
  opened.push(made);
  return made;
}
afterEach(() => {
  for (const made of opened.splice(0)) made.close();
});

/** Sample lines whose name begins so, without buckets. */
async function samples(made: Metrics, prefix: string): Promise<string[]> {
  const lines = (await made.render()).split('\n');
  return lines.filter((line) => line.startsWith(prefix) && !line.includes('_bucket'));
}

const request: RequestRecord = {
  requestId: 'r',
  method: 'POST',
  path: '/v1/chat/completions',
  route: '/v1/chat/completions',
  status: 200,
  model: 'demo',
  inputTokens: 30,
  cachedTokens: 20,
  outputTokens: 5,
  queueMs: 500,
  firstTokenMs: 1500,
  totalMs: 2500,
  outcome: 'stop',
};

const model: LiveModel = {
  name: 'demo',
  slots: 4,
  busySlots: 3,
  waiting: 2,
  heldTokens: 256,
  contextTokens: 1024,
  prefillRate: 100,
  decodeRate: undefined,
};

describe('metrics', () => {
  it('count a finished request everywhere', async () => {
    const made = metrics();
    made.requestDone(request);
    made.requestDone(request);
    expect(await samples(made, 'serve_model_requests_total')).toEqual([
      'serve_model_requests_total{route="/v1/chat/completions",status="200",outcome="stop"} 2',
    ]);
    expect(await samples(made, 'serve_model_prompt_tokens_total')).toEqual([
      'serve_model_prompt_tokens_total{model="demo"} 60',
    ]);
    expect(await samples(made, 'serve_model_cached_tokens_total')).toEqual([
      'serve_model_cached_tokens_total{model="demo"} 40',
    ]);
    expect(await samples(made, 'serve_model_output_tokens_total')).toEqual([
      'serve_model_output_tokens_total{model="demo"} 10',
    ]);
    expect(await samples(made, 'serve_model_queue_wait_seconds')).toEqual([
      'serve_model_queue_wait_seconds_sum{model="demo"} 1',
      'serve_model_queue_wait_seconds_count{model="demo"} 2',
    ]);
    expect(await samples(made, 'serve_model_time_to_first_token_seconds_sum')).toEqual([
      'serve_model_time_to_first_token_seconds_sum{model="demo"} 3',
    ]);
    expect(await samples(made, 'serve_model_request_seconds_sum')).toEqual([
      'serve_model_request_seconds_sum{model="demo"} 5',
    ]);
  });

  it('count the steps of the engine', async () => {
    const made = metrics();
    made.stepDone({ model: 'demo', prefillTokens: 64, decodeTokens: 3, seconds: 0.05 });
    made.stepDone({ model: 'demo', prefillTokens: 0, decodeTokens: 3, seconds: 0.01 });
    expect(await samples(made, 'serve_model_step')).toEqual([
      'serve_model_steps_total{model="demo"} 2',
      'serve_model_step_tokens_sum{model="demo"} 70',
      'serve_model_step_tokens_count{model="demo"} 2',
      'serve_model_step_seconds_sum{model="demo"} 0.060000000000000005',
      'serve_model_step_seconds_count{model="demo"} 2',
    ]);
    expect(await samples(made, 'serve_model_prefill_tokens_total')).toEqual([
      'serve_model_prefill_tokens_total{model="demo"} 64',
    ]);
    expect(await samples(made, 'serve_model_decode_tokens_total')).toEqual([
      'serve_model_decode_tokens_total{model="demo"} 6',
    ]);
  });

  it('count everything else', async () => {
    const made = metrics();
    made.cancelled('prefill');
    made.toolCallsRepaired(3);
    made.prefixRestored('demo', 7);
    made.prefixDropped('demo', 8);
    made.refused('demo', 'full');
    made.tokenGap('demo', 0.25);
    made.grammarCompiled(0.5);
    made.grammarCacheHit();
    made.modelLoaded({ model: 'demo', seconds: 2, ok: true });
    made.modelLoaded({ model: 'demo', seconds: 9, ok: false });
    const page = await made.render();
    for (const line of [
      'serve_model_cancels_total{phase="prefill"} 1',
      'serve_model_tool_call_repairs_total 3',
      'serve_model_dropped_tokens_total{model="demo"} 8',
      'serve_model_queue_refusals_total{model="demo",cause="full"} 1',
      'serve_model_restored_tokens_total{model="demo"} 7',
      'serve_model_inter_token_seconds_sum{model="demo"} 0.25',
      'serve_model_grammar_compile_seconds_sum 0.5',
      'serve_model_grammar_cache_hits_total 1',
      'serve_model_model_loads_total{model="demo",result="ok"} 1',
      'serve_model_model_loads_total{model="demo",result="failed"} 1',
      'serve_model_model_load_seconds_sum{model="demo"} 2',
    ]) {
      expect(page.split('\n')).toContain(line);
    }
  });

  it('read the gauges at every scrape and forget unloaded models', async () => {
    const made = metrics();
    let models: readonly LiveModel[] = [model];
    made.watch(() => models);
    const names = ['slots', 'slots_busy', 'queue_length', 'context_usage_ratio', 'prefill_tokens_per_second'];
    const values = async () => Promise.all(names.map((name) => samples(made, `serve_model_${name}{`)));
    expect(await values()).toEqual([
      ['serve_model_slots{model="demo"} 4'],
      ['serve_model_slots_busy{model="demo"} 3'],
      ['serve_model_queue_length{model="demo"} 2'],
      ['serve_model_context_usage_ratio{model="demo"} 0.25'],
      ['serve_model_prefill_tokens_per_second{model="demo"} 100'],
    ]);
    expect(await samples(made, 'serve_model_decode_tokens_per_second{')).toEqual([]);
    models = [];
    expect(await values()).toEqual([[], [], [], [], []]);
  });

  it('tell about the process', async () => {
    const page = await metrics().render();
    expect(page).toContain(`serve_model_build_info{version="1.2.3",node="${process.versions.node}"} 1`);
    expect(page).toMatch(/^serve_model_process_memory_peak_bytes \d{7,}$/m);
    expect(page).toMatch(/^serve_model_event_loop_delay_seconds\{quantile="0.99"\} [\d.e-]+$/m);
  });

  it('tell how late the event loop is, not how far its ticks lie apart', async () => {
    const registry = new Registry();
    const ticks = { enable: () => true, disable: () => true, reset: () => {}, count: 100, max: 60e6 };
    const percentile = (part: number) => (part === 50 ? 9.9e6 : 30e6);
    registerProcessGauges(registry, '1', () => ({ ...ticks, percentile }))();
    const lines = (await registry.metrics()).split('\n').filter((line) => line.includes('delay_seconds{'));
    expect(lines).toEqual([
      'serve_model_event_loop_delay_seconds{quantile="0.5"} 0',
      'serve_model_event_loop_delay_seconds{quantile="0.99"} 0.02',
      'serve_model_event_loop_delay_seconds{quantile="1"} 0.05',
    ]);
  });

  it('speak the names that gateways read, only when asked', async () => {
    const plain = metrics('none');
    expect(await plain.render()).not.toContain('vllm:');
    const made = metrics('vllm');
    made.watch(() => [model]);
    made.requestDone(request);
    const page = (await made.render())
      .split('\n')
      .filter((line) => line.includes('vllm:') && !line.startsWith('# HELP'));
    expect(page).toEqual([
      '# TYPE vllm:num_requests_running gauge',
      'vllm:num_requests_running{model_name="demo"} 3',
      '# TYPE vllm:num_requests_waiting gauge',
      'vllm:num_requests_waiting{model_name="demo"} 2',
      '# TYPE vllm:kv_cache_usage_perc gauge',
      'vllm:kv_cache_usage_perc{model_name="demo"} 0.25',
      '# TYPE vllm:gpu_cache_usage_perc gauge',
      'vllm:gpu_cache_usage_perc{model_name="demo"} 0.25',
      '# TYPE vllm:prefix_cache_hits_total counter',
      'vllm:prefix_cache_hits_total{model_name="demo"} 20',
      '# TYPE vllm:prefix_cache_queries_total counter',
      'vllm:prefix_cache_queries_total{model_name="demo"} 30',
      '# TYPE vllm:gpu_prefix_cache_hits_total counter',
      'vllm:gpu_prefix_cache_hits_total{model_name="demo"} 20',
      '# TYPE vllm:gpu_prefix_cache_queries_total counter',
      'vllm:gpu_prefix_cache_queries_total{model_name="demo"} 30',
      '# TYPE vllm:gpu_prefix_cache_hit_rate gauge',
      'vllm:gpu_prefix_cache_hit_rate{model_name="demo"} 0.6666666666666666',
      '# TYPE vllm:cache_config_info gauge',
      'vllm:cache_config_info{model_name="demo",block_size="16",num_gpu_blocks="64"} 1',
    ]);
    expect((await made.render()).split('\n')).toContain('vllm:prefix_cache_hits_total{model_name="demo"} 20');
  });

  it('tell keys apart only where that is asked for, and gateways never', async () => {
    const keys = [{ ...request, key: 'ann' }, { ...request, key: 'bob' }, request];
    const made = metrics('vllm', true);
    for (const record of keys) made.requestDone(record);
    expect(await samples(made, 'serve_model_output_tokens_total')).toEqual([
      'serve_model_output_tokens_total{model="demo",key="ann"} 5',
      'serve_model_output_tokens_total{model="demo",key="bob"} 5',
      'serve_model_output_tokens_total{model="demo",key=""} 5',
    ]);
    expect(await samples(made, 'serve_model_requests_total{')).toContainEqual(
      'serve_model_requests_total{route="/v1/chat/completions",status="200",outcome="stop",key="ann"} 1',
    );
    expect(await samples(made, 'vllm:prefix_cache_queries_total')).toEqual([
      'vllm:prefix_cache_queries_total{model_name="demo"} 90',
    ]);
    expect(await samples(made, 'vllm:gpu_prefix_cache_hit_rate')).toEqual([
      `vllm:gpu_prefix_cache_hit_rate{model_name="demo"} ${2 / 3}`,
    ]);
    const without = metrics();
    for (const record of keys) without.requestDone(record);
    expect(await without.render()).not.toMatch(/ann|bob/);
  });

  it('name a request by its route and never by its path, so that they do not grow with what clients make up', async () => {
    const made = metrics();
    const { route: _, ...unknown } = request;
    for (let index = 0; index < 500; index++) {
      made.requestDone({ ...request, route: '/v1/models/:id', path: `/v1/models/${index}` });
      made.requestDone({ ...unknown, path: `/odd/${index}`, status: 404 });
    }
    expect(await samples(made, 'serve_model_requests_total')).toEqual([
      'serve_model_requests_total{route="/v1/models/:id",status="200",outcome="stop"} 500',
      'serve_model_requests_total{route="unknown",status="404",outcome="stop"} 500',
    ]);
  });
});

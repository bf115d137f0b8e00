import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/**
 * The process itself. No collector does I/O: a gateway may scrape twenty times a second. (prom-client's own default
 * metrics read /proc at every scrape.) Returns what stops the monitor.
 */
export function registerProcessGauges(registry: Registry, version: string): () => void {
  const delay = monitorEventLoopDelay({ resolution: 10 });
  delay.enable();
  const registers = [registry];
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name: `serve_model_${name}`,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  new Gauge({ name: 'serve_model_build_info', help: 'Versions', labelNames: ['version', 'node'], registers }).set(
    { version, node: process.versions.node },
    1,
  );
  gauge('process_memory_peak_bytes', 'Most memory the process ever held', () => process.resourceUsage().maxRSS * 1024);
  gauge('process_cpu_seconds', 'Processor time since start', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge('process_uptime_seconds', 'Time since start', () => process.uptime());
  registerLoopDelay(registry, delay);
  return () => delay.disable();
}

type LoopDelay = ReturnType<typeof monitorEventLoopDelay>;

function registerLoopDelay(registry: Registry, delay: LoopDelay): void {
  new Gauge({
    name: 'serve_model_event_loop_delay_seconds',
    help: 'Delay of the event loop over the last minute or so',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      const seconds = (nanoseconds: number) => (Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0);
      this.set({ quantile: '0.5' }, seconds(delay.percentile(50)));
      this.set({ quantile: '0.99' }, seconds(delay.percentile(99)));
      this.set({ quantile: '1' }, seconds(delay.max));
      if (delay.count > samplesPerMinute) delay.reset();
    },
  });
}

/** At a resolution of 10 ms. */
const samplesPerMinute = 6000;

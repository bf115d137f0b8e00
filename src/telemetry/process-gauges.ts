import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';

/**
 * The process itself. No collector does I/O: a gateway may scrape twenty times a second. (prom-client's own default
 * metrics read /proc at every scrape.) Returns what stops the monitor. `monitor`: in tests a double.
 */
export function registerProcessGauges(
  registry: Registry,
  version: string,
  monitor: (options: { readonly resolution: number }) => LoopDelay = monitorEventLoopDelay,
): () => void {
  const delay = monitor({ resolution: resolutionMs });
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

/** Nanoseconds from one tick of so many milliseconds to the next. */
type LoopDelay = Pick<
  ReturnType<typeof monitorEventLoopDelay>,
  'enable' | 'disable' | 'percentile' | 'max' | 'count' | 'reset'
>;

function registerLoopDelay(registry: Registry, delay: LoopDelay): void {
  new Gauge({
    name: 'serve_model_event_loop_delay_seconds',
    help: 'Delay of the event loop over the last minute or so',
    labelNames: ['quantile'],
    registers: [registry],
    collect() {
      // The time that lies between two ticks by themselves is no delay.
      const seconds = (nanoseconds: number) => Math.max(0, nanoseconds - resolutionMs * 1e6) / 1e9;
      this.set({ quantile: '0.5' }, seconds(delay.percentile(50)));
      this.set({ quantile: '0.99' }, seconds(delay.percentile(99)));
      this.set({ quantile: '1' }, seconds(delay.max));
      if (delay.count > samplesPerMinute) delay.reset();
    },
  });
}

const resolutionMs = 10;
const samplesPerMinute = 60_000 / resolutionMs;

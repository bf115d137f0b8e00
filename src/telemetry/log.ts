import pino from 'pino';
import { prettyFactory } from 'pino-pretty';
import { printableJson } from '../contract/printable.ts';
import type { RequestRecord, Telemetry } from '../contract/services.ts';
import { createLogSink, type LogStream } from './log-sink.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'pretty' | 'json';
  /** Keep the members `prompt` and `answer` of log fields; without it they are left out, whoever logs them. */
  readonly logPrompts: boolean;
  readonly color: boolean;
  readonly stream: LogStream;
  /** Milliseconds since 1970, for the lines' time. */
  readonly now: () => number;
  /** Told every finished request too. */
  readonly onRequest?: (record: RequestRecord) => void;
}

/** Probes come every second from several sides: they are no news. */
const probes: ReadonlySet<string> = new Set(['/health', '/healthz', '/livez', '/readyz', '/metrics']);

/** The log: one line per finished request, and what the rooms have to say. */
export function createTelemetry(options: LogOptions): Telemetry {
  const format = options.format === 'json' ? (line: string) => line : prettyLine(options.color);
  const destination = createLogSink(options.stream, format);
  const timestamp = () => `,"time":${options.now()}`;
  const serializers = { error: pino.stdSerializers.errWithCause, cause: pino.stdSerializers.errWithCause };
  const logger = pino({ level: options.level, base: null, timestamp, serializers }, destination);
  return {
    request(record) {
      options.onRequest?.(record);
      logger[requestLevel(record)](record, requestText(record));
    },
    log(level, message, fields = {}) {
      logger[level](options.logPrompts ? fields : withoutPrompts(fields), message);
    },
  };
}

function requestLevel(record: RequestRecord): 'debug' | 'info' | 'error' {
  if (record.status >= 500 && record.status !== 503) return 'error';
  return probes.has(record.path) ? 'debug' : 'info';
}

function requestText({ method, path, status, outcome, totalMs }: RequestRecord): string {
  return `${method} ${path} ${status} ${outcome} in ${Math.round(totalMs)} ms`;
}

function withoutPrompts({ prompt: _prompt, answer: _answer, ...rest }: Readonly<Record<string, unknown>>) {
  return rest;
}

/** In this process: pino's own transport would need a worker thread and lose lines when the process ends. */
function prettyLine(color: boolean): (line: string) => string {
  const pretty = prettyFactory({
    colorize: color,
    singleLine: true,
    translateTime: 'SYS:HH:MM:ss',
    // They stand in the message already.
    ignore: 'method,path,route,status,outcome,totalMs',
  });
  return (line) => {
    const text: unknown = pretty(JSON.stringify(printableJson(JSON.parse(line))));
    return typeof text === 'string' ? text : line;
  };
}

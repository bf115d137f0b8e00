import type { Telemetry } from '../contract/services.ts';

/** What the native library says, as log lines. Its errors are often no errors of ours: they warn. */
export function nativeLog(telemetry: Telemetry): (level: string, message: string) => void {
  return (level, message) => telemetry.log(level === 'error' ? 'warn' : 'debug', message);
}

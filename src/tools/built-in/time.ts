import { z } from 'zod';
import { CallFailure } from '../call-failure.ts';
import { type BuiltInTool, builtInTool } from './built-in-tool.ts';

export interface TimeOptions {
  readonly unixMilliseconds: () => number;
  readonly timeZone: string;
}

export function timeTool({ unixMilliseconds, timeZone: own }: TimeOptions): BuiltInTool {
  return builtInTool({
    name: 'time',
    description: 'Tells the current date and time.',
    args: z.object({
      timezone: z
        .string()
        .optional()
        .describe('IANA time zone such as Europe/Berlin or UTC; without it that of the server.'),
    }),
    run: async ({ timezone = own }) => tellTime(unixMilliseconds(), timezone),
  });
}

/** `Monday, 2026-11-30 14:05:09 in Europe/Berlin (UTC+01:00)`, and the same in UTC. */
function tellTime(unixMilliseconds: number, timeZone: string): string {
  const utc = new Date(unixMilliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
  const { weekday, year, month, day, hour, minute, second, timeZoneName = '' } = partsOf(unixMilliseconds, timeZone);
  const offset = timeZoneName === 'GMT' ? 'UTC+00:00' : timeZoneName.replace('GMT', 'UTC');
  return `${weekday}, ${year}-${month}-${day} ${hour}:${minute}:${second} in ${timeZone} (${offset}). In UTC: ${utc}`;
}

function partsOf(unixMilliseconds: number, timeZone: string): Partial<Record<Intl.DateTimeFormatPartTypes, string>> {
  const two = '2-digit';
  const form = formatter({
    timeZone,
    weekday: 'long',
    year: 'numeric',
    month: two,
    day: two,
    hour: two,
    minute: two,
    second: two,
    hourCycle: 'h23',
    timeZoneName: 'longOffset',
  });
  return Object.fromEntries(form.formatToParts(unixMilliseconds).map(({ type, value }) => [type, value]));
}

function formatter(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat('en-GB', options);
  } catch {
    throw new CallFailure(
      `There is no time zone ${JSON.stringify(options.timeZone)}. Use an IANA name such as America/New_York.`,
    );
  }
}

import type { Automaton } from '../regex/automaton.ts';
import { parseRegex } from '../regex/regex.ts';
import { regexAutomaton } from '../regex/regex-automaton.ts';

/** Labels of mail domains: without the 63 character limit, which would cost a hundred states. */
const shortLabel = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';

/**
 * A format and the texts that it allows. `exact`: all valid values and nothing else, as ajv-formats checks them;
 * otherwise every text that it allows is valid, and some rare valid ones are not offered.
 */
export interface Format {
  readonly automaton: Automaton;
  readonly exact: boolean;
}

const maxStates = 3_000;
const patterns: Readonly<Record<string, { readonly pattern: string; readonly exact: boolean }>> = buildFormats();
const known = new Map<string, Format>();

/**
 * The format of this name; undefined: an annotation, as JSON Schema has it. Kept for good when first asked for: there
 * are few formats, and some of them take tens of milliseconds.
 */
export function formatNamed(name: string): Format | undefined {
  const asked = Object.hasOwn(patterns, name) ? patterns[name] : undefined;
  if (!asked) return undefined;
  const format = known.get(name) ?? {
    automaton: regexAutomaton(parseRegex(asked.pattern), maxStates),
    exact: asked.exact,
  };
  known.set(name, format);
  return format;
}

/** Regular expressions of the whole text. */
function buildFormats() {
  const leapYear = '(?:\\d\\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)';
  const date =
    '(?:\\d{4}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|' +
    `02-(?:0[1-9]|1\\d|2[0-8]))|${leapYear}-02-29)`;
  // Leap seconds are left out, and so are lower case letters; an offset is required (RFC 3339).
  const time = '(?:[01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(?:\\.\\d{1,9})?(?:Z|[+-](?:[01]\\d|2[0-3]):[0-5]\\d)';
  const hex = '[0-9a-fA-F]';
  const byte = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
  const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
  const group = `${hex}{1,4}`;
  const ipv6 = [
    `(?:${group}:){7}${group}`,
    `(?:${group}:){1,7}:`,
    ...[1, 2, 3, 4, 5, 6].map((after) => `(?:${group}:){1,${7 - after}}(?::${group}){${after}}`),
    `:(?::${group}){1,7}`,
    '::',
  ].join('|');
  const urlChar = `(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|%${hex}{2})`;
  const tail = `(?:/${urlChar}*)*(?:\\?(?:${urlChar}|[/?])*)?(?:#(?:${urlChar}|[/?])*)?`;
  const scheme = '[A-Za-z][A-Za-z0-9+.-]*:';
  const located = `//${label}(?:\\.${label})*(?::\\d{1,5})?${tail}`;
  // mailto:, urn:, tel: and the like have a name in place of a host.
  const named = `${urlChar}(?:${urlChar}|/)*(?:\\?(?:${urlChar}|[/?])*)?(?:#(?:${urlChar}|[/?])*)?`;
  const uri = `${scheme}(?:${located}|${named})`;
  const url = `${scheme}${located}`;
  const atom = "[A-Za-z0-9!#$%&'*+/=?^_{|}~-]+";
  const period = '\\d{1,9}D|\\d{1,9}M(?:\\d{1,9}D)?|\\d{1,9}Y(?:\\d{1,9}M(?:\\d{1,9}D)?)?';
  const clock = 'T(?:\\d{1,9}S|\\d{1,9}M(?:\\d{1,9}S)?|\\d{1,9}H(?:\\d{1,9}M(?:\\d{1,9}S)?)?)';
  const whole = (pattern: string, exact: boolean) => ({ pattern: `^(?:${pattern})$`, exact });
  return {
    date: whole(date, true),
    time: whole(time, false),
    'date-time': whole(`${date}T${time}`, false),
    duration: whole(`P(?:(?:${period})(?:${clock})?|${clock}|\\d{1,9}W)`, false),
    uuid: whole(`${hex}{8}-${hex}{4}-${hex}{4}-${hex}{4}-${hex}{12}`, false),
    email: whole(`${atom}(?:\\.${atom})*@(?:${shortLabel}\\.)+[A-Za-z]{2,16}`, false),
    hostname: whole(`${label}(?:\\.${label}){0,3}`, false),
    ipv4: whole(`${byte}(?:\\.${byte}){3}`, true),
    ipv6: whole(ipv6, false),
    uri: whole(uri, false),
    url: whole(url, false),
    'uri-reference': whole(`${uri}|/?(?:${urlChar}+)?${tail}`, false),
    'json-pointer': whole('(?:/(?:[^~/]|~[01])*)*', true),
  };
}

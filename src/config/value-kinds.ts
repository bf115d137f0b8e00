import { z } from 'zod';

/** How one flag's text becomes a value. `repeatable` kinds get every text that was given, all others the last one. */
export interface ValueKind<Value> {
  /** What stands behind the flag in the help: `N`, `FILE`, `auto|cuda`. Empty for switches. */
  readonly placeholder: string;
  readonly shape: 'switch' | 'single' | 'repeatable';
  /** From texts to the value. Its messages continue the sentence `--port must be ...`. */
  readonly schema: z.ZodType<Value, string | readonly string[]>;
  /** The text that `--no-x` stands for, where that can be said of what is no switch. */
  readonly none?: string;
  /** The value as one would write it, for the help. */
  show(value: Value): string;
}

export function text(placeholder: string): ValueKind<string> {
  const schema = z.string().min(1, 'must not be empty');
  return { placeholder, shape: 'single', schema, show: String };
}

/** Of a server; what clients put behind it, as `/v1`, is left out. */
export function address(): ValueKind<string> {
  const message = 'must be an address such as http://127.0.0.1:8080';
  const schema = z
    .string()
    .refine((given) => /^https?:\/\//i.test(given) && URL.canParse(given), message)
    .transform((given) => new URL(given).href.replace(/\/(v1\/?)?$/, ''));
  return { placeholder: 'URL', shape: 'single', schema, show: String };
}

/** `--no-x` says that there shall be none. */
export function textOrNone(placeholder: string): ValueKind<string | false> {
  const schema = z
    .string()
    .min(1, 'must not be empty')
    .transform((given) => (given === noText ? false : given));
  return { placeholder, shape: 'single', none: noText, schema, show: String };
}

const noText = 'none';

export function integer(limits: { readonly min: number; readonly max?: number }): ValueKind<number> {
  const { min, max = Number.MAX_SAFE_INTEGER } = limits;
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
  const schema = z
    .string()
    .regex(/^[+-]?\d+$/, `must be a whole number ${range}`)
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must be a whole number ${range}`);
  return { placeholder: 'N', shape: 'single', schema, show: String };
}

export function decimal(limits: { readonly min?: number } = {}): ValueKind<number> {
  const { min = Number.NEGATIVE_INFINITY } = limits;
  const message = min === Number.NEGATIVE_INFINITY ? 'must be a number' : `must be a number of at least ${min}`;
  const schema = z
    .string()
    .regex(/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i, message)
    .transform(Number)
    .refine((value) => value >= min, message);
  return { placeholder: 'X', shape: 'single', schema, show: String };
}

/** Shares of several devices: `3,1`. */
export function shares(): ValueKind<readonly number[]> {
  const message = 'must be numbers separated by commas, such as 3,1';
  const schema = z
    .string()
    .regex(/^\d+(\.\d+)?([,/]\d+(\.\d+)?)*$/, message)
    .transform((text) => text.split(/[,/]/).map(Number))
    .refine((values) => values.some((value) => value > 0), message)
    .readonly();
  return { placeholder: 'X,Y,...', shape: 'single', schema, show: (values) => values.join(',') };
}

/** Cores as llama.cpp's hexadecimal mask, the lowest bit core 0: `ff`, `0x0f`. */
export function coreMask(): ValueKind<readonly number[]> {
  const message = 'must be a mask of cores in hexadecimal, such as 0f for cores 0 to 3';
  const schema = z
    .string()
    .regex(/^(0x)?[\da-f]{1,128}$/i, message)
    .transform((text) => coresOf(BigInt(`0x${text.replace(/^0x/i, '')}`)))
    .refine((cores) => cores.length > 0, message)
    .readonly();
  return { placeholder: 'MASK', shape: 'single', schema, show: (cores) => cores.join(',') };
}

function coresOf(mask: bigint): number[] {
  const cores: number[] = [];
  for (let core = 0; mask >> BigInt(core) > 0n; core++) if ((mask >> BigInt(core)) & 1n) cores.push(core);
  return cores;
}

const secondsPerUnit: Readonly<Record<string, number>> = { ms: 0.001, '': 1, s: 1, m: 60, h: 3600, d: 86_400 };

/** Seconds as a number: `90`, `90s`, `1.5m`, `2h`, `500ms`. */
export function duration(limits: { readonly min: number } = { min: 0 }): ValueKind<number> {
  const message = `must be a time of at least ${limits.min} seconds such as 30, 30s, 5m or 2h`;
  const schema = z
    .string()
    .regex(/^\d+(\.\d+)?(ms|s|m|h|d)?$/, message)
    .transform((value) => Number.parseFloat(value) * (secondsPerUnit[value.replace(/^[\d.]+/, '')] ?? 1))
    .refine((seconds) => seconds >= limits.min, message);
  return { placeholder: 'TIME', shape: 'single', schema, show: showDuration };
}

function showDuration(seconds: number): string {
  const units = Object.entries({ h: 3600, m: 60 });
  const [unit, size] = units.find(([, size]) => seconds >= size && seconds % size === 0) ?? ['s', 1];
  return `${seconds / size}${unit}`;
}

export function choice<const Choices extends readonly [string, ...string[]]>(
  choices: Choices,
): ValueKind<Choices[number]> {
  const schema = z.enum(choices, `must be one of ${choices.join(', ')}`);
  return { placeholder: choices.join('|'), shape: 'single', schema, show: String };
}

const switchWords: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  yes: true,
  on: true,
  false: false,
  '0': false,
  no: false,
  off: false,
};

/** `--x` and `--no-x`; in the environment true, 1, yes, on and their opposites. */
export function toggle(): ValueKind<boolean> {
  const schema = z.string().transform((word, context) => {
    const value = switchWords[word.toLowerCase()];
    if (value === undefined) context.addIssue('must be true or false');
    return value ?? z.NEVER;
  });
  return { placeholder: '', shape: 'switch', schema, show: (value) => (value ? 'on' : 'off') };
}

/** Repeatable; one text may hold several values separated by commas (the environment has no other way). */
export function list(placeholder: string): ValueKind<readonly string[]> {
  const schema = z
    .array(z.string())
    .readonly()
    .transform((texts) => texts.flatMap((value) => value.split(',')).map((value) => value.trim()))
    .refine((values) => values.every((value) => value !== ''), 'must not be empty');
  return { placeholder, shape: 'repeatable', schema, show: (values) => values.join(', ') };
}

/** As `list`, of these words. */
export function choices<const Choices extends readonly [string, ...string[]]>(
  words: Choices,
): ValueKind<readonly Choices[number][]> {
  const word = z.enum(words, `must be of ${words.join(', ')}`);
  const schema = z
    .array(z.string())
    .readonly()
    .transform((texts): string[] => texts.flatMap((value) => value.split(',')).map((value) => value.trim()))
    .pipe(z.array(word));
  return { placeholder: words.join('|'), shape: 'repeatable', schema, show: (values) => values.join(', ') };
}

/** Repeatable, each text is one value with its commas: paths and names. */
export function exactList(placeholder: string): ValueKind<readonly string[]> {
  const schema = z.array(z.string().min(1, 'must not be empty')).readonly();
  return { placeholder, shape: 'repeatable', schema, show: (values) => values.join(', ') };
}

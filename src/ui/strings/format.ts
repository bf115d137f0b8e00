/** Numbers, sizes and times as the reader's language has them. */
export interface Format {
  /** 12,345 */
  number(value: number): string;
  /** One digit behind the point where the value is small. */
  rate(value: number): string;
  percent(fraction: number): string;
  /** 1.2 s, 340 ms, 2 min 5 s */
  duration(milliseconds: number): string;
  bytes(value: number): string;
  /** 32k, 4,096 */
  tokens(value: number): string;
  /** a, b and c */
  list(parts: readonly string[]): string;
  time(unixMs: number): string;
  /** Monday, 3 May */
  day(unixMs: number): string;
}

export function createFormat(locale: string): Format {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const tenth = new Intl.NumberFormat(locale, { maximumFractionDigits: 1, minimumFractionDigits: 1 });
  const short = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const share = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 0 });
  const unit = (name: string, digits: number) =>
    new Intl.NumberFormat(locale, {
      style: 'unit',
      unit: name,
      unitDisplay: 'short',
      maximumFractionDigits: digits,
      minimumFractionDigits: digits,
    });
  const millisecond = unit('millisecond', 0);
  const second = { tenths: unit('second', 1), whole: unit('second', 0) };
  const minute = unit('minute', 0);
  const time = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const day = new Intl.DateTimeFormat(locale, { weekday: 'long', day: 'numeric', month: 'long' });
  const and = new Intl.ListFormat(locale, { type: 'conjunction' });
  const sizes = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
  return {
    number: (value) => whole.format(value),
    rate: (value) => (value < 100 ? tenth : whole).format(value),
    percent: (fraction) => share.format(fraction),
    duration(milliseconds) {
      if (milliseconds < 995) return millisecond.format(milliseconds);
      if (milliseconds < 9_950) return second.tenths.format(milliseconds / 1000);
      const seconds = Math.round(milliseconds / 1000);
      if (seconds < 60) return second.whole.format(seconds);
      return `${minute.format(Math.floor(seconds / 60))} ${second.whole.format(seconds % 60)}`;
    },
    bytes(value) {
      const power = value < 1 ? 0 : Math.min(sizes.length - 1, Math.floor(Math.log10(value) / 3));
      return unit(sizes[power] ?? 'byte', power >= 3 ? 1 : 0).format(value / 1000 ** power);
    },
    tokens: (value) => (value >= 16_384 && value % 1024 === 0 ? `${short.format(value / 1024)}k` : whole.format(value)),
    list: (parts) => and.format(parts),
    time: (unixMs) => time.format(unixMs),
    day: (unixMs) => day.format(unixMs),
  };
}

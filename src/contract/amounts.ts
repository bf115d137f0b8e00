/** 3313888 -> `3.3 MB`. Decimal units, as download pages and disks have them. */
export function showBytes(bytes: number): string {
  return showAmount(bytes, ['bytes', 'kB', 'MB', 'GB', 'TB'], ' ');
}

/** 3049920 -> `3.0M`, as models are named. */
export function showCount(count: number): string {
  return showAmount(count, ['', 'K', 'M', 'B', 'T'], '');
}

function showAmount(amount: number, units: readonly string[], space: string): string {
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, amount)) / 3)));
  const value = amount / 1000 ** power;
  return `${power === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)}${space}${units[power] ?? ''}`.trimEnd();
}

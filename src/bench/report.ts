import type { Measurement } from './measurements.ts';
import type { Sample } from './run-rounds.ts';

/** What came of one measurement: medians over the rounds, null where there is none. */
export interface BenchRow {
  readonly name: string;
  readonly title: string;
  readonly unit: Measurement['unit'];
  readonly streams: number;
  readonly server: number | null;
  /** Of the library alone. */
  readonly library: number | null;
  readonly peer: number | null;
  /** The server's figure by the peer's. */
  readonly ratio: number | null;
  /** Why there is none. */
  readonly problems: readonly string[];
}

/** Names of the columns among the samples. */
export const columns = { server: 'server', library: 'library', peer: 'peer' } as const;

export function toRows(measurements: readonly Measurement[], samples: readonly Sample[]): BenchRow[] {
  return measurements.map(({ name, title, unit, streams }) => {
    const of = (column: string) =>
      samples.filter(({ measurement, target }) => measurement === name && target === column);
    const [server, library, peer] = [columns.server, columns.library, columns.peer].map((each) => middle(of(each)));
    const problems = samples.flatMap(({ measurement, target, value }) =>
      measurement === name && typeof value === 'string' ? [`${target}: ${value}`] : [],
    );
    return {
      ...{ name, title, unit, streams },
      server: server ?? null,
      library: library ?? null,
      peer: peer ?? null,
      ratio: server === undefined || peer === undefined ? null : server / peer,
      problems: [...new Set(problems)],
    };
  });
}

/** undefined where one round has no figure: a median of what went well would be better than the truth. */
function middle(samples: readonly Sample[]): number | undefined {
  const values = samples.flatMap(({ value }) => (typeof value === 'number' ? [value] : []));
  return values.length > 0 && values.length === samples.length ? median(values) : undefined;
}

/** Cells with a headline; columns that have nothing to say are left out. */
export function toCells(rows: readonly BenchRow[]): string[][] {
  const shares = rows.map(({ server, library }) =>
    server === null || library === null ? '' : `${Math.round((100 * server) / library)} %`,
  );
  const all = [
    { head: '', cells: rows.map(({ title }) => title) },
    { head: 'serve-model', cells: rows.map((row) => figure(row.server, row, row.problems.length > 0 ? 'failed' : '')) },
    { head: 'library alone', cells: rows.map((row) => figure(row.library, row)) },
    { head: 'of it', cells: shares },
    { head: 'peer', cells: rows.map((row) => figure(row.peer, row)) },
    { head: 'ratio', cells: rows.map(({ ratio }) => (ratio === null ? '' : `${ratio.toFixed(2)}x`)) },
  ].filter(({ cells }) => cells.some((cell) => cell !== ''));
  return [all.map(({ head }) => head), ...rows.map((_, index) => all.map(({ cells }) => cells[index] ?? ''))];
}

function figure(value: number | null, { unit }: BenchRow, instead = ''): string {
  return value === null ? instead : `${value.toFixed(value < 100 ? 1 : 0)} ${unit}`;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

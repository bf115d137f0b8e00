import { median } from '../../src/bench/report.ts';
import type { ModelName } from './bench-model.ts';
import type { Sample } from './run-rounds.ts';
import type { Measure, Scenario } from './scenario.ts';
import type { ServerSpec } from './server.ts';
import { toTable } from './table.ts';

export interface Row {
  readonly title: string;
  readonly own: string;
  readonly peer: string;
  readonly ratio: string;
  readonly goal: string;
}

/** One row per measure: medians of both products and their ratio. */
export function toRows(
  model: ModelName,
  scenarios: readonly Scenario[],
  specs: readonly ServerSpec[],
  samples: readonly Sample[],
): Row[] {
  return scenarios.flatMap((scenario) =>
    scenario.measures.map((measure, index) => {
      const best = (product: ServerSpec['product']) =>
        bestOf(
          measure,
          specs
            .filter((spec) => spec.product === product)
            .map(({ name }) => ({
              name,
              values: samples
                .filter(
                  (sample) => sample.scenario === scenario.name && sample.measure === index && sample.server === name,
                )
                .map(({ value }) => value),
            })),
        );
      return toRow(measure, model, best('serve-model'), best('llama-server'));
    }),
  );
}

interface Best {
  readonly name: string;
  readonly median: number;
}

/** The better one of a product's variants; a string tells why there is none. */
function bestOf(
  measure: Measure,
  variants: readonly { name: string; values: readonly Sample['value'][] }[],
): Best | string {
  const medians = variants.flatMap(({ name, values }) => {
    const numbers = values.filter((value) => typeof value === 'number');
    return numbers.length > 0 && numbers.length === values.length ? [{ name, median: median(numbers) }] : [];
  });
  const [first, ...rest] = medians;
  if (first === undefined) {
    const reasons = variants.flatMap(({ values }) => values.filter((value) => typeof value === 'string'));
    return reasons[0] ?? '';
  }
  const isBetter = (left: number, right: number) => (measure.better === 'higher' ? left > right : left < right);
  return rest.reduce((best, next) => (isBetter(next.median, best.median) ? next : best), first);
}

function toRow(measure: Measure, model: ModelName, own: Best | string, peer: Best | string): Row {
  const goal = measure.goal?.[model];
  const ratio = typeof own === 'string' || typeof peer === 'string' ? undefined : own.median / peer.median;
  const sign = measure.better === 'higher' ? '>=' : '<=';
  const met =
    goal === undefined || ratio === undefined ? undefined : measure.better === 'higher' ? ratio >= goal : ratio <= goal;
  return {
    title: measure.title,
    own: cell(own, measure.unit),
    peer: cell(peer, measure.unit),
    ratio: ratio === undefined ? '' : `${ratio.toFixed(2)}x`,
    goal: goal === undefined ? '' : `${sign} ${goal.toFixed(2)}x${met === undefined ? '' : met ? ', met' : ', missed'}`,
  };
}

function cell(best: Best | string, unit: Measure['unit']): string {
  if (typeof best === 'string') return best;
  const digits = best.median < 100 ? 1 : 0;
  const threads = /\d+ thread/.exec(best.name)?.[0];
  return `${best.median.toFixed(digits)} ${unit}${threads === undefined ? '' : ` (${threads}${threads.startsWith('1 ') ? '' : 's'})`}`;
}

/** Columns that have nothing to say, because one of the products was not there, are left out. */
export function rowTable(rows: readonly Row[]): string {
  const header: Row = { title: 'scenario', own: 'serve-model', peer: 'llama-server', ratio: 'ratio', goal: 'goal' };
  const columns = ['title', 'own', 'peer', 'ratio', 'goal'] as const;
  const used = columns.filter((column) => column === 'title' || rows.some((row) => row[column] !== ''));
  const cells = (row: Row) => used.map((column) => row[column]);
  return toTable(cells(header), rows.map(cells));
}

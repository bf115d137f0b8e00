import type { Price } from '../state/price.ts';
import { strings } from '../strings/strings.ts';

/** What has to be read anew, what is kept, and when the answer would begin; as far as it is known. */
export function priceWords({ tokens, cached, firstTokenMs }: Price): string[] {
  const { composer: t, format } = strings.value;
  const read = cached ? [t.price(format.number(tokens - cached), format.number(cached))] : [];
  return firstTokenMs === undefined ? read : [...read, t.first(format.duration(firstTokenMs))];
}

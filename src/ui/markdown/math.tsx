import { signal } from '@preact/signals';
import type { VNode } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import type { drawFormula } from './draw-formula.ts';

/** Fetched with the first formula: a page without any never loads it. */
const draw = signal<typeof drawFormula | undefined>(undefined);
let coming: Promise<unknown> | undefined;

export interface FormulaProps {
  readonly tex: string;
  readonly display: boolean;
}

/** A formula; as it is written until it can be drawn, and where it cannot. */
export function Formula({ tex, display }: FormulaProps): VNode {
  const place = useRef<HTMLSpanElement>(null);
  const drawing = draw.value;
  useLayoutEffect(() => {
    if (!drawing) load();
    else if (place.current) drawing(place.current, tex, display);
  }, [drawing, tex, display]);
  return (
    <span
      ref={place}
      key={drawing ? 'drawn' : 'written'}
      class={display ? 'formula formula-display' : 'formula'}
      dir="ltr"
      {...(display && { tabIndex: 0 })}
    >
      {drawing ? null : tex}
    </span>
  );
}

function load(): void {
  coming ??= import('./draw-formula.ts').then(({ drawFormula }) => {
    draw.value = drawFormula;
  });
  // Where the part cannot be fetched, formulas stay as they are written; the next one asks again.
  coming.catch(() => {
    coming = undefined;
  });
}

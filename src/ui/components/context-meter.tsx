import type { VNode } from 'preact';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { priceWords } from './price-words.ts';

/** How much of the context the next message would take, counted by the server, and what reading it would cost. */
export function ContextMeter(): VNode {
  const { composer, server, view } = usePage();
  const price = composer.price.value;
  const context = server.facts.value?.contextSize;
  const { composer: t, format } = strings.value;
  if (!price || context === undefined) return <span class="context-meter" />;
  const share = Math.min(1, price.tokens / context);
  const full = price.tokens >= context;
  const parts = priceWords(price);
  const figures = [format.number(price.tokens), format.tokens(context)] as const;
  const total = full ? t.full(...figures) : t.tokens(...figures);
  const besidePrice = full || parts.length === 0 ? total : t.tokensBesidePrice(...figures);
  return (
    <button
      type="button"
      class="context-meter"
      aria-haspopup="dialog"
      onClick={() => {
        view.dialog.value = 'context';
      }}
      data-level={full ? 'full' : share > 0.85 ? 'high' : 'normal'}
      title={[total, ...parts].join(' · ')}
    >
      <span class="context-text">
        <span class="context-total">{besidePrice}</span>
        {parts.length > 0 && <span class="context-price">{parts.join(' · ')}</span>}
      </span>
      <span class="context-short">{format.percent(price.tokens / context)}</span>
      <svg class="ring" viewBox="0 0 20 20" width="18" height="18" aria-hidden="true">
        <circle cx="10" cy="10" r="7.500" pathLength="100" />
        <circle cx="10" cy="10" r="7.500" pathLength="100" stroke-dasharray={`${share * 100} 100`} />
      </svg>
    </button>
  );
}

import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import type { HubHit, ModelShelf } from '../../state/model-shelf.ts';
import { strings } from '../../strings/strings.ts';
import { Icon } from '../icon.tsx';
import { Quantizations } from './quantizations.tsx';

/** Models that could be downloaded. */
export function HubModels({ shelf }: { readonly shelf: ModelShelf }): VNode {
  const t = strings.value.models;
  const words = useSignal('');
  const hits = shelf.hits.value;
  return (
    <section aria-labelledby="models-hub" aria-busy={shelf.searching.value}>
      <h3 id="models-hub">{t.hub}</h3>
      <form
        class="hub-search"
        role="search"
        onSubmit={(event) => {
          event.preventDefault();
          void shelf.search(words.value.trim());
        }}
      >
        <div class="search-field">
          <Icon name="search" size={16} />
          <input
            type="search"
            placeholder={t.searchHint}
            aria-label={t.searchLabel}
            value={words.value}
            onInput={(event) => {
              words.value = event.currentTarget.value;
            }}
          />
        </div>
        <button type="submit" class="quiet" disabled={shelf.searching.value}>
          {t.search}
        </button>
      </form>
      <div role="status">
        {hits && 'failure' in hits && <p class="models-failure">{hits.failure}</p>}
        {hits && 'value' in hits && hits.value.length === 0 && <p class="models-note">{t.nothingFound}</p>}
      </div>
      {hits && 'value' in hits && (
        <ul class="model-list">
          {hits.value.map((hit) => (
            <Hit key={hit.id} hit={hit} shelf={shelf} />
          ))}
        </ul>
      )}
    </section>
  );
}

function Hit({ hit, shelf }: { readonly hit: HubHit; readonly shelf: ModelShelf }): VNode {
  const { models: t, format } = strings.value;
  const facts = [
    hit.downloads === null ? '' : t.downloads(format.number(hit.downloads)),
    hit.likes === null ? '' : t.likes(format.number(hit.likes)),
    hit.gated ? t.gated : '',
  ].filter((fact) => fact !== '');
  return (
    <li>
      <details
        class="hub-hit"
        onToggle={(event) => {
          if (event.currentTarget.open) void shelf.open(hit.id);
        }}
      >
        <summary>
          <Icon name="right" size={14} />
          <strong dir="auto">{hit.id}</strong>
          <span class="fine">{facts.join(' · ')}</span>
        </summary>
        <Quantizations id={hit.id} shelf={shelf} />
      </details>
    </li>
  );
}

import type { VNode } from 'preact';
import { type CacheType, cacheTypes } from '../../state/model-loads.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';

/** With what the next model is loaded. What is left empty is chosen by the server, so that it fits. */
export function LoadSettings(): VNode {
  const { loads } = usePage();
  const t = strings.value.models;
  const { settings } = loads;
  const number = (text: string) => {
    const value = Math.floor(Number(text));
    return text.trim() === '' || !(value > 0) ? undefined : value;
  };
  return (
    <details class="load-settings">
      <summary>{t.loadSettings}</summary>
      <div class="load-fields">
        <label>
          {t.contextSize}
          <input
            type="number"
            min={1}
            step={1}
            inputMode="numeric"
            placeholder={t.byServer}
            value={settings.value.contextSize ?? ''}
            onInput={({ currentTarget }) => {
              settings.value = { ...settings.value, contextSize: number(currentTarget.value) };
            }}
          />
        </label>
        <label>
          {t.slotCount}
          <input
            type="number"
            min={1}
            max={256}
            step={1}
            inputMode="numeric"
            placeholder={t.byServer}
            value={settings.value.slots ?? ''}
            onInput={({ currentTarget }) => {
              settings.value = { ...settings.value, slots: number(currentTarget.value) };
            }}
          />
        </label>
        <label>
          {t.cacheType}
          <select
            value={settings.value.cacheType ?? ''}
            onChange={({ currentTarget }) => {
              const cacheType = cacheTypes.find((type): type is CacheType => type === currentTarget.value);
              settings.value = { ...settings.value, cacheType };
            }}
          >
            <option value="">{t.byServer}</option>
            {cacheTypes.map((type) => (
              <option key={type} value={type}>
                {type}
              </option>
            ))}
          </select>
        </label>
      </div>
      <p class="fine">{t.cacheHint}</p>
    </details>
  );
}

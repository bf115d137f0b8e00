import type { VNode } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { usePage } from '../state/page.ts';
import type { Theme } from '../state/preferences.ts';
import { languages, strings } from '../strings/strings.ts';
import { Icon, type IconName } from './icon.tsx';

const themes: readonly { readonly theme: Theme; readonly icon: IconName }[] = [
  { theme: 'auto', icon: 'auto' },
  { theme: 'light', icon: 'sun' },
  { theme: 'dark', icon: 'moon' },
];

export function PreferencesMenu(): VNode {
  const { preferences, view } = usePage();
  const t = strings.value.preferences;
  const id = useId();
  const panel = useRef<HTMLDivElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const place = () => {
    const at = button.current?.getBoundingClientRect();
    if (!at || !panel.current) return;
    panel.current.style.left = `${Math.max(8, at.right - panel.current.offsetWidth)}px`;
    panel.current.style.top = `${at.top - panel.current.offsetHeight - 8}px`;
  };
  return (
    <>
      <button ref={button} type="button" class="icon-button" aria-label={t.name} title={t.name} popovertarget={id}>
        <Icon name="settings" />
      </button>
      <div
        ref={panel}
        id={id}
        class="menu preferences"
        popover="auto"
        onToggle={(event) => {
          if (event.newState === 'open') place();
        }}
      >
        <fieldset>
          <legend>{t.theme}</legend>
          <div class="segments">
            {themes.map(({ theme, icon }) => (
              <label key={theme} title={t[theme]}>
                <input
                  type="radio"
                  name="theme"
                  aria-label={t[theme]}
                  checked={preferences.theme.value === theme}
                  onChange={() => {
                    preferences.theme.value = theme;
                  }}
                />
                <Icon name={icon} />
              </label>
            ))}
          </div>
        </fieldset>
        <label class="field">
          {t.language}
          <select
            value={preferences.language.value || strings.value.locale.split('-')[0]}
            onChange={(event) => {
              preferences.language.value = event.currentTarget.value;
            }}
          >
            {Object.entries(languages).map(([code, name]) => (
              <option key={code} value={code}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <button
          type="button"
          onClick={() => {
            panel.current?.hidePopover();
            view.dialog.value = 'shortcuts';
          }}
        >
          <Icon name="keyboard" />
          {t.shortcuts}
        </button>
      </div>
    </>
  );
}

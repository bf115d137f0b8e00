import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { Icon, type IconName } from './icon.tsx';

interface MenuItem {
  readonly icon: IconName;
  readonly label: string;
  readonly run: () => void;
  readonly dangerous?: boolean;
}

export interface MenuProps {
  readonly icon: IconName;
  readonly label: string;
  readonly items: readonly MenuItem[];
  readonly class?: string;
}

const gap = 4;

/** Below the element, or above it where there is no room; the first thing to do has the focus. */
export function placeBeside(list: HTMLElement | null, element: HTMLElement): void {
  if (!list) return;
  const at = element.getBoundingClientRect();
  const { offsetWidth: width, offsetHeight: height } = list;
  const below = at.bottom + gap + height < innerHeight;
  list.style.top = `${below ? at.bottom + gap : Math.max(gap, at.top - gap - height)}px`;
  list.style.left = `${Math.max(gap, Math.min(at.right - width, innerWidth - width - gap))}px`;
  (list.querySelector<HTMLElement>('button:enabled') ?? list).focus();
}

/** Up and down in a list of things to do, around its ends. */
export function moveAmong(list: HTMLElement | null, event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined) return;
  event.preventDefault();
  const buttons: (Element | null)[] = [...(list?.querySelectorAll('button:enabled') ?? [])];
  const now = buttons.indexOf(document.activeElement);
  const next = buttons[(now + step + buttons.length) % buttons.length];
  if (next instanceof HTMLElement) next.focus();
}

/**
 * A button with a list of things to do. Arrows move in it, Escape and a click elsewhere close it. The list is empty until
 * it is opened: hundreds of chats have one each, and it would be two thirds of their elements.
 */
export function Menu({ icon, label, items, class: more = '' }: MenuProps): VNode {
  const id = useId();
  const wasOpened = useSignal(false);
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);
  const place = () => {
    if (button.current) placeBeside(list.current, button.current);
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class={`icon-button ${more}`}
        aria-label={label}
        title={label}
        aria-haspopup="menu"
        popovertarget={id}
      >
        <Icon name={icon} />
      </button>
      <div
        ref={list}
        id={id}
        class="menu"
        role="menu"
        tabIndex={-1}
        popover="auto"
        onKeyDown={(event) => moveAmong(list.current, event)}
        onBeforeToggle={() => {
          wasOpened.value = true;
        }}
        onToggle={(event) => {
          if (event.newState === 'open') place();
        }}
      >
        {wasOpened.value &&
          items.map((item) => (
            <button
              key={item.label}
              type="button"
              role="menuitem"
              class={item.dangerous ? 'dangerous' : undefined}
              onClick={() => {
                list.current?.hidePopover();
                item.run();
              }}
            >
              <Icon name={item.icon} />
              {item.label}
            </button>
          ))}
      </div>
    </>
  );
}

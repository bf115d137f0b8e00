import type { VNode } from 'preact';
import { useId, useRef } from 'preact/hooks';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { Icon } from '../icon.tsx';
import { ToolsPanel } from './tools-panel.tsx';

const gap = 8;

/** Which of the server's tools this chat may use; where the server has some for this visitor. */
export function ToolsButton(): VNode | null {
  const { server, tools } = usePage();
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const panel = useRef<HTMLDivElement>(null);
  const leave = useRef<() => void>(() => undefined);
  if (!server.rights.value.tools) return null;
  const t = strings.value.tools;
  const count = tools.choice.value.tools.length;
  const place = () => {
    const at = button.current?.getBoundingClientRect();
    if (!at || !panel.current) return;
    panel.current.style.left = `${Math.max(gap, Math.min(at.left, innerWidth - panel.current.offsetWidth - gap))}px`;
    panel.current.style.bottom = `${innerHeight - at.top + gap}px`;
    panel.current.style.maxHeight = `${at.top - 2 * gap}px`;
  };
  return (
    <>
      <button
        ref={button}
        type="button"
        class="toggle"
        title={t.hint}
        data-on={count > 0}
        aria-haspopup="dialog"
        popovertarget={id}
      >
        <Icon name="tool" size={16} />
        {count > 0 ? t.some(strings.value.format.number(count)) : t.name}
      </button>
      <div
        ref={panel}
        id={id}
        class="menu tools-panel"
        role="dialog"
        aria-label={t.name}
        popover="auto"
        onToggle={(event) => {
          leave.current();
          leave.current = () => undefined;
          if (event.newState !== 'open') return;
          leave.current = tools.watch();
          place();
        }}
      >
        <ToolsPanel />
      </div>
    </>
  );
}

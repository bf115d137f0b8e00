import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { strings } from '../strings/strings.ts';
import { Icon } from './icon.tsx';

export interface CopyButtonProps {
  readonly text: () => string;
  readonly label: string;
}

const shownMs = 1600;

/** The same place says for a moment that it is done. */
export function CopyButton({ text, label }: CopyButtonProps): VNode {
  const done = useSignal(false);
  const copy = async () => {
    if (!(await copyText(text()))) return;
    done.value = true;
    setTimeout(() => {
      done.value = false;
    }, shownMs);
  };
  const shown = done.value ? strings.value.copied : label;
  return (
    <button type="button" class="icon-button" aria-label={shown} title={shown} onClick={() => void copy()}>
      <Icon name={done.value ? 'check' : 'copy'} />
    </button>
  );
}

/** Browsers give the clipboard to secure pages only; from another machine over plain http the old way has to do. */
export async function copyText(text: string): Promise<boolean> {
  if (navigator.clipboard) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      // Refused: the old way may still be open.
    }
  }
  const area = document.createElement('textarea');
  area.value = text;
  area.className = 'off-screen';
  area.setAttribute('aria-hidden', 'true');
  document.body.append(area);
  const before = document.activeElement;
  area.select();
  try {
    return document.execCommand('copy');
  } finally {
    area.remove();
    if (before instanceof HTMLElement) before.focus();
  }
}

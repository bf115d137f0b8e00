import { type ReadonlySignal, signal } from '@preact/signals';

interface Toast {
  readonly id: number;
  readonly text: string;
  readonly action?: { readonly label: string; readonly run: () => void };
}

export interface Toasts {
  readonly shown: ReadonlySignal<readonly Toast[]>;
  show(text: string, action?: Toast['action']): void;
  dismiss(id: number): void;
}

/** Long enough to read it and to change one's mind. */
const shownMs = 10_000;

export function createToasts(after: (milliseconds: number, callback: () => void) => void): Toasts {
  const shown = signal<readonly Toast[]>([]);
  let count = 0;
  const dismiss = (id: number) => {
    shown.value = shown.value.filter((toast) => toast.id !== id);
  };
  return {
    shown,
    dismiss,
    show(text, action) {
      const id = ++count;
      shown.value = [...shown.value.slice(-2), { id, text, ...(action && { action }) }];
      after(shownMs, () => dismiss(id));
    },
  };
}

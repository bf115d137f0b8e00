import { useSignal } from '@preact/signals';
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { IconButton } from './icon-button.tsx';
import { ToastList } from './toasts.tsx';

interface DialogProps {
  readonly title: string;
  readonly class?: string;
  /** Undefined: it cannot be left. */
  readonly onClose?: () => void;
  readonly children: ComponentChildren;
}

/** The browser's own: it holds the focus, and gives it back. */
export function Dialog({ title, class: more = '', onClose, children }: DialogProps): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const { view } = usePage();
  useEffect(() => {
    dialog.current?.showModal();
    view.dialogs.value += 1;
    return () => {
      view.dialogs.value -= 1;
    };
  }, [view]);
  return (
    <dialog
      ref={dialog}
      class={`dialog ${more}`}
      aria-label={title}
      onCancel={(event) => {
        if (!onClose) event.preventDefault();
      }}
      onClose={onClose}
    >
      <div class="dialog-top">
        <h2>{title}</h2>
        {onClose && <IconButton icon="close" label={strings.value.close} onClick={() => dialog.current?.close()} />}
      </div>
      {children}
      <ToastList />
    </dialog>
  );
}

export function KeyDialog(): VNode | null {
  const { server } = usePage();
  const t = strings.value.key;
  const busy = useSignal(false);
  if (server.phase.value !== 'locked') return null;
  const enter = async (form: HTMLFormElement) => {
    const given = new FormData(form);
    busy.value = true;
    await server.useKey(String(given.get('key') ?? '').trim(), given.get('remember') !== null);
    busy.value = false;
  };
  return (
    <Dialog title={t.title}>
      <form
        class="key-form"
        onSubmit={(event) => {
          event.preventDefault();
          void enter(event.currentTarget);
        }}
      >
        <p>{t.hint}</p>
        <label class="field">
          {t.label}
          <input name="key" type="password" autocomplete="off" required aria-invalid={server.keyRefused.value} />
        </label>
        <p class="refused" role="alert">
          {server.keyRefused.value ? t.refused : ''}
        </p>
        <label class="check">
          <input name="remember" type="checkbox" />
          {t.remember}
        </label>
        <button type="submit" class="primary" disabled={busy.value}>
          {t.enter}
        </button>
      </form>
    </Dialog>
  );
}

export function ShortcutsDialog(): VNode | null {
  const { view } = usePage();
  if (view.dialog.value !== 'shortcuts') return null;
  const t = strings.value.shortcuts;
  return (
    <Dialog
      title={t.title}
      onClose={() => {
        view.dialog.value = undefined;
      }}
    >
      <dl class="shortcuts">
        {t.rows.map(([what, keys]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>
              <kbd>{keys}</kbd>
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}

import type { VNode } from 'preact';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { IconButton } from './icon-button.tsx';

export function ToastList(): VNode {
  const { toasts } = usePage();
  return (
    <div class="toasts" role="status">
      {toasts.shown.value.map(({ id, text, action }) => (
        <div key={id} class="toast">
          <span>{text}</span>
          {action && (
            <button
              type="button"
              class="text-button"
              onClick={() => {
                action.run();
                toasts.dismiss(id);
              }}
            >
              {action.label}
            </button>
          )}
          <IconButton icon="close" label={strings.value.close} onClick={() => toasts.dismiss(id)} size={15} />
        </div>
      ))}
    </div>
  );
}

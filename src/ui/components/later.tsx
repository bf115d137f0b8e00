import { useSignal } from '@preact/signals';
import { type ComponentChildren, type ComponentType, h } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';

export const messageEditor = () => import('./editor/message-editor.tsx').then(({ MessageEditor }) => MessageEditor);

export interface LaterProps<Props> {
  /** Imports the part. Called once. */
  readonly load: () => Promise<ComponentType<Props>>;
  /** For the part, where it takes any. */
  readonly props?: Props;
  /** Until it is there. */
  readonly instead?: ComponentChildren;
}

/** A part of the page that is fetched when it is first wanted. */
export function Later<Props extends object>({ load, props, instead = null }: LaterProps<Props>): ComponentChildren {
  const { toasts } = usePage();
  const ready = useSignal(false);
  const part = useRef<ComponentType<Props>>(undefined);
  useEffect(() => {
    load().then(
      (loaded) => {
        part.current = loaded;
        ready.value = true;
      },
      () => toasts.show(strings.value.page.partMissing),
    );
  }, [load, ready, toasts]);
  const Part = part.current;
  return ready.value && Part ? h(Part, props ?? null) : instead;
}

import { useSignal } from '@preact/signals';
import type { ComponentType, VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';

export interface LaterProps {
  /** Imports the part. Called once. */
  readonly load: () => Promise<ComponentType>;
}

/** A part of the page that is fetched when it is first wanted. */
export function Later({ load }: LaterProps): VNode | null {
  const { toasts } = usePage();
  const ready = useSignal(false);
  const part = useRef<ComponentType>(undefined);
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
  return ready.value && Part ? <Part /> : null;
}

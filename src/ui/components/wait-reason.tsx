import { useComputed, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { member } from '../api/failure.ts';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';

const everyMs = 2000;

/** Whom a message waits for: one's own chats by their titles, others without a name. */
export function WaitReason(): VNode | null {
  const { api, chats, environment } = usePage();
  const busy = useSignal<readonly unknown[]>([]);
  useEffect(() => {
    let cancel: () => void = () => undefined;
    let left = false;
    const look = async () => {
      const slots = await api.call<unknown>('slots').catch(() => []);
      if (left) return;
      busy.value = Array.isArray(slots) ? slots.filter((slot) => member(slot, 'is_processing') === true) : [];
      cancel = environment.after(everyMs, () => void look());
    };
    void look();
    return () => {
      left = true;
      cancel();
    };
  }, [api, environment, busy]);
  const names = useComputed(() => {
    const t = strings.value.phase;
    const titles = new Map(chats.list.value.map(({ id, title }) => [id, title]));
    const nameOf = (slot: unknown) => {
      const title = titles.get(String(member(slot, 'session_id') ?? ''));
      if (title !== undefined && title !== '') return t.chat(title);
      // Of what is others' only that it is busy is told.
      return member(slot, 'n_prompt_tokens') === undefined ? t.anotherUser : t.anotherProgram;
    };
    return [...new Set(busy.value.map(nameOf))];
  });
  if (names.value.length === 0) return null;
  const { phase: t, format } = strings.value;
  return <span class="wait-reason"> · {t.behind(format.list(names.value))}</span>;
}

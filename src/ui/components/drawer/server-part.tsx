import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { member } from '../../api/failure.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';

const everyMs = 1000;

/** Which server it is, and what its slots do just now. */
export function ServerPart(): VNode {
  const { server, environment } = usePage();
  const { drawer: t, models, format } = strings.value;
  const used = server.facts.value?.id;
  const model = server.loaded.value.find(({ id }) => id === used);
  const rows: readonly (readonly [string, string])[] = [
    [t.version, server.version.value ?? ''],
    [t.address, environment.base],
    ...(model
      ? ([
          [t.model, model.name],
          [t.context, format.tokens(model.contextSize)],
          [t.device, model.device],
          [t.memory, models.memory(format.bytes(model.memoryBytes))],
        ] as const)
      : []),
  ];
  return (
    <>
      <dl class="server-facts">
        {rows
          .filter(([, value]) => value !== '')
          .map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd dir="auto">{value}</dd>
            </div>
          ))}
      </dl>
      <Slots />
      <p>
        <a href={`${environment.base}docs`} target="_blank" rel="noopener">
          {t.docs}
        </a>
      </p>
      {server.key.value !== undefined && (
        <button
          type="button"
          class="quiet"
          onClick={() => {
            server.forgetKey();
            void server.look();
          }}
        >
          {t.forgetKey}
        </button>
      )}
    </>
  );
}

function Slots(): VNode | null {
  const { api, environment, server } = usePage();
  const { drawer: t, format } = strings.value;
  const slots = useSignal<readonly boolean[]>([]);
  useEffect(() => {
    let cancel: () => void = () => undefined;
    let left = false;
    const look = async () => {
      const answer = server.phase.peek() === 'ready' ? await api.call<unknown>('slots').catch(() => []) : [];
      if (left) return;
      slots.value = Array.isArray(answer) ? answer.map((slot) => member(slot, 'is_processing') === true) : [];
      cancel = environment.after(everyMs, () => void look());
    };
    void look();
    return () => {
      left = true;
      cancel();
    };
  }, [api, environment, server, slots]);
  const count = slots.value.length;
  if (count === 0) return null;
  const busy = slots.value.filter(Boolean).length;
  return (
    <p class="slots">
      <span aria-hidden="true">
        {slots.value.map((isBusy, index) => (
          <span key={index} class="slot" data-busy={isBusy} />
        ))}
      </span>
      {t.slots(format.number(busy), format.number(count))}
    </p>
  );
}

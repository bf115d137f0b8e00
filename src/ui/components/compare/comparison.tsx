import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import type { AssistantMessage } from '../../chats/message.ts';
import { comparedAnswers } from '../../chats/tree.ts';
import { usePage } from '../../state/page.ts';
import { strings } from '../../strings/strings.ts';
import { Answer } from '../answer.tsx';
import { IconButton } from '../icon-button.tsx';
import '../../styles/compare.css';

/** The answers to one message: beside each other, or one below the other where there is no room. */
export function Comparison(): VNode {
  const { chats, view } = usePage();
  const list = useRef<HTMLOListElement>(null);
  const answers = useComputed(() => {
    const [chat, question] = [chats.open.value, view.compared.value];
    return chat && question !== undefined ? comparedAnswers(chat, question) : [];
  }).value;
  const onPath = new Set(chats.path.value.map(({ id }) => id));
  const move = (event: KeyboardEvent) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const takes: (Element | null)[] = [...(list.current?.querySelectorAll('.take') ?? [])];
    const at = takes.indexOf(document.activeElement);
    if (step === undefined || at < 0) return;
    event.preventDefault();
    const next = takes[(at + step + takes.length) % takes.length];
    if (next instanceof HTMLElement) next.focus();
  };
  const { compare: t, format } = strings.value;
  return (
    <ol ref={list} class="comparison" aria-label={t.title(format.number(answers.length))} onKeyDown={move}>
      {answers.map((message, index) => (
        <Column key={message.id} message={message} name={format.number(index + 1)} isTaken={onPath.has(message.id)} />
      ))}
    </ol>
  );
}

interface ColumnProps {
  readonly message: AssistantMessage;
  /** Its number, as it is shown. */
  readonly name: string;
  /** The chat goes on from it where no other is taken. */
  readonly isTaken: boolean;
}

function Column({ message, name, isTaken }: ColumnProps): VNode {
  const { chats, view, runs } = usePage();
  const run = useComputed(() => runs.live.value.get(message.id)).value;
  const { compare: t } = strings.value;
  return (
    <li class="compared" aria-current={isTaken ? 'true' : undefined}>
      <div class="compared-head">
        <span>{t.answer(name)}</span>
        {run && <IconButton icon="stop" label={t.stopName(name)} onClick={() => run.stop()} />}
        <button
          type="button"
          class="chip-button take"
          aria-label={t.takeName(name)}
          onClick={() => {
            chats.goOnFrom(message.id);
            view.compared.value = undefined;
            view.focusComposer.value += 1;
          }}
        >
          {t.take}
        </button>
      </div>
      <Answer message={message} isLast />
    </li>
  );
}

import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { type AssistantMessage, textOf } from '../chats/message.ts';
import { usePage } from '../state/page.ts';
import type { Run } from '../state/runs.ts';
import { strings } from '../strings/strings.ts';
import { CopyButton } from './copy-button.tsx';
import { Figures } from './figures.tsx';
import { IconButton } from './icon-button.tsx';
import { Menu } from './menu.tsx';
import { showChat } from './router.ts';
import { RunStatus } from './run-status.tsx';
import { Versions } from './versions.tsx';

export interface AnswerFooterProps {
  readonly message: AssistantMessage;
  readonly run: Run | undefined;
  readonly isLast: boolean;
}

/** One line below an answer, as high while it is written as afterwards: when it ends nothing moves. */
export function AnswerFooter({ message, run, isLast }: AnswerFooterProps): VNode {
  if (run)
    return (
      <div class="answer-footer">
        <RunStatus run={run} />
      </div>
    );
  return (
    <div class="answer-footer" data-last={isLast}>
      {message.muted && <span class="chip">{strings.value.message.leftOut}</span>}
      <OutcomeChip message={message} />
      <Actions message={message} />
      <Figures message={message} />
    </div>
  );
}

function Actions({ message }: { readonly message: AssistantMessage }): VNode {
  const { chats, view, runs } = usePage();
  const t = strings.value.message;
  const busy = useComputed(
    () => runs.live.value.size > 0 && runs.ofChat(chats.open.value?.id ?? '') !== undefined,
  ).value;
  const mayGoOn = message.outcome !== 'stop' && message.outcome !== 'calls' && message.blocks.length > 0;
  return (
    <div class="turn-actions">
      {mayGoOn && (
        <button type="button" class="chip-button" disabled={busy} onClick={() => chats.continueAnswer(message.id)}>
          {t.resume}
        </button>
      )}
      <Versions message={message} />
      <CopyButton text={() => textOf(message)} label={t.copy} />
      <IconButton icon="again" label={t.again} disabled={busy} onClick={() => chats.regenerate(message.id)} />
      <AgainWith message={message} disabled={busy} />
      <IconButton
        icon="edit"
        label={t.edit}
        onClick={() => {
          view.editing.value = message.id;
        }}
      />
      <IconButton icon="fork" label={t.fork} onClick={() => showChat(chats.fork(message.id))} />
    </div>
  );
}

/** The same question to another model; nothing where there is no other. */
function AgainWith({
  message,
  disabled,
}: {
  readonly message: AssistantMessage;
  readonly disabled: boolean;
}): VNode | null {
  const { chats, server } = usePage();
  // One that failed tells no model: it was the one that would answer now.
  const first = message.model ?? server.facts.value?.id;
  const others = server.models.value.filter(({ id, isAlias }) => !isAlias && id !== first);
  if (disabled || others.length === 0) return null;
  const { againWith, needsLoading } = strings.value.message;
  const items = others.map(({ id, state }) => ({
    icon: 'again' as const,
    label: state === 'loaded' ? id : needsLoading(id),
    run: () => chats.regenerate(message.id, id),
  }));
  return <Menu icon="down" label={againWith} items={items} />;
}

/** How it ended, where that was not by itself. */
function OutcomeChip({ message }: { readonly message: AssistantMessage }): VNode | null {
  const { outcome: t, format, message: words } = strings.value;
  const tokens = message.figures ? format.number(message.figures.answerTokens) : '';
  if (message.edited) return <span class="chip">{words.edited}</span>;
  switch (message.outcome) {
    case 'stopped':
      return <span class="chip">{t.stopped(tokens)}</span>;
    case 'length':
      return <span class="chip warning">{t.length(tokens)}</span>;
    case 'context':
      return <span class="chip warning">{t.context}</span>;
    case 'interrupted':
      return <span class="chip warning">{t.interrupted}</span>;
    case 'error':
      return <span class="chip dangerous">{t.error}</span>;
    case 'calls':
    case 'stop':
    case undefined:
      return message.blocks.length === 0 && message.outcome ? <span class="chip">{t.empty}</span> : null;
    default:
      return message.outcome satisfies never;
  }
}

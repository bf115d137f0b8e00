import { useComputed, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { type Message, textOf } from '../chats/message.ts';
import { usePage } from '../state/page.ts';
import { strings } from '../strings/strings.ts';
import { AttachButton, ComposerFiles } from './composer-files.tsx';
import { ContextMeter } from './context-meter.tsx';
import { GrowingField } from './growing-field.tsx';
import { Icon } from './icon.tsx';
import { showChat } from './router.ts';
import { ToolsButton } from './tools/tools-button.tsx';

/** Where messages are written. Usable from the first moment: what is sent too early waits, and is seen to wait. */
export function ComposerBox(): VNode {
  const { composer, view, chats, server, preferences, tuning, toasts } = usePage();
  const t = strings.value.composer;
  const composing = useSignal(false);
  const send = () => {
    const problem = tuning.formProblem.value;
    if (problem !== undefined) {
      preferences.drawerOpen.value = true;
      toasts.show(strings.value.drawer.noSchema(problem));
      return;
    }
    const count = view.answerCount.value;
    if (!composer.send(count)) return;
    view.compared.value = count > 1 ? (chats.path.value.at(-1)?.parent ?? undefined) : undefined;
    view.answerCount.value = 1;
    view.following.value = true;
    showChat(chats.open.value?.id);
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // The Enter that takes a suggestion of an input method is none of ours.
    if (event.isComposing || composing.value || event.keyCode === 229) return;
    if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      if (chats.open.value === undefined || !busyOf(chats.open.value.id)) send();
    }
    if (event.key === 'z' && (event.ctrlKey || event.metaKey) && !event.shiftKey && composer.pasted.value) {
      event.preventDefault();
      composer.unfoldPaste();
    }
    if (event.key === 'ArrowUp' && composer.text.value === '') {
      const last = chats.path.value.findLast(({ role }) => role === 'user');
      if (!last) return;
      event.preventDefault();
      view.editing.value = last.id;
    }
  };
  const onPaste = (event: ClipboardEvent) => {
    const given = [...(event.clipboardData?.files ?? [])];
    const text = event.clipboardData?.getData('text/plain') ?? '';
    // A spreadsheet brings a picture of its cells along: what has text is text.
    if (given.length > 0 && text === '') {
      event.preventDefault();
      void composer.attach(given);
      return;
    }
    const { target } = event;
    const at = target instanceof HTMLTextAreaElement ? target.selectionStart : composer.text.value.length;
    if (composer.paste(text, at, strings.value.files.pasted)) event.preventDefault();
  };
  const { runs } = usePage();
  const busyOf = (id: string) => runs.ofChat(id) !== undefined;
  return (
    <form
      class="composer"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
      onCompositionStart={() => {
        composing.value = true;
      }}
      onCompositionEnd={() => {
        composing.value = false;
      }}
    >
      <ComposerFiles />
      <GrowingField
        value={composer.text.value}
        label={t.label}
        placeholder={t.placeholder}
        focusCount={view.focusComposer.value}
        onInput={(text) => composer.set(text)}
        onKeyDown={onKeyDown}
        onPaste={onPaste}
      />
      <div class="composer-row">
        <AttachButton />
        {server.facts.value?.switchesThinking && (
          <button
            type="button"
            class="toggle"
            title={t.thinkingHint}
            aria-pressed={preferences.thinking.value !== false}
            onClick={() => {
              preferences.thinking.value = preferences.thinking.value === false;
            }}
          >
            <Icon name="thought" size={16} />
            {t.thinking}
          </button>
        )}
        <ToolsButton />
        <AnswerCount />
        <ContextMeter />
        <SendButton />
      </div>
    </form>
  );
}

const counts = [1, 2, 3, 4, 5, 6, 7, 8];

/** How many answers the next message gets. */
function AnswerCount(): VNode {
  const { view } = usePage();
  const { compare: t, format } = strings.value;
  return (
    <select
      class="toggle"
      aria-label={t.count}
      title={t.count}
      data-on={view.answerCount.value > 1}
      value={view.answerCount.value}
      onChange={({ currentTarget }) => {
        view.answerCount.value = Number(currentTarget.value);
      }}
    >
      {counts.map((count) => (
        <option key={count} value={count}>
          {`× ${format.number(count)}`}
        </option>
      ))}
    </select>
  );
}

/** Sends or stops, in the very same place. */
function SendButton(): VNode {
  const { composer, chats, runs } = usePage();
  const t = strings.value.composer;
  const run = useComputed(() => {
    runs.live.value;
    return runs.ofChat(chats.open.value?.id ?? '');
  }).value;
  if (run)
    return (
      <button
        type="button"
        class="send"
        aria-label={t.stop}
        title={t.stop}
        aria-keyshortcuts="Escape"
        data-stopping={run.phase.value.kind === 'stopping'}
        onClick={() => chats.stop()}
      >
        <Icon name="stop" size={20} />
      </button>
    );
  return (
    <button type="submit" class="send" aria-label={t.send} title={t.send} disabled={!composer.canSend.value}>
      <Icon name="send" size={20} />
    </button>
  );
}

/** The last answer, for a key. */
export function lastAnswer(path: readonly Message[]): string | undefined {
  const last = path.findLast(({ role }) => role === 'assistant');
  return last && textOf(last);
}

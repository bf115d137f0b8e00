import { useComputed } from '@preact/signals';
import type { VNode } from 'preact';
import { type AssistantMessage, type Block, textOf } from '../chats/message.ts';
import { Markdown } from '../markdown/markdown.tsx';
import { usePage } from '../state/page.ts';
import type { Run } from '../state/runs.ts';
import { strings } from '../strings/strings.ts';
import { AnswerFooter } from './answer-footer.tsx';
import { FailureNote } from './failure-note.tsx';
import { Later, messageEditor } from './later.tsx';
import { ShortNote } from './short-note.tsx';
import { Thought } from './thought.tsx';
import { ToolCall } from './tool-call.tsx';

const lens = () => import('./lens/lens.tsx').then(({ Lens }) => Lens);

export interface AnswerProps {
  readonly message: AssistantMessage;
  readonly isLast: boolean;
}

/** What the model said: as it is kept, or as it is just being written. */
export function Answer({ message, isLast }: AnswerProps): VNode {
  const { runs, view, chats, preferences } = usePage();
  const run = useComputed(() => runs.live.value.get(message.id)).value;
  const editing = useComputed(() => view.editing.value === message.id).value;
  const shown = run ? run.message.value : message;
  const tokens = preferences.lens.value ? runs.tokens.get(message.id) : undefined;
  const t = strings.value.message;
  if (editing)
    return (
      <article class="turn answer editing">
        <Later
          load={messageEditor}
          props={{
            message,
            save: t.save,
            onSave: (text) => void chats.correct(message.id, text),
            also: {
              label: t.saveAndContinue,
              onSave: (text) => {
                const id = text === textOf(message) ? message.id : chats.correct(message.id, text);
                if (id !== undefined) chats.continueAnswer(id);
              },
            },
          }}
        />
      </article>
    );
  return (
    <article class="turn answer" aria-busy={run !== undefined}>
      <h2 class="off-screen">{t.model}</h2>
      {shown.blocks.map((block, index) => (
        <BlockView key={index} block={block} run={run} isLast={index === shown.blocks.length - 1}>
          {block.kind === 'text' && tokens?.some((token) => token.block === index) && (
            <Later
              load={lens}
              props={{ text: block.text, tokens, id: message.id, block: index }}
              instead={<Markdown text={block.text} />}
            />
          )}
        </BlockView>
      ))}
      {shown.failure && !run && <FailureNote failure={shown.failure} />}
      <ShortNote message={shown} />
      <AnswerFooter message={shown} run={run} isLast={isLast} />
    </article>
  );
}

interface BlockViewProps {
  readonly block: Block;
  readonly run: Run | undefined;
  readonly isLast: boolean;
  /** What shows its text otherwise. */
  readonly children: VNode | false | undefined;
}

function BlockView({ block, run, isLast, children }: BlockViewProps): VNode | null {
  const growing = run !== undefined && isLast;
  switch (block.kind) {
    case 'text':
      return children || <Markdown text={block.text} growing={growing} />;
    case 'thought':
      return <Thought block={block} live={growing && block.ms === undefined} run={run} />;
    case 'call':
      return <ToolCall call={block} live={growing} run={run} />;
    default:
      return block satisfies never;
  }
}

import { type Signal, signal } from '@preact/signals';

type DialogName = 'shortcuts' | 'models' | 'keeping' | 'context';

/** What is open, and where the reader is: nothing that outlives the page. */
export interface View {
  /** The message that is being rewritten. */
  readonly editing: Signal<string | undefined>;
  readonly dialog: Signal<DialogName | undefined>;
  /** How many answers the next message is to get. */
  readonly answerCount: Signal<number>;
  /** So many dialogs stand before the page: what is outside of them is out of reach. */
  readonly dialogs: Signal<number>;
  /** The message whose answers stand side by side. */
  readonly compared: Signal<string | undefined>;
  /** The end of the conversation is in sight, and stays there while it grows. */
  readonly following: Signal<boolean>;
  /** Read aloud by screen readers, once. */
  readonly announcement: Signal<string>;
  /** Puts the cursor into the message field. */
  readonly focusComposer: Signal<number>;
  /** Puts the cursor into the search field. */
  readonly focusSearch: Signal<number>;
}

export function createView(): View {
  return {
    editing: signal<string | undefined>(undefined),
    dialog: signal<DialogName | undefined>(undefined),
    answerCount: signal(1),
    dialogs: signal(0),
    compared: signal<string | undefined>(undefined),
    following: signal(true),
    announcement: signal(''),
    focusComposer: signal(0),
    focusSearch: signal(0),
  };
}

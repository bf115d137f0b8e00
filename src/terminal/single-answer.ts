import { answerTo } from '../client/answers.ts';
import type { Connection } from '../client/connection.ts';
import { createAnswerView } from './answer-view.ts';
import { newConversation, requestOf } from './conversation.ts';

export interface SingleAnswerOptions {
  readonly connection: Connection;
  readonly model: string | undefined;
  readonly prompt: string;
  readonly write: (text: string) => void;
  readonly colours: boolean;
  /** A person reads along; else nothing but the answer itself is written, as it is. */
  readonly watched: boolean;
  readonly signal: AbortSignal;
}

/** One question, one answer: for scripts, pipes and quick looks. No tools: nobody could be asked before they run. */
export async function answerOnce(options: SingleAnswerOptions): Promise<void> {
  const { connection, model, prompt, signal, watched, write } = options;
  const conversation = newConversation(model);
  const messages = [{ role: 'user', text: prompt, images: [] }] as const;
  const body = requestOf({ ...conversation, messages });
  if (watched) return watch(options, body);
  let last = '\n';
  for await (const event of answerTo(connection, body, signal)) {
    if (event.type !== 'text') continue;
    write(event.text);
    last = event.text;
  }
  if (!last.endsWith('\n')) write('\n');
}

async function watch({ connection, write, colours, signal }: SingleAnswerOptions, body: object): Promise<void> {
  const view = createAnswerView({ write, colours, status: true, thoughts: 'shown' });
  try {
    for await (const event of answerTo(connection, body, signal)) view.show(event);
  } finally {
    view.finish();
  }
}

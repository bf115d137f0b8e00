import {
  type ChatOptions,
  type ChatResult,
  type RunningChat,
  startChat as startTimedChat,
} from '../../src/bench/timed-chat.ts';
import { withDeadline } from './deadline.ts';

export type { ChatMessage, ChatOptions, RunningChat } from '../../src/bench/timed-chat.ts';

const deadline = 300_000;

/** Sends a streamed chat completion, greedy, to a server on this machine. */
export function startChat(port: number, options: ChatOptions): RunningChat {
  const chat = startTimedChat({ url: `http://127.0.0.1:${port}` }, options, () => performance.now());
  const done = withDeadline(chat.done, deadline, 'the whole answer');
  // Scenarios that abort never look at the outcome.
  done.catch(() => undefined);
  return {
    ...chat,
    pieces: (count) => withDeadline(chat.pieces(count), deadline, `piece ${count}`),
    done,
  };
}

/** Sends a chat and waits for the whole answer, which must have all tokens that were asked for. */
export async function chat(port: number, options: ChatOptions): Promise<ChatResult> {
  const result = await startChat(port, options).done;
  if (result.completionTokens !== options.maxTokens)
    throw new Error(`${result.completionTokens} tokens came, ${options.maxTokens} were asked for`);
  return result;
}

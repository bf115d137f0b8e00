import { type ReadonlySignal, useSignal, useSignalEffect } from '@preact/signals';
import { ApiFailure, member } from '../../api/failure.ts';
import { beginnings } from '../../chats/exchanges.ts';
import { wireMessages } from '../../chats/request.ts';
import { imagesOf } from '../../state/files.ts';
import { usePage } from '../../state/page.ts';

/** How long the prompt is up to the end of each part, as far as it is counted. */
export function useLengths(): ReadonlySignal<readonly number[]> {
  const { api, chats, files, prompt, requestSettings, server } = usePage();
  const lengths = useSignal<readonly number[]>([]);
  useSignalEffect(() => {
    const path = chats.path.value;
    const left = new AbortController();
    const { signal } = left;
    const settings = requestSettings();
    const count = async () => {
      await files.load(imagesOf(path));
      const parts = beginnings(wireMessages(path, prompt()));
      const found: number[] = [];
      for (const [index, messages] of parts.entries()) {
        // Nothing at all has no length of its own.
        found.push(messages.length === 0 ? 0 : await lengthOf(messages, index === 0));
        if (signal.aborted) return;
        lengths.value = [...found];
      }
    };
    const lengthOf = async (messages: readonly object[], mayFail: boolean) => {
      const body = { ...settings, messages, continue_final_message: false };
      try {
        const answer = await api.call<unknown>('v1/chat/completions/input_tokens', { body, signal });
        const tokens = member(answer, 'input_tokens');
        return typeof tokens === 'number' ? tokens : 0;
      } catch (failure) {
        // Some templates have no prompt in which nobody asks anything.
        if (mayFail && failure instanceof ApiFailure && failure.status === 400) return 0;
        throw failure;
      }
    };
    if (server.phase.value === 'ready')
      count().catch((failure: unknown) => {
        if (!signal.aborted && !(failure instanceof ApiFailure)) throw failure;
      });
    return () => left.abort('another prompt');
  });
  return lengths;
}

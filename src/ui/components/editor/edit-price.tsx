import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { ApiFailure } from '../../api/failure.ts';
import { type Message, withText } from '../../chats/message.ts';
import { wireMessages } from '../../chats/request.ts';
import { pathOf } from '../../chats/tree.ts';
import { imagesOf } from '../../state/files.ts';
import { usePage } from '../../state/page.ts';
import { countAfterMs, type Price, priceOf } from '../../state/price.ts';
import { priceWords } from '../price-words.ts';

/** What it would cost to go on from a message with this text: the server counts it while it is written. */
export function EditPrice({ message, text }: { readonly message: Message; readonly text: string }): VNode {
  const { api, chats, environment, files, prompt, requestSettings } = usePage();
  const price = useSignal<Price | undefined>(undefined);
  useEffect(() => {
    const chat = chats.open.peek();
    if (!chat || text.trim() === '') return;
    const left = new AbortController();
    const before = message.parent === null ? [] : pathOf(chat, message.parent);
    const path = [...before, withText(message, text)];
    const count = async () => {
      await files.load(imagesOf(path));
      const body = { ...requestSettings(), messages: wireMessages(path, prompt()) };
      price.value = await priceOf(api, body, left.signal);
    };
    const cancel = environment.after(countAfterMs(path), () => {
      count().catch((failure: unknown) => {
        if (left.signal.aborted) return;
        price.value = undefined;
        // What is wrong with it is said when it is sent.
        if (!(failure instanceof ApiFailure)) throw failure;
      });
    });
    return () => {
      cancel();
      left.abort('another text');
    };
  }, [message, text, api, chats, environment, files, prompt, requestSettings, price]);
  return <span class="edit-price fine">{price.value && priceWords(price.value).join(' · ')}</span>;
}

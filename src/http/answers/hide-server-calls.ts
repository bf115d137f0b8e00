import type { GenerationEvent } from '../../contract/events.ts';
import { shownReason } from '../../dialects/shared/server-tools.ts';

/**
 * The events of an answer as those dialects have them that know nothing of calls which the server runs: without these
 * calls and their results, blocks counted anew.
 */
export async function* hideServerCalls(events: AsyncIterable<GenerationEvent>): AsyncGenerator<GenerationEvent> {
  let hidden = 0;
  let isHiding = false;
  let clientCalls = 0;
  for await (const event of events) {
    switch (event.type) {
      case 'block-start':
        isHiding = event.kind === 'tool-call' && event.server !== undefined;
        if (isHiding) hidden++;
        else {
          if (event.kind === 'tool-call') clientCalls++;
          yield { ...event, index: event.index - hidden };
        }
        break;
      case 'block-delta':
      case 'block-end':
        if (!isHiding) yield { ...event, index: event.index - hidden };
        break;
      case 'finish':
        yield { ...event, reason: shownReason(event.reason, clientCalls) };
        break;
      case 'tool-list':
      case 'tool-state':
      case 'tool-result':
      case 'round':
        break;
      case 'queued':
      case 'start':
      case 'prompt-progress':
      case 'prompt-logprobs':
        yield event;
        break;
      default:
        event satisfies never;
    }
  }
}

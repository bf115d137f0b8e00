import type { GenerationEvent } from '../../src/contract/events.ts';
import { events, finish, token } from './endpoint-answers.ts';

/** One answer of each kind that clients have to read. */
export const sampleAnswers = {
  'nothing at all': events([]),
  'a text': events(['Hel', 'lo']),
  'a text with log probabilities': events([
    { text: 'Hel', logprobs: [token(1, 'Hel', -0.5, [['Hel', -0.5]])] },
    { text: 'lo', logprobs: [token(2, 'lo', Number.NEGATIVE_INFINITY)] },
  ]),
  'a thought and a text': events([{ thinking: 'Hm' }, { thinking: '.' }, 'Hello']),
  'a thought alone, cut': events([{ thinking: 'Hm' }], finish({ reason: 'length' })),
  'a call': events([{ call: 'look', arguments: ['{"path":', '"a"}'] }], finish({ reason: 'tool-calls' })),
  'a thought, a text and two calls, one without arguments': events(
    [{ thinking: 'Hm' }, 'Looking', { call: 'look', arguments: ['{"path":"a"}'] }, { call: 'list', arguments: [] }],
    finish({ reason: 'tool-calls' }),
  ),
  'a call that was cut': events([{ call: 'look', arguments: ['{"path":'] }], finish({ reason: 'length' })),
  'a text ended by a stop string': events(['Hello'], finish({ stopString: '###' })),
  'a cancelled answer': events(['Hel'], finish({ cancelled: true })),
} satisfies Record<string, readonly GenerationEvent[]>;

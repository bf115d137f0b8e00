import { describe, expect, it } from 'vitest';
import type { AnswerEvent } from '../../src/client/answers.ts';
import { type AnswerViewOptions, createAnswerView } from '../../src/terminal/answer-view.ts';

type Step = AnswerEvent | 'fold' | 'unfold';

function shown(steps: readonly Step[], options: Partial<AnswerViewOptions> = {}, note?: string): string {
  let text = '';
  const write = (piece: string) => {
    text += piece;
  };
  const view = createAnswerView({ write, colours: false, status: false, thoughts: 'shown', ...options });
  for (const step of steps) {
    if (typeof step === 'string') view.fold(step === 'fold');
    else view.show(step);
  }
  view.finish(note);
  return text;
}

const thought = (text: string) => ({ type: 'thought', text }) as const;
const said = (text: string) => ({ type: 'text', text }) as const;
const end = { type: 'end', why: 'stop', cancelled: false } as const;

describe('an answer on a terminal', () => {
  it('has its thought dimmed above it, and ends its line', () => {
    expect(shown([thought('Hm'), thought('m.'), said('\n\n'), said('\nYes'), said('.'), end], { colours: true })).toBe(
      '\x1b[2mHmm.\x1b[22m\n\nYes.\n',
    );
    expect(shown([thought('Hmm.\n'), said('Yes.\n'), end])).toBe('Hmm.\n\nYes.\n');
    expect(shown([said('Yes.'), end], { colours: true }, 'cut')).toBe('Yes.\n\x1b[2mcut\x1b[22m\n');
  });

  it('leaves thoughts out where nobody looks', () => {
    expect(shown([thought('Hmm.'), said('Yes.'), end], { thoughts: 'left out' })).toBe('Yes.\n');
  });

  it('tells in a line that is written over what it waits for', () => {
    const waiting = [
      { type: 'queued', position: 2 },
      { type: 'queued', position: 1 },
      { type: 'reading', processed: 5, total: 10 },
      { type: 'reading', processed: 10, total: 10 },
    ] as const;
    const over = '\r\x1b[K';
    expect(shown([...waiting, said('Yes.')], { status: true })).toBe(
      `${over}waiting, place 2${over}waiting for a place, the next one${over}reading, 5 of 10 tokens${over}Yes.\n`,
    );
    expect(shown([...waiting, said('Yes.')])).toBe('Yes.\n');
  });

  it('folds a thought to a count of words, and shows all of it where that is asked for', () => {
    const over = '\r\x1b[K';
    const folded = { status: true, thoughts: 'folded' } as const;
    expect(shown([thought('one two'), thought(' three'), said('Yes.')], folded)).toBe(
      `${over}thinking, 2 words (Ctrl-T shows them)${over}thinking, 3 words (Ctrl-T shows them)${over}Yes.\n`,
    );
    const cut = ['on', 'e t', 'wo', ' ', ' three', '\n'].map(thought);
    const counts = [...shown(cut, folded).matchAll(/thinking, (\d+) words/g)].map(([, count]) => count);
    expect(counts).toEqual(['1', '2', '2', '2', '3', '3']);
    expect(shown([thought('one '), 'unfold', thought('two'), said('Yes.')], { thoughts: 'folded' })).toBe(
      'one two\n\nYes.\n',
    );
    expect(shown([thought('one '), 'fold', thought('two'), said('Yes.')])).toBe('one \n\nYes.\n');
  });

  it('shows calls that the server runs with what came of them, and those that nobody runs', () => {
    const call = { type: 'tool', id: 'a', name: 'get-sum' } as const;
    const steps: Step[] = [
      said('Let me see.'),
      { ...call, state: 'called', arguments: '{"a": 3}' },
      { ...call, state: 'running' },
      { ...call, state: 'done', result: 'seven\nor so\n' },
      { ...call, state: 'failed', result: 'x'.repeat(1000) },
      said('Seven.'),
    ];
    expect(shown(steps)).toBe(
      `Let me see.\n→ get-sum {"a": 3}\n← seven\n  or so\n← failed: ${'x'.repeat(400)} …\nSeven.\n`,
    );
    const own: Step[] = [
      { type: 'call', index: 0, name: 'look', text: '{"q"' },
      { type: 'call', index: 0, text: ': 1}' },
      { type: 'call', index: 1, name: 'see', text: '{}' },
      end,
    ];
    expect(shown(own)).toBe('→ look {"q": 1}\n→ see {}\n');
  });

  it('gives the terminal no orders but its own', () => {
    const text = shown([
      said('a\x1b[31mb\tc\r\nd\x07\u202ee'),
      { type: 'tool', id: '1', name: 'x\n\x1b', state: 'called' },
    ]);
    expect(text).toBe('a\\u001b[31mb\tc\nd\\u0007\\u202ee\n→ x\\n\\u001b\n');
  });
});

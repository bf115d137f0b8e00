import type { BlockDelta, BlockEvent } from '../contract/events.ts';
import type { Directive, GeneratedToken } from '../engine/engine.ts';
import type { OutputMachine } from '../output/output-machine.ts';
import { createStopStrings, type StopStrings } from '../output/stop-strings.ts';
import { TokenDecoder, type VisibleTokens } from './control-tokens.ts';
import { type OwnToken, type Reading, TokenTrail } from './token-trail.ts';

export interface TextPipelineOptions {
  /** Model text -> blocks. */
  readonly machine: Pick<OutputMachine, 'push' | 'end' | 'state' | 'unread' | 'repairs'>;
  readonly stop: readonly string[];
  readonly tokens: VisibleTokens;
  readonly steering: Steering;
  /** Thoughts are not told apart: they are a part of the text. */
  readonly thoughtsInText?: boolean;
}

/** What decides, from the text so far, what the model must do next: thinking budgets, grammars. */
export interface Steering {
  /** After every token. `text` is what the token added. */
  afterToken(token: GeneratedToken, text: string, state: OutputMachine['state']): Directive;
}

/** One run's way from tokens to events. Synchronous: runs while the next step is being decoded. */
export class TextPipeline {
  readonly #options: TextPipelineOptions;
  readonly #decoder = new TokenDecoder();
  readonly #blocks: BlockFilter;
  reasoningTokens = 0;
  outputTokens = 0;

  constructor(options: TextPipelineOptions) {
    this.#options = options;
    this.#blocks = new BlockFilter(options.stop);
  }

  get stopString(): string | undefined {
    return this.#blocks.stopString;
  }

  get calledTools(): boolean {
    return this.#blocks.calledTools;
  }

  /** Places of malformed calls that were mended up to now. */
  get repairs(): number {
    return this.#options.machine.repairs;
  }

  push(token: GeneratedToken): { readonly events: readonly BlockEvent[]; readonly directive: Directive } {
    const { machine, tokens, steering, thoughtsInText = false } = this.#options;
    const before = machine.state;
    const visible = tokens(token.token);
    const text = this.#decoder.push(visible);
    if (token.logprob && visible.bytes.length > 0) this.#blocks.trail.wrote(text, token.logprob);
    const written = text ? machine.push(text) : [];
    const thinking = !thoughtsInText && (before === 'reasoning' || machine.state === 'reasoning');
    const events = this.#blocks.filter(written, { unread: machine.unread, thinking });
    this.outputTokens++;
    if (before === 'reasoning' && machine.state !== 'tool-call') this.reasoningTokens++;
    if (this.#blocks.stopString !== undefined) return { events, directive: { type: 'stop' } };
    return { events, directive: steering.afterToken(token, text, machine.state) };
  }

  /** Releases what was held back, where the answer was `cut` only what cannot have been markup. */
  end(end: 'complete' | 'cut'): readonly BlockEvent[] {
    if (this.#blocks.stopString !== undefined) return [];
    const { machine } = this.#options;
    const rest = this.#decoder.end();
    const events = [...(rest ? machine.push(rest) : []), ...machine.end(end)];
    return this.#blocks.filter(events, { unread: 0, thinking: false });
  }
}

/** Stop strings end text blocks, never reasoning or calls; log probabilities ride on text only. */
class BlockFilter {
  readonly #stop: readonly string[];
  readonly trail = new TokenTrail();
  #strings: StopStrings | undefined;
  /** Tokens of the open text that wait for their first character to be shown. */
  #waiting: OwnToken[] = [];
  /** Characters of the open text that have come, and that were shown. */
  #come = 0;
  #shown = 0;
  stopString: string | undefined;
  calledTools = false;

  constructor(stop: readonly string[]) {
    this.#stop = stop;
  }

  filter(events: readonly BlockEvent[], reading: Reading): BlockEvent[] {
    this.trail.follow(events, reading);
    const passed: BlockEvent[] = [];
    for (const event of events) {
      if (this.stopString !== undefined) break;
      passed.push(...this.#pass(event));
    }
    return passed;
  }

  #pass(event: BlockEvent): BlockEvent[] {
    switch (event.type) {
      case 'block-start':
        if (event.kind === 'text') this.#beginText();
        if (event.kind === 'tool-call') this.calledTools = true;
        return [event];
      case 'block-delta':
        return this.#strings ? this.#text(event, this.#strings) : [event];
      case 'block-end': {
        const held = this.#strings?.end() ?? '';
        this.#strings = undefined;
        return held ? [this.#delta(event.index, held), event] : [event];
      }
      default:
        return event satisfies never;
    }
  }

  #beginText(): void {
    this.#strings = createStopStrings(this.#stop);
    this.#waiting = [];
    this.#come = 0;
    this.#shown = 0;
  }

  #text(event: BlockDelta, strings: StopStrings): BlockEvent[] {
    const { index, delta } = event;
    for (const { logprob, at } of this.trail.tokensOf(event)) this.#waiting.push({ logprob, at: this.#come + at });
    this.#come += delta.length;
    const { text, stop } = strings.push(delta);
    this.stopString = stop;
    const shown = text ? [this.#delta(index, text)] : [];
    return stop === undefined ? shown : [...shown, { type: 'block-end', index }];
  }

  #delta(index: number, delta: string): BlockEvent {
    this.#shown += delta.length;
    const ready = this.#waiting.filter(({ at }) => at < this.#shown);
    if (ready.length === 0) return { type: 'block-delta', index, delta };
    this.#waiting = this.#waiting.slice(ready.length);
    return { type: 'block-delta', index, delta, logprobs: ready.map(({ logprob }) => logprob) };
  }
}

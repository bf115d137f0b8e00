import type { BlockEvent, TokenLogprob } from '../contract/events.ts';
import type { Directive, GeneratedToken } from '../engine/engine.ts';
import type { OutputMachine } from '../output/output-machine.ts';
import { createStopStrings, type StopStrings } from '../output/stop-strings.ts';
import { TokenDecoder, type VisibleTokens } from './visible-tokens.ts';

export interface TextPipelineOptions {
  /** Model text -> blocks. */
  readonly machine: Pick<OutputMachine, 'push' | 'end' | 'state'>;
  readonly stop: readonly string[];
  readonly tokens: VisibleTokens;
  readonly steering: Steering;
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

  push(token: GeneratedToken): { readonly events: readonly BlockEvent[]; readonly directive: Directive } {
    const { machine, tokens, steering } = this.#options;
    const before = machine.state;
    const text = this.#decoder.push(tokens(token.token));
    const events = this.#blocks.filter(text ? machine.push(text) : [], token.logprob);
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
    return this.#blocks.filter([...(rest ? machine.push(rest) : []), ...machine.end(end)]);
  }
}

/** Stop strings end text blocks, never reasoning or calls; log probabilities ride on text only. */
class BlockFilter {
  readonly #stop: readonly string[];
  #strings: StopStrings | undefined;
  #pending: TokenLogprob[] = [];
  stopString: string | undefined;
  calledTools = false;

  constructor(stop: readonly string[]) {
    this.#stop = stop;
  }

  filter(events: readonly BlockEvent[], logprob?: TokenLogprob): BlockEvent[] {
    if (logprob) this.#pending.push(logprob);
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
        if (event.kind === 'text') this.#strings = createStopStrings(this.#stop);
        else this.#pending = [];
        if (event.kind === 'tool-call') this.calledTools = true;
        return [event];
      case 'block-delta':
        return this.#strings ? this.#text(event.index, event.delta, this.#strings) : [event];
      case 'block-end': {
        const held = this.#strings?.end() ?? '';
        this.#strings = undefined;
        return held ? [this.#delta(event.index, held), event] : [event];
      }
      default:
        return event satisfies never;
    }
  }

  #text(index: number, delta: string, strings: StopStrings): BlockEvent[] {
    const { text, stop } = strings.push(delta);
    this.stopString = stop;
    const shown = text ? [this.#delta(index, text)] : [];
    return stop === undefined ? shown : [...shown, { type: 'block-end', index }];
  }

  #delta(index: number, delta: string): BlockEvent {
    const logprobs = this.#pending;
    this.#pending = [];
    return { type: 'block-delta', index, delta, ...(logprobs.length > 0 && { logprobs }) };
  }
}

import type { GenerationEvent, ToolResultEvent } from '../contract/events.ts';
import type { ChatPrompt } from '../contract/request.ts';
import type { AllowedCall, ServerTool, ToolOutcome } from '../contract/server-tools.ts';
import type { Offer } from './offer-tools.ts';
import { afterFirstRound, contentOf, type ServerCall } from './tool-round.ts';

interface Entry {
  readonly asked: AllowedCall;
  /** By which its events tell it apart. */
  readonly id: string;
  readonly tool: ServerTool | undefined;
}

/** Calls of an earlier answer that the client has allowed, as the first turn of this one. */
export class AllowedRound {
  readonly #entries: readonly Entry[];
  readonly calls: readonly ServerCall[];

  /** Allowed by the client, but not what it may run now, is not run. */
  constructor(allowed: readonly AllowedCall[], { offered }: Offer, idOf: (writtenId: string) => string) {
    const tools = [...offered.values()];
    this.#entries = allowed.map((asked) => ({
      asked,
      id: idOf(asked.id),
      tool: tools.find(({ server, name }) => server === asked.server && name === asked.name),
    }));
    this.calls = this.#entries.flatMap(({ asked, id, tool }) =>
      tool ? [{ id, writtenId: asked.id, name: asked.name, arguments: asked.arguments, tool }] : [],
    );
  }

  *events(): Generator<GenerationEvent> {
    for (const [index, { asked, id }] of this.#entries.entries()) {
      const { server, name, allowedBy } = asked;
      yield { type: 'block-start', index, kind: 'tool-call', id, name, server, allowedBy };
      yield { type: 'block-delta', index, delta: asked.arguments };
      yield { type: 'block-end', index };
    }
  }

  *refusals(): Generator<ToolResultEvent> {
    for (const { id, tool } of this.#entries)
      if (!tool) yield { type: 'tool-result', callId: id, content: notThere, isError: true, ms: 0 };
  }

  /** With the results where the conversation holds a place for them. */
  nextPrompt(prompt: ChatPrompt, outcomes: ReadonlyMap<ServerCall, ToolOutcome>): ChatPrompt {
    const contents = new Map(
      this.#entries.map(({ asked, id }) => {
        const call = this.calls.find((each) => each.id === id);
        const outcome = call && outcomes.get(call);
        return [asked.message, outcome ? contentOf(outcome) : notThere];
      }),
    );
    const messages = prompt.messages.map((message, index) => {
      const content = contents.get(index);
      return content === undefined || message.role !== 'tool' ? message : { ...message, content };
    });
    return { ...prompt, messages, toolChoice: afterFirstRound(prompt.toolChoice) };
  }
}

const notThere = 'This call was not run: the request does not offer this tool.';

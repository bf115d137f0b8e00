import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { ApiClient } from '../api/client.ts';
import { ApiFailure, member } from '../api/failure.ts';
import type { ChatSettings } from '../chats/entries.ts';
import type { Chats } from './chats.ts';
import type { Environment } from './environment.ts';
import { attempt } from './preferences.ts';
import type { Server } from './server.ts';

export interface ToolFacts {
  readonly name: string;
  /** `server__name`, as requests name it. */
  readonly fullName: string;
  readonly description: string;
  readonly readOnly: boolean;
}

export interface ToolServerFacts {
  readonly name: string;
  readonly state: string;
  readonly error: string | undefined;
  readonly tools: readonly ToolFacts[];
}

/** Which calls wait for a person: see `confirm_tools`. */
export type Confirmation = 'always' | 'writes' | 'never';

/** What a chat lets the server run. */
export interface ToolChoice {
  readonly tools: readonly string[];
  readonly confirm: Confirmation;
}

export interface ToolsOptions {
  readonly api: ApiClient;
  readonly server: Pick<Server, 'rights'>;
  readonly environment: Pick<Environment, 'local' | 'after'>;
  readonly chats: Pick<Chats, 'open' | 'change'>;
}

/** What was chosen last, for the next chat. */
const lastKey = 'serve-model:tools:';
/** Of the settings of a chat. */
const setting = 'tools';
const none: ToolChoice = { tools: [], confirm: 'writes' };
const startingMs = 1000;

/** The server's tools: which there are, and which of them each chat may have. */
export class Tools {
  readonly #options: ToolsOptions;
  readonly #servers = signal<readonly ToolServerFacts[]>([]);
  /** Undefined: nobody has chosen yet. */
  readonly #last: Signal<ToolChoice | undefined>;
  /** Of the chat that is open, kept with it. Undefined: so the server's own default counts. */
  readonly #chosen = computed(() => {
    const chat = this.#options.chats.open.value;
    return chat ? choiceIn(chat.settings[setting]) : this.#last.value;
  });
  readonly servers: ReadonlySignal<readonly ToolServerFacts[]> = this.#servers;
  readonly choice = computed(() => this.#chosen.value ?? none);
  /** Why the last thing did not work. */
  readonly problem = signal<string | undefined>(undefined);
  #isOpen = false;

  constructor(options: ToolsOptions) {
    this.#options = options;
    const text = attempt(() => options.environment.local.getItem(lastKey));
    this.#last = signal(text ? attempt(() => choiceIn(JSON.parse(text))) : undefined);
  }

  /** With which a new chat begins. */
  get settings(): ChatSettings {
    const last = this.#last.value;
    return last ? { [setting]: last } : {};
  }

  /** What a request has of it. */
  get body(): Readonly<Record<string, unknown>> {
    const choice = this.#chosen.value;
    if (choice === undefined || !this.#options.server.rights.value.tools) return {};
    const { tools, confirm } = choice;
    if (tools.length === 0) return { enable_tools: false };
    return { enable_tools: true, enabled_tools: tools, confirm_tools: confirm };
  }

  isOn(tool: ToolFacts): boolean {
    return this.choice.value.tools.includes(tool.fullName);
  }

  switch(tools: readonly ToolFacts[], on: boolean): void {
    const names = tools.map(({ fullName }) => fullName);
    const others = this.choice.value.tools.filter((name) => !names.includes(name));
    this.#choose({ ...this.choice.value, tools: on ? [...others, ...names] : others });
  }

  confirm(confirm: Confirmation): void {
    this.#choose({ ...this.choice.value, confirm });
  }

  /** Looks which tools there are, and again while servers start and somebody looks. */
  watch(): () => void {
    this.#isOpen = true;
    void this.#look();
    return () => {
      this.#isOpen = false;
    };
  }

  async restart(server: string): Promise<void> {
    await this.#attempt(() => this.#options.api.call(`api/mcp/${encodeURIComponent(server)}/restart`, { body: {} }));
    await this.#look();
  }

  /** A person's word about a call that waits for it. Models may give calls of several answers the same id. */
  async decide(
    callId: string,
    decision: { readonly approve: boolean; readonly always?: boolean },
    answer: string | undefined,
  ): Promise<void> {
    const path = `api/mcp/calls/${encodeURIComponent(callId)}`;
    const body = { ...decision, ...(answer !== undefined && { answer }) };
    await this.#attempt(() => this.#options.api.call(path, { body }));
  }

  async #look(): Promise<void> {
    if (!this.#options.server.rights.value.tools) return;
    await this.#attempt(async () => {
      this.#servers.value = serversIn(await this.#options.api.call<unknown>('api/mcp'));
    });
    const isStarting = this.#servers.value.some(({ state }) => state === 'starting' || state === 'idle');
    if (this.#isOpen && isStarting)
      this.#options.environment.after(startingMs, () => {
        if (this.#isOpen) void this.#look();
      });
  }

  async #attempt(work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
      this.problem.value = undefined;
    } catch (failure) {
      if (!(failure instanceof ApiFailure)) throw failure;
      this.problem.value = failure.message;
    }
  }

  #choose(choice: ToolChoice): void {
    this.#last.value = choice;
    attempt(() => this.#options.environment.local.setItem(lastKey, JSON.stringify(choice)));
    this.#options.chats.change({ [setting]: choice });
  }
}

function choiceIn(value: unknown): ToolChoice | undefined {
  const [tools, confirm] = [member(value, 'tools'), member(value, 'confirm')];
  if (!Array.isArray(tools)) return undefined;
  return {
    tools: tools.filter((name) => typeof name === 'string'),
    confirm: confirm === 'always' || confirm === 'never' ? confirm : 'writes',
  };
}

/** Whatever a server tells: what is not understood is left out. */
function serversIn(answer: unknown): ToolServerFacts[] {
  return listIn(answer, 'servers').flatMap((server) => {
    const [name, state, error] = ['name', 'state', 'error'].map((part) => member(server, part));
    if (typeof name !== 'string') return [];
    return [
      {
        name,
        state: String(state ?? ''),
        error: typeof error === 'string' ? error : undefined,
        tools: listIn(server, 'tools').flatMap((tool) => toolIn(tool, name)),
      },
    ];
  });
}

function toolIn(tool: unknown, server: string): ToolFacts[] {
  const name = member(tool, 'name');
  const description = member(tool, 'description');
  if (typeof name !== 'string') return [];
  return [
    {
      name,
      fullName: `${server}__${name}`,
      description: typeof description === 'string' ? description : '',
      readOnly: member(tool, 'read_only') === true,
    },
  ];
}

function listIn(value: unknown, name: string): readonly unknown[] {
  const found = member(value, name);
  return Array.isArray(found) ? found : [];
}

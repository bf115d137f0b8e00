/** What the model is shown under one name, and how the client declared it. */
export interface DeclaredTool {
  readonly kind: 'function' | 'custom' | 'search';
  readonly name: string;
  readonly namespace?: string;
}

/** A namespace's tools in one flat list, named as clients flatten them themselves: `crm__find_customer`. */
export function qualifiedName(name: string, namespace: string | undefined): string {
  if (namespace === undefined || namespace === '') return name;
  return `${namespace.replace(/(?<!_)_+$/, '')}__${name.replace(/^_+/, '')}`;
}

/** Names that the model uses -> the client's tools. */
export class ToolDirectory {
  readonly #tools: ReadonlyMap<string, DeclaredTool>;

  constructor(tools: ReadonlyMap<string, DeclaredTool>) {
    this.#tools = tools;
  }

  /** A model may leave the namespace out: its tool is found as long as only one has that name. */
  find(name: string): DeclaredTool {
    const exact = this.#tools.get(name);
    if (exact) return exact;
    const short = [...this.#tools.values()].filter((tool) => tool.name === name);
    return short.length === 1 && short[0] ? short[0] : { kind: 'function', name };
  }
}

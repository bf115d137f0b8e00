import hljs from 'highlight.js/lib/core';
import bash from 'highlight.js/lib/languages/bash';
import css from 'highlight.js/lib/languages/css';
import javascript from 'highlight.js/lib/languages/javascript';
import json from 'highlight.js/lib/languages/json';
import python from 'highlight.js/lib/languages/python';
import typescript from 'highlight.js/lib/languages/typescript';
import xml from 'highlight.js/lib/languages/xml';

/** Code in pieces; `scope` is a class of highlight.js without its prefix. */
export type Highlighted = readonly (string | { readonly scope: string; readonly parts: Highlighted })[];

interface Node {
  readonly scope: string;
  readonly parts: (string | Node)[];
}

/** Takes down what highlight.js finds, as it finds it: its own way ends in a string of HTML. */
class PartsEmitter {
  readonly root: Node = { scope: '', parts: [] };
  readonly #open: Node[] = [this.root];

  startScope(scope: string): void {
    const node: Node = { scope, parts: [] };
    this.#top.parts.push(node);
    this.#open.push(node);
  }

  endScope(): void {
    if (this.#open.length > 1) this.#open.pop();
  }

  addText(text: string): void {
    const { parts } = this.#top;
    const last = parts.at(-1);
    if (typeof last === 'string') parts[parts.length - 1] = last + text;
    else if (text !== '') parts.push(text);
  }

  openNode(scope: string): void {
    this.startScope(scope);
  }

  closeNode(): void {
    this.endScope();
  }

  __addSublanguage(emitter: PartsEmitter, name: string): void {
    this.#top.parts.push(name ? { scope: `language:${name}`, parts: emitter.root.parts } : { ...emitter.root });
  }

  finalize(): void {}

  toHTML(): string {
    return '';
  }

  get #top(): Node {
    return this.#open.at(-1) ?? this.root;
  }
}

for (const [name, language] of Object.entries({ bash, css, javascript, json, python, typescript, xml }))
  hljs.registerLanguage(name, language);
hljs.configure({ __emitter: PartsEmitter });

/** highlight.js with the languages that models write most. Fetched with the first code. */
export interface Highlighter {
  knows(language: string): boolean;
  /** The language is one that it knows. */
  partsOf(code: string, language: string): Highlighted | undefined;
  addMore(): Promise<void>;
}

export const highlighter: Highlighter = {
  knows: (language) => hljs.getLanguage(language) !== undefined,
  partsOf(code, language) {
    const { _emitter } = hljs.highlight(code, { language, ignoreIllegals: true });
    return _emitter instanceof PartsEmitter ? _emitter.root.parts : undefined;
  },
  async addMore() {
    const { moreLanguages } = await import('./more-languages.ts');
    for (const [name, language] of Object.entries(moreLanguages)) hljs.registerLanguage(name, language);
  },
};

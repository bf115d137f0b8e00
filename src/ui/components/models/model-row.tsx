import type { ComponentChildren, VNode } from 'preact';

export interface ModelRowProps {
  readonly name: string;
  readonly title?: string;
  /** Said in small below the name. */
  readonly facts: readonly string[];
  readonly marks?: readonly string[];
  /** What can be done with it. */
  readonly children?: ComponentChildren;
}

export function ModelRow({ name, title = name, facts, marks = [], children }: ModelRowProps): VNode {
  return (
    <li class="model-row">
      <div class="model-facts">
        <span class="model-title">
          <strong dir="auto" title={title}>
            {name}
          </strong>
          {marks.map((mark) => (
            <span key={mark} class="chip">
              {mark}
            </span>
          ))}
        </span>
        <span class="fine">{facts.filter((fact) => fact !== '').join(' · ')}</span>
      </div>
      <div class="model-actions">{children}</div>
    </li>
  );
}

import type { VNode } from 'preact';
import { Icon, type IconName } from './icon.tsx';

export interface IconButtonProps {
  readonly icon: IconName;
  /** Read aloud, and shown while the pointer rests on it. */
  readonly label: string;
  readonly onClick: (event: MouseEvent) => void;
  readonly disabled?: boolean;
  readonly pressed?: boolean;
  readonly expanded?: boolean;
  readonly class?: string;
  readonly size?: number;
  /** Keys that do the same, as aria-keyshortcuts has them. */
  readonly keys?: string;
}

export function IconButton(props: IconButtonProps): VNode {
  const { icon, label, onClick, disabled, pressed, expanded, size, keys } = props;
  return (
    <button
      type="button"
      class={`icon-button ${props.class ?? ''}`}
      aria-label={label}
      title={label}
      aria-pressed={pressed}
      aria-expanded={expanded}
      aria-keyshortcuts={keys}
      disabled={disabled}
      onClick={onClick}
    >
      <Icon name={icon} {...(size !== undefined && { size })} />
    </button>
  );
}

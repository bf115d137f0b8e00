import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';

export interface GrowingFieldProps {
  readonly value: string;
  readonly label: string;
  readonly placeholder?: string;
  readonly autoFocus?: boolean;
  /** Each new number puts the cursor here. */
  readonly focusCount?: number;
  readonly onInput: (value: string) => void;
  readonly onKeyDown?: (event: KeyboardEvent) => void;
  readonly onPaste?: (event: ClipboardEvent) => void;
}

/** A field for text that is as high as what is in it, as far as its style lets it. */
export function GrowingField(props: GrowingFieldProps): VNode {
  const { value, label, placeholder, autoFocus, focusCount = 0, onInput, onKeyDown, onPaste } = props;
  const field = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    const area = field.current;
    if (!area || CSS.supports('field-sizing', 'content')) return;
    area.style.height = 'auto';
    area.style.height = `${area.scrollHeight}px`;
  }, [value]);
  useEffect(() => {
    const area = field.current;
    if (!area || !(autoFocus || focusCount > 0)) return;
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
  }, [autoFocus, focusCount]);
  return (
    <textarea
      ref={field}
      class="growing-field"
      rows={1}
      dir="auto"
      value={value}
      aria-label={label}
      placeholder={placeholder}
      enterkeyhint="send"
      onInput={(event) => onInput(event.currentTarget.value)}
      onKeyDown={onKeyDown}
      onPaste={onPaste}
    />
  );
}

/** Texts that a family has around an image or a sound. */
export interface Marks {
  readonly before?: string;
  readonly behind?: string;
}

interface Text {
  readonly type: 'text';
  readonly text: string;
}

export function between<Part>({ before, behind }: Marks, parts: readonly Part[]): (Part | Text)[] {
  const text = (mark: string | undefined): Text[] => (mark === undefined ? [] : [{ type: 'text', text: mark }]);
  return [...text(before), ...parts, ...text(behind)];
}

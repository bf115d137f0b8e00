/** The efforts that clients know, from the least on. */
const efforts = ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** Under which variable templates read it: most of them, Muse, Kimi K3. */
const effortVariables = ['reasoning_effort', 'reasoning_strength', 'thinking_effort'];

export function readsEffort(template: string): boolean {
  return effortVariables.some((name) => template.includes(name));
}

export function effortAsVariables(effort: string): Readonly<Record<string, string>> {
  return Object.fromEntries(effortVariables.map((name) => [name, effort]));
}

/**
 * Which of them may stand for one that a template refuses, the nearest first, of two as near the higher one: templates
 * take their own few (Hunyuan `low` and `high`), while agents send what their vendor's models take. One that is new to
 * us is as likely a high one.
 */
export function otherEfforts(asked: string): readonly string[] {
  const known = efforts.indexOf(asked);
  const place = known < 0 ? efforts.indexOf('high') : known;
  const distance = (effort: string) => {
    const steps = efforts.indexOf(effort) - place;
    return steps < 0 ? 0.5 - steps : steps;
  };
  return efforts.filter((effort) => effort !== asked).sort((left, right) => distance(left) - distance(right));
}

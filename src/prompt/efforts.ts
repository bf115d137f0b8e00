import { effortOfUnknown, efforts } from '../contract/request.ts';

/** Under which variable templates read it: most of them, Muse, Kimi K3. */
const effortVariables = ['reasoning_effort', 'reasoning_strength', 'thinking_effort'];

export function readsEffort(template: string): boolean {
  return effortVariables.some((name) => template.includes(name));
}

export function effortAsVariables(effort: string): Readonly<Record<string, string>> {
  return Object.fromEntries(effortVariables.map((name) => [name, effort]));
}

/**
 * The effort that was asked for, and which of them may stand for it where the template refuses it, the nearest first, of
 * two as near the higher one: templates take their own few (Hunyuan `low` and `high`), while agents send what their
 * vendor's models take. A word that neither we nor the template know is as likely a high one: it is no text for a prompt.
 */
export function effortsToTry(asked: string, template: string): readonly string[] {
  return efforts.includes(asked) || names(template, asked) ? [asked, ...otherEfforts(asked)] : otherEfforts(asked);
}

function names(template: string, word: string): boolean {
  return template.includes(`'${word}'`) || template.includes(`"${word}"`);
}

function otherEfforts(asked: string): readonly string[] {
  const known = efforts.indexOf(asked);
  const place = known < 0 ? efforts.indexOf(effortOfUnknown) : known;
  const distance = (effort: string) => {
    const steps = efforts.indexOf(effort) - place;
    return steps < 0 ? 0.5 - steps : steps;
  };
  return efforts.filter((effort) => effort !== asked).sort((left, right) => distance(left) - distance(right));
}

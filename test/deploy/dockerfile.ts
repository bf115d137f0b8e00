/** One instruction of a Dockerfile, its continued lines joined, without comments. */
interface Instruction {
  readonly name: string;
  readonly text: string;
}

export interface Stage {
  readonly name: string;
  readonly image: string;
  readonly instructions: readonly Instruction[];
}

/** The stages of a Dockerfile in order. What stands before the first one are the arguments of the others. */
export function readDockerfile(text: string): Stage[] {
  const lines = text.split('\n').filter((line) => !line.trimStart().startsWith('#'));
  const joined = lines.join('\n').replaceAll('\\\n', ' ').split('\n');
  const defaults = new Map<string, string>();
  const stages: (Stage & { instructions: Instruction[] })[] = [];
  for (const line of joined.filter((each) => each.trim() !== '')) {
    const [, name = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line.trim()) ?? [];
    const last = stages.at(-1);
    if (name === 'FROM') stages.push(stageOf(rest, defaults));
    else if (last) last.instructions.push({ name, text: rest });
    else defaults.set(...pair(rest));
  }
  return stages;
}

function stageOf(text: string, defaults: ReadonlyMap<string, string>): Stage & { instructions: Instruction[] } {
  const [, image = '', name = ''] = /^(\S+) AS (\S+)$/.exec(text) ?? [];
  return { name, image: image.replace(/\$\{(\w+)\}/g, (_, key) => defaults.get(key) ?? ''), instructions: [] };
}

export function texts(stage: Stage | undefined, name: string): string[] {
  return stage?.instructions.filter((each) => each.name === name).map(({ text }) => text) ?? [];
}

export function environment(stage: Stage | undefined): Record<string, string> {
  return Object.fromEntries(texts(stage, 'ENV').flatMap((text) => text.split(/\s+/).map(pair)));
}

function pair(text: string): [string, string] {
  const at = text.indexOf('=');
  return [text.slice(0, at), text.slice(at + 1)];
}

/** The commands that mostly load no model here, spelled anew: what knows them takes as long to read as what this is to hide. */
export const lightCommands: readonly string[] = [
  'run',
  'chat',
  'launch',
  'ps',
  'stop',
  'list',
  'inspect',
  'pull',
  'rm',
  'quantize',
  'doctor',
  'bench',
  'completion',
];

/** A guess about a command line, before anything else is read. */
export function mostlyServes([first = '']: readonly string[]): boolean {
  return ![...lightCommands, '--help', '-h', '--version', '-V'].includes(first);
}

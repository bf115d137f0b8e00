import { z } from 'zod';

const gpuKind = z.union([z.literal(false), z.enum(['cuda', 'vulkan', 'metal'])]);

const rates = z.object({
  reading: z.record(z.string(), z.number()),
  prompt: z.record(z.string(), z.number()),
});

/** A line that the child process writes as soon as it knows it: whatever ends it, what it has said is kept. */
const nativeLine = z.discriminatedUnion('step', [
  z.object({
    step: z.literal('found'),
    /** In the order in which they were looked at. */
    builds: z.array(z.object({ gpu: gpuKind, folder: z.string().optional(), fault: z.string().optional() })),
  }),
  z.object({
    step: z.literal('opened'),
    version: z.string(),
    gpu: gpuKind,
    folder: z.string(),
    gpus: z.array(
      z.object({
        name: z.string(),
        description: z.string(),
        freeBytes: z.number(),
        totalBytes: z.number(),
        sharesMain: z.boolean(),
      }),
    ),
  }),
  z.object({
    step: z.literal('measured'),
    threads: z.number(),
    cpu: rates,
    gpu: rates.optional(),
    small: z.object({ answer: z.number(), prompt: z.number() }),
    bytes: z.number(),
  }),
  z.object({ step: z.literal('failed'), words: z.string() }),
]);

export type NativeLine = z.infer<typeof nativeLine>;

type Of<Step extends NativeLine['step']> = Extract<NativeLine, { readonly step: Step }>;

/** What came of the child process. */
export interface NativeReport {
  readonly found: Of<'found'> | undefined;
  readonly opened: Of<'opened'> | undefined;
  readonly measured: Of<'measured'> | undefined;
  /** One sentence; undefined: it did all that it was asked for. */
  readonly fault: string | undefined;
}

/** How the child process ended. */
export interface NativeEnd {
  readonly output: string;
  /** What it said of its death. */
  readonly words: string;
  readonly code: number | null;
  readonly signal: string | null;
  /** It was ended because it took too long. */
  readonly late: boolean;
}

/** What it was at when it stopped, by what it had said. */
const next = { found: 'looking for the library', opened: 'opening the library', measured: 'measuring' } as const;

export function nativeReport({ output, words, code, signal, late }: NativeEnd): NativeReport {
  const lines = output.split('\n').flatMap((line) => readLine(line) ?? []);
  const of = <Step extends NativeLine['step']>(step: Step) =>
    lines.find((line): line is Of<Step> => line.step === step);
  const [found, opened, measured] = [of('found'), of('opened'), of('measured')];
  const at = !found ? next.found : !opened ? next.opened : next.measured;
  const isWhole = found && opened && measured;
  const said = of('failed')?.words;
  const because = words === '' ? '' : `: ${words}`;
  const death = late
    ? `It did not come to an end while ${at}.`
    : `It ended the process (${signal ?? `exit ${code}`}) while ${at}${because}.`;
  return { found, opened, measured, fault: isWhole ? undefined : (said ?? death) };
}

function readLine(line: string): NativeLine | undefined {
  try {
    return nativeLine.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

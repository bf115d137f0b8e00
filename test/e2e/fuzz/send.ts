import { request as httpRequest } from 'node:http';
import type { FuzzRequest } from './hostile-generation.ts';

/** What became of a request; `left`: the client did not wait for the end. */
export type Outcome =
  | { readonly left: true }
  | { readonly left: false; readonly status: number; readonly text: string };

/** Rejects when the connection ends before the answer does, or nothing has ended within the time. */
export function send(url: string, { path, body, leavesAfter }: FuzzRequest, patienceMs: number): Promise<Outcome> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { hostname, port, path, method: 'POST', headers: { 'content-type': 'application/json' }, agent: false },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (piece: string) => {
          text += piece;
          if (leavesAfter !== undefined && text.length >= leavesAfter) leave();
        });
        response.on('end', () => settle(() => resolve({ left: false, status: response.statusCode ?? 0, text })));
        response.on('error', (error) => settle(() => reject(error)));
      },
    );
    const timer = setTimeout(() => {
      settle(() => reject(new Error(`no end within ${patienceMs} ms`)));
      outgoing.destroy();
    }, patienceMs);
    const settle = (outcome: () => void) => {
      clearTimeout(timer);
      outcome();
    };
    const leave = () => {
      settle(() => resolve({ left: true }));
      outgoing.destroy();
    };
    outgoing.on('error', (error) => settle(() => reject(error)));
    outgoing.end(body);
  });
}

/** Statuses besides those of wrong requests that an answer may have: this server does not do that, or is full. */
const otherRefusals = [501, 503];

/** What is wrong with an answer; undefined: it is whole, or a clear refusal. */
export function faultOf(outcome: Outcome): string | undefined {
  if (outcome.left) return undefined;
  const { status, text } = outcome;
  if (/node_modules|\.[jt]s:\d+:\d+|at async /.test(text)) return `shows its insides: ${text.slice(0, 300)}`;
  if (status === 200)
    return text.startsWith('data: ') || /^(event|id|:)/.test(text) ? faultOfStream(text) : faultOfJson(text);
  if ((status < 400 || status > 499) && !otherRefusals.includes(status)) return `${status} ${text.slice(0, 300)}`;
  const message = messageOf(text);
  return message === undefined || message.length < 10
    ? `${status} without a sentence: ${text.slice(0, 300)}`
    : undefined;
}

function faultOfStream(text: string): string | undefined {
  if (!/\n\n$/.test(text)) return `a stream that breaks off: ${text.slice(-300)}`;
  // What is wrong with a later one of several prompts is told when its turn comes.
  const isRefusal = /"type":"invalid_request_error"/.test(text);
  if (/"error"|event: error/.test(text) && !isRefusal) return `a stream that fails: ${text.slice(-300)}`;
  const isWhole = /data: \[DONE\]\n\n$|"stop": ?true|event: message_stop/.test(text);
  return isWhole ? undefined : `a stream without an end: ${text.slice(-300)}`;
}

function faultOfJson(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch {
    return `no JSON: ${text.slice(0, 300)}`;
  }
}

function messageOf(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text);
    return findMessage(body);
  } catch {
    return undefined;
  }
}

/** Every dialect puts it elsewhere. */
function findMessage(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, member] of Object.entries(value)) {
    if ((key === 'message' || key === 'error') && typeof member === 'string') return member;
    const inner = findMessage(member);
    if (inner !== undefined) return inner;
  }
  return undefined;
}

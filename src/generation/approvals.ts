import { createDeferred } from '../contract/deferred.ts';
import type { CallApprovals, ServerTool } from '../contract/server-tools.ts';
import type { Timers } from '../contract/services.ts';

type Verdict = 'approved' | 'denied' | 'unanswered';

interface WaitingCall {
  readonly callId: string;
  readonly owner: string;
  /** By which the client knows the answer that it belongs to. */
  readonly answerId: string | undefined;
  readonly tool: Pick<ServerTool, 'server' | 'name'>;
}

export interface ApprovalRegistry extends CallApprovals {
  /**
   * Ids of calls that may wait: model families that write ids count from 0, in every answer and choice. Until `free` no
   * other call gets the same one, so that a person's word is about one call.
   */
  claim(writtenId: string): string;
  free(ids: Iterable<string>): void;
  /** Approved before, for good. */
  isApproved(owner: string, tool: WaitingCall['tool']): boolean;
  /** Settles with a person's word, or when none came in time. Rejects with the signal's reason. */
  wait(call: WaitingCall, signal: AbortSignal): Promise<Verdict>;
  readonly size: number;
}

/** So long a call waits for a person. */
const longestWaitMs = 600_000;

/** Owners times tools that were approved for good; more are asked about again. */
const maxApproved = 10_000;

interface Entry extends WaitingCall {
  settle(verdict: Verdict): void;
}

export function createApprovalRegistry(timers: Timers, waitMs = longestWaitMs): ApprovalRegistry {
  const waiting = new Set<Entry>();
  const approved = new Set<string>();
  const claimed = new Set<string>();
  const keyOf = (owner: string, { server, name }: WaitingCall['tool']) => JSON.stringify([owner, server, name]);
  return {
    get size() {
      return waiting.size;
    },
    claim: (writtenId) => uniqueId(writtenId, claimed),
    free(ids) {
      for (const id of ids) claimed.delete(id);
    },
    isApproved: (owner, tool) => approved.has(keyOf(owner, tool)),
    async wait(call, signal) {
      signal.throwIfAborted();
      const verdict = createDeferred<Verdict>();
      const entry: Entry = { ...call, settle: verdict.resolve };
      const onAbort = () => verdict.reject(signal.reason);
      signal.addEventListener('abort', onAbort, { once: true });
      const disarm = timers.after(waitMs, () => verdict.resolve('unanswered'));
      waiting.add(entry);
      try {
        return await verdict.promise;
      } finally {
        waiting.delete(entry);
        disarm();
        signal.removeEventListener('abort', onAbort);
      }
    },
    decide(callId, { approve, always = false, answer }, caller) {
      const call = [...waiting].find(
        (entry) =>
          entry.callId === callId && caller.sees(entry.owner) && (answer === undefined || entry.answerId === answer),
      );
      if (!call) return false;
      if (approve && always && approved.size < maxApproved) approved.add(keyOf(call.owner, call.tool));
      // Gone at once, so that a second word finds nothing.
      waiting.delete(call);
      call.settle(approve ? 'approved' : 'denied');
      return true;
    },
  };
}

/** Ids that a model writes itself may come again in a later round: then they are counted on. It is among `ids` then. */
export function uniqueId(written: string, ids: Set<string>): string {
  let id = written;
  for (let count = 2; ids.has(id); count++) id = `${written}_${count}`;
  ids.add(id);
  return id;
}

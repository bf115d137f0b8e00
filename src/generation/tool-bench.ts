import type { ToolHost } from '../contract/server-tools.ts';
import type { ApprovalRegistry } from './approvals.ts';

/** The server's own tools, where it has some. */
export interface ToolBench {
  readonly host: ToolHost;
  readonly approvals: ApprovalRegistry;
}

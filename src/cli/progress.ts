export interface ProgressOptions {
  /** A bar that is drawn over and over; otherwise a line for every quarter. */
  readonly terminal: boolean;
  readonly write: (text: string) => void;
}

export interface ProgressDisplay {
  /** fraction: 0 to 1. A new label ends the bar before it. `detail` stands after the percentage. */
  show(label: string, fraction: number, detail?: string): void;
  /** Ends the bar's line. */
  end(): void;
}

const barWidth = 30;
const clearLine = '\r\x1b[K';

export function createProgress({ terminal, write }: ProgressOptions): ProgressDisplay {
  return terminal ? createBar(write) : createLines(write);
}

function createBar(write: (text: string) => void): ProgressDisplay {
  let label = '';
  let shown = '';
  const end = () => {
    if (shown !== '') write('\n');
    shown = '';
  };
  return {
    show(next, fraction, detail = '') {
      if (next !== label) end();
      label = next;
      const full = Math.round(clamp(fraction) * barWidth);
      const text = `${next} [${'#'.repeat(full)}${'.'.repeat(barWidth - full)}] ${percent(fraction)}${spaced(detail)}`;
      if (text !== shown) write(clearLine + text);
      shown = text;
    },
    end,
  };
}

function createLines(write: (text: string) => void): ProgressDisplay {
  let label = '';
  let quarter = -1;
  return {
    show(next, fraction, detail = '') {
      if (next !== label) quarter = -1;
      label = next;
      const reached = Math.floor(clamp(fraction) * 4);
      if (reached <= quarter) return;
      quarter = reached;
      write(`${next} ${percent(fraction)}${spaced(detail)}\n`);
    },
    end: () => {},
  };
}

function clamp(fraction: number): number {
  return Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : 0;
}

function percent(fraction: number): string {
  return `${Math.floor(clamp(fraction) * 100)} %`;
}

function spaced(detail: string): string {
  return detail === '' ? '' : `  ${detail}`;
}

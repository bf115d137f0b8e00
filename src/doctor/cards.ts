import type { Card } from './probes.ts';

/** Makers of cards that llama.cpp has backends for, by their number on the PCI bus. */
const makers: Readonly<Record<string, string>> = { '0x10de': 'NVIDIA', '0x1002': 'AMD', '0x8086': 'Intel' };

/** What the kernel says of one PCI device. */
export interface PciDevice {
  /** `0x030000`: a display controller. */
  readonly kind: string;
  readonly vendor: string;
  readonly device: string;
  readonly driver: string | undefined;
}

/** Undefined: it shows no pictures and computes none. Accelerators (`0x12`) are cards without a screen. */
export function describeCard({ kind, vendor, device, driver }: PciDevice): Card | undefined {
  if (!/^0x(03|12)/.test(kind)) return undefined;
  const maker = makers[vendor];
  const number = `${vendor}:${device}`.replaceAll('0x', '');
  return { name: `${maker ?? 'another card'} ${number}`, driver, couldCompute: maker !== undefined };
}

import { showBytes } from '../contract/amounts.ts';
import { reserveOf } from '../models/default-context.ts';
import type { MainMemory } from '../models/machine-memory.ts';
import type { NativeReport } from './native-report.ts';
import type { Card, DiskAnswer, HubAnswer, PortAnswer, SystemFacts } from './probes.ts';

/** One thing that was looked at. */
export interface Check {
  readonly name: string;
  /** `warning`: it serves, but not all that it could. `problem`: it does not serve. */
  readonly state: 'ok' | 'warning' | 'problem' | 'skipped';
  /** The first says what is, further ones what to do. */
  readonly words: readonly string[];
}

export function nodeCheck({ node, wantedNode, platform, arch, release, cpu, cores }: SystemFacts): Check {
  const isOld = !isAtLeast(node, wantedNode);
  return {
    name: 'Node.js',
    state: isOld ? 'problem' : 'ok',
    words: [
      `${node} on ${platform} ${release}, ${arch}, ${cores} cores (${cpu})`,
      ...(isOld ? [`Node.js ${wantedNode} is needed.`] : []),
    ],
  };
}

export function libraryCheck({ found, opened, fault }: NativeReport): Check {
  const name = 'library';
  const passed = (found?.builds ?? []).filter((build) => build.fault !== undefined);
  const why = passed.map(({ gpu, fault }) => `${gpu === false ? 'CPU' : gpu}: ${fault}`);
  const because = why.length > 0 ? ` (${why.join('; ')})` : '';
  if (opened) {
    const kind = opened.gpu === false ? 'the CPU' : opened.gpu;
    const words = [`llama.cpp ${opened.version} for ${kind}${because}, in ${opened.folder}`];
    return fault === undefined
      ? { name, state: 'ok', words }
      : { name, state: 'problem', words: [...words, `The measurement did not come to an end: ${fault}`] };
  }
  const meant = found?.builds.find((build) => build.fault === undefined)?.folder;
  return {
    name,
    state: 'problem',
    words: [
      meant === undefined ? `none that serves here${because}` : `the one in ${meant} does not open`,
      ...(fault === undefined ? [] : [fault]),
      'npm ci (or npm install) puts it there anew.',
    ],
  };
}

export function cardCheck(cards: readonly Card[], { opened, found }: NativeReport): Check {
  const name = 'GPU';
  const used = opened?.gpus ?? [];
  const lines = used.map(
    ({ name: device, description, freeBytes, totalBytes }) =>
      `${device}: ${description}, ${showBytes(freeBytes)} of ${showBytes(totalBytes)} free`,
  );
  const idle = used.length > 0 ? [] : cards.filter(({ couldCompute }) => couldCompute);
  const seen = cards.map((card) => `${card.name}, ${card.driver ? `driver ${card.driver}` : 'no driver'}`);
  if (used.length > 0) return { name, state: 'ok', words: lines };
  if (idle.length === 0)
    return { name, state: 'ok', words: [seen.length > 0 ? `none that computes (${seen.join('; ')})` : 'none'] };
  const faults = (found?.builds ?? []).flatMap(({ gpu, fault }) => (gpu && fault ? [`${gpu}: ${fault}`] : []));
  return {
    name,
    state: 'warning',
    words: [
      `found and not used: ${seen.join('; ')}`,
      ...(faults.length > 0 ? [`Builds that could use it: ${faults.join('; ')}.`] : []),
      'CUDA needs a driver for CUDA 13, Vulkan its loader (libvulkan.so.1); --gpu cuda says more.',
    ],
  };
}

export function memoryCheck({ total, available }: MainMemory): Check {
  const isShort = available < reserveOf(total);
  return {
    name: 'memory',
    state: isShort ? 'warning' : 'ok',
    words: [
      `${showBytes(available)} of ${showBytes(total)} free`,
      ...(isShort ? ['Little is left for a model: end other programs, or take a small one.'] : []),
    ],
  };
}

/** By what ran before the measurement: it is told because it makes every figure below smaller. */
export function loadCheck(load: number, cores: number): Check {
  const name = 'load';
  const words = [`${load.toFixed(1)} on ${cores} cores`];
  if (load <= cores / 2) return { name, state: 'ok', words };
  return {
    name,
    state: 'warning',
    words: [...words, 'Other programs compute: what is measured is less than this machine can do.'],
  };
}

/** Less than a small model takes. */
const littleDisk = 1e9;

export function diskCheck(what: string, { folder, freeBytes, problem }: DiskAnswer): Check {
  const name = `disk (${what})`;
  const words = [`${showBytes(freeBytes)} free in ${folder}`];
  if (problem !== undefined)
    return { name, state: 'problem', words: [...words, `It cannot be written to: ${problem}.`] };
  if (freeBytes >= littleDisk) return { name, state: 'ok', words };
  return {
    name,
    state: 'warning',
    words: [...words, 'That is less than a model takes: serve-model rm NAME deletes one.'],
  };
}

export function portCheck({ host, port, taken }: PortAnswer): Check {
  const name = 'port';
  const where = `${port} on ${host}`;
  switch (taken) {
    case undefined:
      return { name, state: 'ok', words: [`${where} is free`] };
    case 'own':
      return { name, state: 'ok', words: [`${where} is a server of yours: serve-model ps`] };
    case 'other':
      return { name, state: 'warning', words: [`${where} is taken by another program`, '--port 0 takes a free one.'] };
    case 'forbidden':
      return { name, state: 'problem', words: [`${where} cannot be listened on`, 'Take another --port or --host.'] };
    default:
      return taken satisfies never;
  }
}

export function hubCheck(hub: HubAnswer | undefined): Check {
  const name = 'hub';
  if (!hub) return { name, state: 'skipped', words: ['not asked (--no-hub)'] };
  if (hub.reached) return { name, state: 'ok', words: [`${hub.url} answers in ${Math.round(hub.ms)} ms`] };
  return {
    name,
    state: 'warning',
    words: [`${hub.url} cannot be reached: ${hub.why}`, 'Models that lie here are served all the same.'],
  };
}

/** Certificates, and keys of clouds, bear no more. */
const tolerableMs = 5 * 60_000;
/** Before this version was made no clock is right. */
const earliest = Date.UTC(2026, 0, 1);

export function clockCheck(now: number, hub: HubAnswer | undefined): Check {
  const name = 'clock';
  const shown = new Date(now).toISOString().replace(/\.\d+Z$/, 'Z');
  const date = hub?.reached ? hub.date : undefined;
  const off = date === undefined ? undefined : Math.round((now - date) / 1000);
  if (now < earliest || (off !== undefined && Math.abs(off) * 1000 > tolerableMs))
    return {
      name,
      state: 'warning',
      words: [
        off === undefined
          ? `${shown} cannot be right`
          : `${shown} is ${Math.abs(off)} s ${off > 0 ? 'ahead of' : 'behind'} the hub's`,
        'Certificates are refused by a clock that is wrong: set it.',
      ],
    };
  return { name, state: 'ok', words: [off === undefined ? shown : `${shown}, as the hub's`] };
}

/** `v22.15.0` against `>=20.19`. */
function isAtLeast(version: string, wanted: string): boolean {
  const [have, want] = [version, wanted].map((text) => text.replace(/^\D*/, '').split('.').map(Number));
  const [major = 0, minor = 0] = have ?? [];
  const [leastMajor = 0, leastMinor = 0] = want ?? [];
  return major > leastMajor || (major === leastMajor && minor >= leastMinor);
}

import { networkInterfaces } from 'node:os';
import type { PublicWeb } from '../contract/public-web.ts';
import type { Timers } from '../contract/services.ts';
import { systemDialer, systemResolver } from './dial.ts';
import { createPublicWeb } from './public-web.ts';

/** Over the resolver and the network of this machine. */
export function createSystemWeb(timers: Timers): PublicWeb {
  return createPublicWeb({
    resolve: systemResolver,
    dial: systemDialer,
    ownAddresses: () =>
      Object.values(networkInterfaces()).flatMap((addresses) => (addresses ?? []).map(({ address }) => address)),
    timers,
  });
}

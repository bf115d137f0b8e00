import { allKeys, type Config, readKeyFile } from '../config.ts';
import type { Telemetry } from '../contract/services.ts';
import { createKeyring, type Keyring } from '../http/access/keyring.ts';

/** Who holds which key, as the flags and the file say. */
export interface Keys {
  current(): Keyring;
  /** Takes those that --api-key-file holds now. A file that is wrong changes nothing. */
  reread(): void;
}

export function createKeys(config: Config, telemetry: Pick<Telemetry, 'log'>): Keys {
  const { adminToken } = config;
  let keyring = createKeyring({ keys: allKeys(config), adminToken });
  return {
    current: () => keyring,
    reread() {
      const path = config.keyFile?.path;
      if (path === undefined) return;
      try {
        keyring = createKeyring({ keys: allKeys({ ...config, keyFile: readKeyFile(path) }), adminToken });
        telemetry.log('info', `keys were read again: they are those of ${keyring.owners.join(', ')}`);
      } catch (error) {
        telemetry.log('error', 'keys were not read again, the earlier ones stay', { error });
      }
    },
  };
}

import { describe, expect, it } from 'vitest';
import { createDeferred } from '../../src/contract/deferred.ts';
import { ConfiguredServer } from '../../src/tools/configured-server.ts';
import type { Connection } from '../../src/tools/connection.ts';
import { within } from '../http/support.ts';

const place = { transport: 'http', url: 'http://tools.example', headers: {} } as const;
const look = { server: 'far', name: 'look', parameters: {}, readOnly: true };

describe('a server of tools whose last start came to nothing', () => {
  it('is not waited for by whoever did not name it, and has its tools again when it is there', async () => {
    let now = 0;
    const starts = [createDeferred<Connection>(), createDeferred<Connection>()];
    let count = 0;
    const server = new ConfiguredServer(
      { name: 'far', disabled: false, place },
      {
        connect: () => starts[count++]?.promise ?? Promise.reject(new Error('one start too many')),
        clock: () => now,
        log: () => undefined,
        version: '1',
        hide: (text) => text,
      },
    );
    const first = server.tools({ patient: false });
    starts[0]?.reject(new Error('it was not there'));
    await expect(within('the first start', first)).rejects.toThrow('it was not there');
    // Within the pause before the next start, too.
    await expect(within('those that do not wait', server.tools({ patient: false }))).rejects.toThrow(/was not there/);
    expect(count).toBe(1);
    now += 5000;
    await expect(within('those that do not wait', server.tools({ patient: false }))).rejects.toThrow(/does not run/);
    const waiting = server.tools();
    starts[1]?.resolve({ tools: [look], call: () => Promise.reject(new Error('none')), close: async () => undefined });
    expect(await within('those that wait', waiting)).toEqual([look]);
    expect(await within('those that do not wait', server.tools({ patient: false }))).toEqual([look]);
    expect(count).toBe(2);
  });
});

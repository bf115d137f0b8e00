// The built page over a server of this package, and the browser that looks at it: for scripts.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { chromium } from 'playwright-core';

const command = resolve(import.meta.dirname, '../dist/cli/serve-model.js');
const places = [process.env.SERVE_MODEL_CHROMIUM, '/usr/bin/chromium', '/usr/bin/google-chrome'];

/** The demo model on a port that is free: its address, and how it is ended. Throws when the server ends instead. */
export async function servePage(flags) {
  const server = spawn(process.execPath, [command, '--port', '0', '--ctx-size', '2048', ...flags], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise((done) => server.once('exit', done));
  const url = await new Promise((found, failed) => {
    let banner = '';
    server.stdout.setEncoding('utf8').on('data', (part) => {
      banner += part;
      const address = /address {2}(\S+)\n/.exec(banner)?.[1];
      if (address) found(address);
    });
    server.once('exit', () => failed(new Error('The server ended.')));
  });
  return {
    url,
    async close() {
      server.kill();
      await ended;
    },
  };
}

export function openBrowser() {
  const executablePath = places.find((place) => place && existsSync(place));
  if (!executablePath) throw new Error('There is no Chromium here; SERVE_MODEL_CHROMIUM can name one.');
  return chromium.launch({ executablePath, args: ['--disable-background-networking', '--disable-component-update'] });
}

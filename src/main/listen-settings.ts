import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { readTextFile } from '../files/read-text.ts';
import type { ListenOptions } from '../http/listen.ts';

/** ServeError invalid_request where a file of HTTPS cannot be used. */
export function listenSettings(config: Config): ListenOptions {
  return {
    host: config.host,
    port: config.port,
    headerTimeoutMs: config.headerTimeout * 1000,
    requestTimeoutMs: (config.headerTimeout + config.bodyTimeout) * 1000,
    ...readTls(config),
  };
}

function readTls({ sslCert, sslKey }: Config) {
  if (sslCert === undefined || sslKey === undefined) return {};
  return { tls: { cert: readPem('--ssl-cert', sslCert), key: readPem('--ssl-key', sslKey) } };
}

function readPem(flag: string, path: string): string {
  try {
    const text = readTextFile(path);
    // An empty one is no error to Node.js: the server would listen, and answer nobody.
    if (!text.includes('-----BEGIN ')) throw new Error('holds nothing in PEM form. Give a file with -----BEGIN in it');
    return text;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new ServeError('invalid_request', `${flag} ${path} ${reason}.`, {}, { cause: error });
  }
}

/** nginx of Debian: HTTP/1.1 and HTTP/2, by TLS and in the clear. */
import { join } from 'node:path';
import { Daemon, freePort } from './daemon.js';
import { DaemonServer, takesConnections } from './daemon-server.js';
import { locatePart } from './parts.js';
import { type ServerTls, writeTlsFiles } from './tls-files.js';
import { makeFolder, writeServerFile } from './workshop.js';

export interface NginxOptions {
  tls: ServerTls;
  /** Files by name (letters and digits), for `GET /files/NAME`. */
  files?: Readonly<Record<string, string>>;
}

interface Ports {
  /** HTTP/1.1 in the clear. */
  port: number;
  /** HTTP/2 in the clear, from its preface on. */
  h2Port: number;
  /** HTTP/1.1 and HTTP/2, by ALPN. */
  tlsPort: number;
}

export class NginxServer extends DaemonServer implements Ports {
  readonly port: number;
  readonly h2Port: number;
  readonly tlsPort: number;

  private constructor({ port, h2Port, tlsPort }: Ports, daemon: Daemon) {
    super(daemon);
    this.port = port;
    this.h2Port = h2Port;
    this.tlsPort = tlsPort;
  }

  static async start({ tls, files = {} }: NginxOptions): Promise<NginxServer> {
    const program = locatePart('nginx');
    const folder = await makeFolder('nginx');
    for (const [name, text] of Object.entries(files)) await writeServerFile(join(folder, `file-${name}`), text);
    const ports = { port: await freePort(), h2Port: await freePort(), tlsPort: await freePort() };
    const configuration = join(folder, 'nginx.conf');
    const { cert, key } = await writeTlsFiles(folder, tls);
    await writeServerFile(configuration, configurationText(folder, ports, { cert, key }));
    const daemon = await Daemon.start({
      name: 'nginx',
      folder,
      // -e: or it writes to the system's log before it has read where to write.
      command: [program, '-e', 'stderr', '-p', folder, '-c', configuration],
      endSignal: 'SIGTERM',
      probe: () => takesConnections({ host: '127.0.0.1', port: ports.tlsPort }),
    });
    return new NginxServer(ports, daemon);
  }
}

/**
 * Starts it, and stops it again by `stop()`. `GET /request` answers with what came: method, host, HTTP version, scheme.
 */
export function startNginx(options: NginxOptions): Promise<NginxServer> {
  return NginxServer.start(options);
}

function configurationText(
  folder: string,
  { port, h2Port, tlsPort }: Ports,
  tls: { cert: string; key: string },
): string {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (name) => `${name}_temp_path ${folder}/tmp;`,
  );
  return `daemon off;
worker_processes 1;
pid ${folder}/nginx.pid;
error_log stderr warn;
events { worker_connections 512; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  server {
    listen 127.0.0.1:${port};
    listen 127.0.0.1:${h2Port} http2;
    listen 127.0.0.1:${tlsPort} ssl http2;
    ssl_certificate ${tls.cert};
    ssl_certificate_key ${tls.key};
    location = /request {
      default_type text/plain;
      return 200 "$request_method $host $server_protocol $scheme\\n";
    }
    location ~ ^/files/(\\w+)$ { alias ${folder}/file-$1; }
  }
}
`;
}

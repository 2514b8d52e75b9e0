/** HAProxy as the receiver of PROXY headers: it answers with what it took from them. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Daemon, freePort } from '../../servers/daemon.js';
import { locatePart } from '../../servers/parts.js';
import { makeFolder, writeServerFile } from '../../servers/workshop.js';

/** On `port` it wants a PROXY header and then HTTP; says whom it takes for the client and for itself. */
export async function startHaproxy(): Promise<{ port: number; stop: () => Promise<void> }> {
  const path = locatePart('haproxy');
  const folder = await makeFolder('haproxy');
  const port = await freePort();
  const file = join(folder, 'haproxy.cfg');
  await writeServerFile(
    file,
    `defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend told
  bind 127.0.0.1:${port} accept-proxy
  http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port] %[fc_pp_authority]"
`,
  );
  const daemon = await Daemon.start({
    name: 'HAProxy',
    folder,
    command: [path, '-db', '-f', file],
    endSignal: 'SIGTERM',
    probe: async () => {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      socket.destroy();
    },
  });
  return { port, stop: () => daemon.stop() };
}

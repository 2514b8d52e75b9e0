/** A process that ends when nothing keeps it alive: `node process.js native|turbo <case> <port> <ca in base64>`. */
import * as tls from 'node:tls';
import * as turbo from '../../src/experimental.js';

const [, , transport, what, port, ca] = process.argv;
const { connect, createServer } = transport === 'turbo' ? turbo : tls;

process.on('exit', () => console.log('exit'));

function dial(): tls.TLSSocket {
  const options = {
    host: '127.0.0.1',
    port: Number(port),
    ca: Buffer.from(ca ?? '', 'base64'),
    servername: 'localhost',
  };
  return connect(options).on('error', (error) => console.log(error.message));
}

switch (what) {
  case 'unref': {
    const socket = dial();
    socket.on('secureConnect', () => {
      console.log('secure');
      // Alive for a while by the socket alone.
      setTimeout(() => socket.unref(), 50).unref();
    });
    break;
  }
  case 'unref-early':
    dial().unref();
    break;
  case 'destroy': {
    const socket = dial();
    socket.on('secureConnect', () => socket.destroy());
    break;
  }
  case 'server': {
    const server = createServer({});
    server.listen(0, '127.0.0.1', () => {
      setTimeout(() => {
        console.log('closing');
        server.close(() => console.log('closed'));
      }, 20);
    });
    break;
  }
  case 'server-unref':
    createServer({}).listen(0, '127.0.0.1').unref();
    break;
  default:
    throw new Error(`No such case: ${what}`);
}

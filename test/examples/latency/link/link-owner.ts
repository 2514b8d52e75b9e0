/** A program that has a link and does nothing about its own end. It says its namespaces once it has it. */
import { Link, runInUserNamespace } from '../../../../examples/latency/link/index.js';
import { namespacesOf, PLAIN } from './support.js';

const [where] = process.argv.slice(2);
if (where === 'user-namespace' && process.env.LINK_OWNER_INSIDE === undefined) {
  process.env.LINK_OWNER_INSIDE = 'yes';
  process.exitCode = await runInUserNamespace();
} else {
  const link = await Link.open(PLAIN, { kind: 'tun', check: false });
  if (where === 'user-namespace') await link.measureRoundTrip();
  console.log(JSON.stringify(namespacesOf(link)));
  process.stdin.on('end', async () => {
    await link.close();
    process.exit(3);
  });
  process.stdin.resume();
}

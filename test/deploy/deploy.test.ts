import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parse, parseAllDocuments } from 'yaml';
import { planFrom } from '../../src/gateway/config/index.js';
import { AdminServer, Metrics, readinessOf } from '../../src/gateway/ops/index.js';
import type { GatewayPlan } from '../../src/gateway/plan.js';
import { stateOf } from '../gateway/ops/events.js';
import { requirePart } from '../servers/index.js';
import { makeCertificate } from '../support/certificates.js';

const root = new URL('../../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), 'utf8');

/** The parts of Kubernetes' objects that are looked at. */
interface Port {
  name: string;
  port: number;
  targetPort: string;
  containerPort: number;
  protocol: string;
}
interface Container {
  image: string;
  args: string[];
  ports: Port[];
  readinessProbe: { httpGet: { path: string; port: string } };
  livenessProbe: { httpGet: { path: string; port: string } };
  lifecycle: { preStop: { exec: { command: string[] } } };
  volumeMounts: { name: string; mountPath: string; subPath?: string }[];
}

describe('deploy', () => {
  let folder: string;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'turbotls-deploy-'));
    const { cert, key } = await makeCertificate({ names: ['web.example.com'] });
    writeFileSync(join(folder, 'tls.crt'), cert);
    writeFileSync(join(folder, 'tls.key'), key);
  });
  after(() => rmSync(folder, { recursive: true }));

  describe('kubernetes/gateway.yaml', () => {
    const objects = parseAllDocuments(read('deploy/kubernetes/gateway.yaml')).map((document) => {
      expect(document.errors).to.deep.equal([]);
      return document.toJS();
    });
    const [configMap, deployment, service] = objects;
    const pod = deployment.spec.template.spec;
    const container = pod.containers[0] as Container;

    const portNumber = (name: string) => container.ports.find((port) => port.name === name)?.containerPort;

    /** The folder of the Secret is one with a certificate and its key. */
    const plan = (): GatewayPlan => {
      const text = String(configMap.data['gateway.yaml']).replaceAll('/etc/turbotls/tls', folder);
      return planFrom(parse(text), folder);
    };

    it('has a ConfigMap, a Deployment and a Service, which belong together', () => {
      expect(objects.map(({ kind }) => kind)).to.deep.equal(['ConfigMap', 'Deployment', 'Service']);
      expect(deployment.spec.selector.matchLabels).to.deep.equal(deployment.spec.template.metadata.labels);
      expect(service.spec.selector).to.deep.equal(deployment.spec.template.metadata.labels);
      expect(pod.volumes.map(({ name }: { name: string }) => name)).to.have.members(
        container.volumeMounts.map(({ name }) => name),
      );
      expect(pod.volumes[0].configMap.name).to.equal(configMap.metadata.name);
    });

    it('has TCP and UDP on one port, up to where the gateway listens', () => {
      const [tcp, udp] = service.spec.ports as Port[];
      expect([tcp?.protocol, udp?.protocol]).to.deep.equal(['TCP', 'UDP']);
      expect(tcp?.port).to.equal(udp?.port);
      const listening = plan().listen.map(({ port }) => port);
      for (const { targetPort, protocol } of service.spec.ports as Port[]) {
        const port = container.ports.find(({ name }) => name === targetPort);
        expect(port).to.include({ protocol });
        expect(listening).to.deep.equal([port?.containerPort]);
      }
    });

    it('has a configuration that can be used, where the container looks for it', () => {
      const { routes } = plan();
      expect(routes.map(({ name, mode }) => `${name} ${mode.kind}`)).to.deep.equal([
        'orders passthrough',
        'web terminate',
      ]);
      const [config, tls] = container.volumeMounts;
      expect(container.args).to.deep.equal(['gateway', '--config', `${config?.mountPath}/gateway.yaml`]);
      expect(Object.keys(configMap.data)).to.deep.equal(['gateway.yaml']);
      expect(configMap.data['gateway.yaml'])
        .to.include(`${tls?.mountPath}/tls.crt`)
        .and.include(`${tls?.mountPath}/tls.key`);
      for (const { subPath } of container.volumeMounts) expect(subPath, 'it would never change').to.equal(undefined);
    });

    it('asks for pages that there are, where they are', async () => {
      const { admin } = plan();
      const server = new AdminServer({
        metrics: new Metrics(() => stateOf()),
        readiness: () => readinessOf(stateOf()),
      });
      const { port } = await server.listen({ host: '127.0.0.1', port: 0 });
      try {
        const { annotations } = deployment.spec.template.metadata;
        const paths = [
          container.readinessProbe.httpGet.path,
          container.livenessProbe.httpGet.path,
          annotations['prometheus.io/path'],
        ];
        for (const path of paths) expect((await fetch(`http://127.0.0.1:${port}${path}`)).status, path).to.equal(200);
        expect(Number(annotations['prometheus.io/port'])).to.equal(admin?.port);
      } finally {
        await server.close();
      }
      expect(admin?.host, 'the kubelet asks from outside the pod').to.equal('0.0.0.0');
      for (const probe of [container.readinessProbe, container.livenessProbe]) {
        expect(portNumber(probe.httpGet.port)).to.equal(admin?.port);
      }
    });

    it('is given the time to drain', () => {
      const command = container.lifecycle.preStop.exec.command.join(' ');
      const preStopMs = Number(command.match(/setTimeout\(.*, (\d+)\)/)?.[1]);
      expect(pod.terminationGracePeriodSeconds * 1000).to.be.above(preStopMs + plan().limits.drainTimeoutMs);
    });

    it('is the version of the package, and no more than it must be', () => {
      const { version } = JSON.parse(read('package.json')) as { version: string };
      expect(container.image).to.match(new RegExp(`:${version}$`));
      expect(pod.securityContext).to.include({ runAsNonRoot: true });
      expect((pod.containers[0] as { securityContext: object }).securityContext).to.deep.equal({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    });
  });

  describe('container/Containerfile', () => {
    const text = read('deploy/container/Containerfile');
    const instructions = text
      .split('\n')
      .filter((line) => /^[A-Z]+ /.test(line))
      .map((line) => ({ name: line.split(' ')[0], rest: line.slice(line.indexOf(' ') + 1) }));
    const last = (name: string) => instructions.findLast((each) => each.name === name)?.rest ?? '';

    it('copies what exists and starts what is built', () => {
      const copied = instructions
        .filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'))
        .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
      expect(copied).to.include.members(['package.json', 'package-lock.json', 'tsconfig.json', 'src', 'proto']);
      for (const path of copied) expect(existsSync(new URL(path, root)), path).to.equal(true);
      const [program, entry = ''] = JSON.parse(last('ENTRYPOINT')) as string[];
      expect(program).to.equal('node');
      const { pathname } = new URL(entry.replace('/opt/turbotls/', ''), root);
      expect(existsSync(pathname), pathname).to.equal(true);
    });

    it('has a Node that the package runs on, and a user that is not root', () => {
      const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
      expect(Number(last('ARG').match(/node:(\d+)/)?.[1])).to.be.at.least(Number(engines.node.match(/\d+/)?.[0]));
      expect(last('USER')).to.equal('1000:1000');
    });

    it('shows the ports that the Kubernetes manifest has', () => {
      const [, deployment] = parseAllDocuments(read('deploy/kubernetes/gateway.yaml')).map((document) =>
        document.toJS(),
      );
      const ports = (deployment.spec.template.spec.containers[0] as Container).ports;
      expect(last('EXPOSE').split(' ')).to.have.members(
        ports.map(({ containerPort, protocol }) => `${containerPort}/${protocol.toLowerCase()}`),
      );
      expect(deployment.spec.template.spec.securityContext.runAsUser).to.equal(Number(last('USER').split(':')[0]));
    });
  });

  describe('systemd/turbotls-gateway.service', () => {
    const unit = read('deploy/systemd/turbotls-gateway.service');
    const value = (key: string) => unit.match(new RegExp(`^${key}=(.*)$`, 'm'))?.[1] ?? '';

    it('is given the time and the descriptors that the defaults need', () => {
      const { limits } = planFrom({ listen: [':443'], routes: [{ name: 'a', backend: { targets: ['db:1'] } }] }, '/');
      expect(Number(value('TimeoutStopSec')) * 1000).to.be.above(limits.drainTimeoutMs);
      expect(Number(value('LimitNOFILE'))).to.be.above(2 * limits.connections + 100);
    });

    it('is one that systemd understands, and is confined', function () {
      requirePart(this, 'systemd-analyze');
      // It looks for the program.
      const path = join(folder, 'turbotls-gateway.service');
      writeFileSync(path, unit.replace('ExecStart=/usr/bin/turbotls', `ExecStart=${process.execPath}`));
      const analyze = (...options: string[]) =>
        execFileSync('systemd-analyze', [...options, path], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
      expect(analyze('verify', '--man=no')).to.equal('');
      expect(() => analyze('security', '--offline=true', '--no-pager', '--threshold=25')).to.not.throw();
    });
  });
});

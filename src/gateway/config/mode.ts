/** The sections `passthrough` and `terminate`. */
import type { CertificatePair } from '../ops/certificate-files.js';
import type { CertificateFiles, PassthroughMode, RouteMatch, TerminateMode } from '../plan.js';
import { authoritiesFrom, pairFrom } from './certificates.js';
import { DEFAULT_MIN_VERSION } from './defaults.js';
import type { Section } from './section.js';
import { orList } from './section.js';
import { alpnFrom, each } from './values.js';

const MIN_VERSIONS: readonly TerminateMode['minVersion'][] = ['TLSv1.2', 'TLSv1.3'];

export function modeFrom(route: Section, match: RouteMatch, baseDir: string): PassthroughMode | TerminateMode {
  return route.has('terminate') ? terminateFrom(route.section('terminate'), match, baseDir) : { kind: 'passthrough' };
}

function terminateFrom(terminate: Section, match: RouteMatch, baseDir: string): TerminateMode {
  const alpn = each(terminate.texts('alpn'), alpnFrom);
  reportAlpnAtOdds(terminate, alpn, match);
  return {
    kind: 'terminate',
    certificates: certificatesFrom(terminate, match, baseDir),
    clientCertificate: clientCertificateFrom(terminate.section('clientCertificate'), baseDir),
    alpn,
    minVersion: minVersionFrom(terminate),
  };
}

function reportAlpnAtOdds(terminate: Section, alpn: readonly string[], match: RouteMatch): void {
  if (alpn.length === 0 || match.alpn.length === 0 || alpn.some((name) => match.alpn.includes(name))) return;
  terminate.at('alpn').error('has nothing of match.alpn: every client of this route would be refused');
}

function certificatesFrom(terminate: Section, match: RouteMatch, baseDir: string): CertificateFiles[] {
  terminate.requireSome('certificates', 'is missing: who terminates TLS needs a certificate');
  const sections = terminate.sections('certificates');
  const read = sections.map((section) => pairFrom(section, { baseDir, usage: 'server' }));
  const pairs = read.map((each) => each?.pair).filter((pair) => pair !== undefined);
  if (pairs.length > 0 && pairs.length === read.length) warnOfNames(terminate, match, pairs);
  return read.filter((each) => each !== undefined).map(({ cert, key }) => ({ cert, key }));
}

/** A client asks for one of the route's names and is shown a certificate for others: it will go away. */
function warnOfNames(terminate: Section, { serverNames }: RouteMatch, pairs: readonly CertificatePair[]): void {
  for (const name of serverNames) {
    // Of a wildcard, any name below it stands for all.
    const example = name.startsWith('*.') ? `any${name.slice(1)}` : name;
    if (pairs.some(({ leaf }) => leaf.checkHost(example) !== undefined)) continue;
    terminate.at('certificates').warn(`none is for ${name}`);
  }
}

function clientCertificateFrom(section: Section, baseDir: string): TerminateMode['clientCertificate'] {
  const mode = section.choice('mode');
  const ca = authoritiesFrom(section, baseDir);
  if (mode === 'REQUEST' || mode === 'REQUIRE') {
    section.require('ca', `is missing: with mode ${mode} somebody must have signed them`);
    return { mode: mode === 'REQUEST' ? 'request' : 'require', ca: ca ?? '' };
  }
  if (section.has('ca')) section.at('ca').error('has no effect unless mode is REQUEST or REQUIRE');
  return { mode: 'none' };
}

function minVersionFrom(terminate: Section): TerminateMode['minVersion'] {
  const text = terminate.text('minVersion');
  const version = MIN_VERSIONS.find((each) => each === text);
  if (text !== undefined && version === undefined) {
    const versions = orList(MIN_VERSIONS.map((each) => `"${each}"`));
    terminate.at('minVersion').error(`must be ${versions}, not ${JSON.stringify(text)}`);
  }
  return version ?? DEFAULT_MIN_VERSION;
}

/** The sections `passthrough` and `terminate`. */
import type { X509Certificate } from 'node:crypto';
import type { CertificateFiles, PassthroughMode, RouteMatch, TerminateMode } from '../plan.js';
import { authoritiesFrom, type FileRules, pairFrom } from './certificates.js';
import { DEFAULT_MIN_VERSION } from './defaults.js';
import type { Section } from './section.js';
import { orList } from './section.js';
import { alpnFrom, each } from './values.js';

const MIN_VERSIONS: readonly TerminateMode['minVersion'][] = ['TLSv1.2', 'TLSv1.3'];

export function modeFrom(route: Section, match: RouteMatch, rules: FileRules): PassthroughMode | TerminateMode {
  return route.has('terminate') ? terminateFrom(route.section('terminate'), match, rules) : { kind: 'passthrough' };
}

function terminateFrom(terminate: Section, match: RouteMatch, rules: FileRules): TerminateMode {
  const alpn = each(terminate.texts('alpn'), alpnFrom);
  reportAlpnAtOdds(terminate, alpn, match);
  return {
    kind: 'terminate',
    certificates: certificatesFrom(terminate, match, rules),
    clientCertificate: clientCertificateFrom(terminate.section('clientCertificate'), rules),
    alpn,
    minVersion: minVersionFrom(terminate),
  };
}

function reportAlpnAtOdds(terminate: Section, alpn: readonly string[], match: RouteMatch): void {
  if (alpn.length === 0 || match.alpn.length === 0 || alpn.some((name) => match.alpn.includes(name))) return;
  terminate.at('alpn').error('has nothing of match.alpn: every client of this route would be refused');
}

function certificatesFrom(terminate: Section, match: RouteMatch, rules: FileRules): CertificateFiles[] {
  terminate.requireSome('certificates', 'is missing: who terminates TLS needs a certificate');
  const sections = terminate.sections('certificates');
  const read = sections.map((section) => pairFrom(section, rules, 'server'));
  const leaves = read.map((each) => each?.leaf).filter((leaf) => leaf !== undefined);
  if (leaves.length > 0 && leaves.length === read.length) warnOfNames(terminate, match, leaves);
  return read.filter((each) => each !== undefined).map(({ cert, key }) => ({ cert, key }));
}

/** A client asks for one of the route's names and is shown a certificate for others: it will go away. */
function warnOfNames(terminate: Section, { serverNames }: RouteMatch, leaves: readonly X509Certificate[]): void {
  for (const name of serverNames) {
    // Of a wildcard, any name below it stands for all.
    const example = name.startsWith('*.') ? `any${name.slice(1)}` : name;
    if (leaves.some((leaf) => leaf.checkHost(example) !== undefined)) continue;
    terminate.at('certificates').warn(`none is for ${name}`);
  }
}

function clientCertificateFrom(section: Section, rules: FileRules): TerminateMode['clientCertificate'] {
  const mode = section.choice('mode');
  const ca = authoritiesFrom(section, rules);
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

/** The ssl* parameters: paths, not read yet, and versions. */
import type { Keyword } from './parameters.js';
import type { Settings } from './settings.js';
import type { Surroundings } from './surroundings.js';
import { type PgTlsSettings, TLS_VERSIONS, type TlsFile, type TlsVersion } from './target.js';
import { badValue, flag, oneOf } from './values.js';

export function tlsSettingsFrom(settings: Settings, surroundings: Surroundings): PgTlsSettings {
  const file = (keyword: Keyword, name: string): TlsFile => {
    const path = settings.text(keyword);
    return path === undefined ? { path: surroundings.tlsFile(name), origin: 'default' } : { path, origin: 'given' };
  };
  const sendsCertificate = certificateMode(settings) !== 'disable';
  const sslcrldir = settings.text('sslcrldir');
  return {
    sslrootcert: settings.text('sslrootcert') === 'system' ? 'system' : file('sslrootcert', 'root.crt'),
    sslcert: sendsCertificate ? file('sslcert', 'postgresql.crt') : undefined,
    sslkey: sendsCertificate ? file('sslkey', 'postgresql.key') : undefined,
    sslpassword: settings.text('sslpassword'),
    // The default file only where no directory is given.
    sslcrl: settings.text('sslcrl') === undefined && sslcrldir !== undefined ? undefined : file('sslcrl', 'root.crl'),
    sslcrldir,
    sslsni: flag(settings, 'sslsni') ?? true,
    ...versionsFrom(settings),
  };
}

function certificateMode(settings: Settings): 'disable' | 'allow' {
  const mode = oneOf(settings, 'sslcertmode', ['disable', 'allow', 'require']) ?? 'allow';
  if (mode !== 'require') return mode;
  throw badValue(settings, 'sslcertmode', 'disable or allow: Node does not tell whether a server asked for one');
}

function versionsFrom(settings: Settings): Pick<PgTlsSettings, 'minVersion' | 'maxVersion'> {
  const minVersion = versionFrom(settings, 'ssl_min_protocol_version');
  const maxVersion = versionFrom(settings, 'ssl_max_protocol_version');
  // libpq's default counts, so that a lower maximum alone is refused.
  const lowest = TLS_VERSIONS.indexOf(minVersion ?? (settings.has('ssl_min_protocol_version') ? 'TLSv1' : 'TLSv1.2'));
  if (maxVersion !== undefined && TLS_VERSIONS.indexOf(maxVersion) < lowest) {
    throw badValue(settings, 'ssl_max_protocol_version', 'at least ssl_min_protocol_version, by default TLSv1.2');
  }
  return { minVersion, maxVersion };
}

/** Upper and lower case are one, as in libpq. Empty: no bound. */
function versionFrom(settings: Settings, keyword: Keyword): TlsVersion | undefined {
  const text = settings.text(keyword);
  if (text === undefined) return undefined;
  const version = TLS_VERSIONS.find((one) => one.toLowerCase() === text.toLowerCase());
  if (version === undefined) throw badValue(settings, keyword, `one of ${TLS_VERSIONS.join(', ')}`);
  return version;
}

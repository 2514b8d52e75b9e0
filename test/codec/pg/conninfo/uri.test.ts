import { expect } from 'chai';
import { isUri, parseUri } from '../../../../src/codec/pg/conninfo/uri.js';
import { dump, refusal } from './support.js';

describe('codec/pg/conninfo/uri', () => {
  /** libpq's documentation ("Connection URIs") and its own tests (t/001_uri.pl): URI and what comes of it. */
  const READ: [string, Record<string, string>][] = [
    ['postgresql://', {}],
    ['postgres://', {}],
    ['postgresql://localhost', { host: 'localhost' }],
    ['postgresql://localhost:5433', { host: 'localhost', port: '5433' }],
    ['postgresql://localhost/mydb', { host: 'localhost', dbname: 'mydb' }],
    ['postgresql://user@localhost', { user: 'user', host: 'localhost' }],
    ['postgresql://user:secret@localhost', { user: 'user', password: 'secret', host: 'localhost' }],
    [
      'postgresql://other@localhost/otherdb?connect_timeout=10&application_name=myapp',
      { user: 'other', host: 'localhost', dbname: 'otherdb', connect_timeout: '10', application_name: 'myapp' },
    ],
    [
      'postgresql://host1:123,host2:456/somedb?target_session_attrs=any&application_name=myapp',
      {
        host: 'host1,host2',
        port: '123,456',
        dbname: 'somedb',
        target_session_attrs: 'any',
        application_name: 'myapp',
      },
    ],
    [
      'postgresql://user@localhost:5433/mydb?options=-c%20synchronous_commit%3Doff',
      { user: 'user', host: 'localhost', port: '5433', dbname: 'mydb', options: '-c synchronous_commit=off' },
    ],
    ['postgresql:///mydb?host=localhost&port=5433', { dbname: 'mydb', host: 'localhost', port: '5433' }],
    ['postgresql://[2001:db8::1234]/database', { host: '2001:db8::1234', dbname: 'database' }],
    ['postgresql:///dbname?host=/var/lib/postgresql', { dbname: 'dbname', host: '/var/lib/postgresql' }],
    ['postgresql://%2Fvar%2Flib%2Fpostgresql/dbname', { dbname: 'dbname', host: '/var/lib/postgresql' }],
    ['postgresql://uri-user:secret@host:12345/db', parts('uri-user', 'secret', 'host', '12345', 'db')],
    ['postgresql://%75ri-user@host:12345/', { user: 'uri-user', host: 'host', port: '12345' }],
    ['postgresql://uri-user@host/db?', { user: 'uri-user', host: 'host', dbname: 'db' }],
    ['postgresql://host?', { host: 'host' }],
    ['postgresql://?host=myotherhost', { host: 'myotherhost' }],
    ['postgresql://host?host=myotherhost', { host: 'myotherhost' }],
    ['postgresql:///db?host=/path/to/socket/dir', { dbname: 'db', host: '/path/to/socket/dir' }],
    ['postgresql://%2Fpath%2Fto%2Fsocket/db', { host: '/path/to/socket', dbname: 'db' }],
    ['postgres://[::1]:5433/db', { host: '::1', port: '5433', dbname: 'db' }],
    ['postgres://[2001:db8::1234]:1,[::1]:2', { host: '2001:db8::1234,::1', port: '1,2' }],
    ['postgres://host1,host2/db', { host: 'host1,host2', port: ',', dbname: 'db' }],
    ['postgres://host1:1,host2', { host: 'host1,host2', port: '1,' }],
    ['postgres://@host', { host: 'host' }],
    ['postgres://:@host/', { host: 'host' }],
    ['postgres://user:@host', { user: 'user', host: 'host' }],
    ['postgres://user:p:w?#@host', { user: 'user', password: 'p:w?#', host: 'host' }],
    ['postgres://u:p%40%2F%3A%25w@h', { user: 'u', password: 'p@/:%w', host: 'h' }],
    ['postgres://h/d%C3%A9', { host: 'h', dbname: 'dé' }],
    ['postgres://host/db#fragment', { host: 'host', dbname: 'db#fragment' }],
    ['postgres:// host / db ', { host: 'host', dbname: 'db' }],
    ['postgres://h?ssl=true', { host: 'h', sslmode: 'require' }],
    ['postgres://h?requiressl=1', { host: 'h', sslmode: 'require' }],
    ['postgres://h?requiressl=0', { host: 'h', sslmode: 'prefer' }],
    ['postgres://h?ssl%6dode=disable', { host: 'h', sslmode: 'disable' }],
    ['postgres://h?sslmode=disable&sslmode=require&', { host: 'h', sslmode: 'require' }],
    ['postgres://h?application_name=', { host: 'h', application_name: '' }],
    ['postgres://h:/', { host: 'h' }],
    ['postgres://h:%35432', { host: 'h', port: '5432' }],
    ['postgres://[fe80::1%25eth0]/', { host: 'fe80::1%eth0' }],
  ];
  for (const [uri, expected] of READ) {
    it(`reads ${uri}`, () => {
      expect(isUri(uri)).to.equal(true);
      expect(dump(parseUri(uri))).to.deep.equal(expected);
    });
  }

  const REFUSED: [string, RegExp][] = [
    ['postgresql://host/db?u%7aer=a', /unknown parameter "uzer".*did you mean "user"/],
    ['postgresql://host?zzz=1', /unknown parameter "zzz" in the connection URI$/],
    ['postgresql://host?ssl=false', /unknown parameter "ssl".*did you mean "sslmode"/],
    ['postgresql://host?application_name', /no "="/],
    ['postgresql://host?application_name=a=b', /second "="/],
    ['postgresql://host?&', /no "="/],
    ['postgresql://host?a=1&&b=2', /./],
    ['postgresql://[::1', /"\]" of an IPv6 address is missing/],
    ['postgresql://[]', /no IPv6 address/],
    ['postgresql://[::1]x', /"\]" must end the host/],
    ['postgresql://%', /"%" without two/],
    ['postgresql://host/%1', /database name has a "%" without two/],
    ['postgresql://host/%zz', /database name has a "%" without two/],
    ['postgresql://host/%00', /zero byte/],
    ['postgresql://host/%ff', /not UTF-8/],
    ['postgresql://a b/', /space in the host/],
    ['postgresql://host?sslmode=a b', /space in the sslmode/],
    ['postgresql://u:se@cret@host/', /second "@".*%40/],
    ['postgresql://u:se/cret@host/', /port is not a number.*%2F/],
    ['postgresql://host:abc', /port is not a number/],
  ];
  for (const [uri, expected] of REFUSED) {
    it(`refuses ${uri}`, () => {
      expect(refusal(() => parseUri(uri))).to.match(expected);
    });
  }

  it('takes nothing else for a URI', () => {
    for (const text of ['', 'host=a', 'postgres:/', 'postgresq://', 'Postgres://h', ' postgres://h', 'http://h']) {
      expect(isUri(text), text).to.equal(false);
    }
  });
});

function parts(user: string, password: string, host: string, port: string, dbname: string): Record<string, string> {
  return { user, password, host, port, dbname };
}

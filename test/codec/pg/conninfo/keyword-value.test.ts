import { expect } from 'chai';
import { parseKeywordValue } from '../../../../src/codec/pg/conninfo/keyword-value.js';
import { dump, refusal } from './support.js';

describe('codec/pg/conninfo/keyword-value', () => {
  /** libpq's documentation ("Keyword/Value Connection Strings") and what libpq 18 makes of the rest. */
  const READ: [string, Record<string, string>][] = [
    ['', {}],
    [' \t\n ', {}],
    [
      'host=localhost port=5432 dbname=mydb connect_timeout=10',
      { host: 'localhost', port: '5432', dbname: 'mydb', connect_timeout: '10' },
    ],
    ['host = localhost  port\t=\n5432', { host: 'localhost', port: '5432' }],
    ["password='two words'", { password: 'two words' }],
    ["password = 'it\\'s \\\\ here' user=u", { password: "it's \\ here", user: 'u' }],
    ["password=''", { password: '' }],
    ["dbname='a'host=b", { dbname: 'a', host: 'b' }],
    ['dbname=a\\ b', { dbname: 'a b' }],
    ["dbname=it\\'s", { dbname: "it's" }],
    ["dbname=a'b'", { dbname: "a'b'" }],
    ['dbname=a=b', { dbname: 'a=b' }],
    ['dbname=ends\\', { dbname: 'ends' }],
    ['dbname= user=x', { dbname: 'user=x' }],
    ['dbname=', { dbname: '' }],
    ['user=a user=b', { user: 'b' }],
    ['requiressl=1', { sslmode: 'require' }],
    ['requiressl=0', { sslmode: 'prefer' }],
  ];
  for (const [text, expected] of READ) {
    it(`reads ${JSON.stringify(text)}`, () => {
      expect(dump(parseKeywordValue(text))).to.deep.equal(expected);
    });
  }

  const REFUSED: [string, RegExp][] = [
    ['mydb', /"=" is missing.*after "mydb"/],
    ['host=a mydb', /"=" is missing.*after "mydb"/],
    ['host a', /"=" is missing.*after "host"/],
    ["dbname='a", /does not end/],
    ["dbname='a\\'", /does not end/],
    ['sslmod=require', /unknown parameter "sslmod".*did you mean "sslmode"/],
    ['database=a', /did you mean "dbname"/],
    ['HOST=a', /unknown parameter "HOST".*did you mean "host"/],
    ['=a', /unknown parameter ""/],
    ['dbname=a\0b', /zero byte/],
    ['requirepeer=postgres', /requirepeer .* is not supported/],
  ];
  for (const [text, expected] of REFUSED) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      expect(refusal(() => parseKeywordValue(text))).to.match(expected);
    });
  }

  it('repeats nothing that may be the rest of a password without quotes', () => {
    for (const text of ['password=correct horse', 'password=correct horse=1', 'password=correct horse battery=x']) {
      const message = refusal(() => parseKeywordValue(text));
      expect(message, text).to.match(/quote a password with spaces/);
      expect(message, text).not.to.match(/correct|horse|battery/);
    }
  });
});

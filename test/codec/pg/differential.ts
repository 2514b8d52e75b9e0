/**
 * Queries that reach every type that PostgreSQL has built in, with their edge values, alone, in arrays and as parameters:
 * two clients that run them in this order, each on one connection of its own to the same server, get the same rows.
 * They ask for nothing that changes between two runs. For PostgreSQL 15 and later.
 *
 * Left out are the few values of which node-postgres loses what they were (src/codec/pg/types/registry.ts tells them).
 */
export interface DifferentialQuery {
  /** Unique. */
  name: string;
  /** One statement. */
  sql: string;
  /** Goes by the extended protocol where there are any. */
  params?: readonly unknown[];
}

/** Built-in types that a column can have: `oid`, `name`. The queries have a column of each, but for `withoutValues`. */
export const builtInTypesSql = `SELECT oid::int4 AS oid, typname AS name FROM pg_type
  WHERE typnamespace = 'pg_catalog'::regnamespace AND (typtype IN ('b', 'r', 'm') OR typname IN ('record', '_record', 'void'))
    AND (typrelid = 0 AND typelem NOT IN (SELECT oid FROM pg_type WHERE typrelid <> 0))
  ORDER BY oid`;

const DOUBLES = [
  '0',
  '-0',
  '1',
  '-1.5',
  '0.1',
  '1.7976931348623157e308',
  '5e-324',
  '1e21',
  '1e-7',
  'NaN',
  'Infinity',
  '-Infinity',
];
const CLOCKS = ['00:00:00', '23:59:59.999999', '24:00:00', '12:34:56.7', '04:05:06.000001'];
const TEXTS = [
  '',
  ' ',
  'a',
  'NULL',
  'null',
  'a b',
  '{}',
  '{a,b}',
  '"',
  "'",
  '\\',
  '\\"',
  ',',
  ';',
  '\n\t',
  'é\u{1f418}',
  '(1,2)',
  '\\x00',
  '\\N',
];
const JSONS = [
  'null',
  'true',
  '0',
  '-1.5e3',
  '123456789012345678901234567890',
  '""',
  '"a\\"\\\\\\u00e9\\n"',
  '[]',
  '{}',
  '[1,[2,{"a":null}]]',
  '{"a":{"b":[1,2]},"é":"\u{1f418}"}',
];
const DATES = [
  '2024-02-29',
  '1970-01-01',
  '1969-12-31',
  '0001-01-01',
  '0099-12-31',
  '0100-01-01',
  '1582-10-15',
  '9999-12-31',
  '10000-01-01',
  '275760-09-12',
];
const BC_DATES = ['0001-12-31 BC', '0044-03-15 BC', '4713-01-01 BC'];
const STAMPS = [
  ...DATES,
  '2024-02-29 12:34:56',
  '2024-02-29 12:34:56.789',
  '1999-12-31 23:59:59.999999',
  '2024-03-31 02:30:00',
  '1883-11-18 12:00:00',
  '2024-02-29 00:00:00.1',
  '2024-02-29 00:00:00.0005',
];
const INFINITIES = ['infinity', '-infinity'];

/** Values by type, in the text that the type's input function takes. */
const values: Readonly<Record<string, readonly string[]>> = {
  bool: ['true', 'false'],
  bytea: ['', '\\x00', '\\xdeadbeef', 'abc', '\\\\', '\\x5c227b7d2c'],
  '"char"': ['a', '"', '\\', ' ', '{'],
  name: ['pg_class', 'A b', 'NULL', '"'],
  int8: ['0', '-1', '9223372036854775807', '-9223372036854775808', '9007199254740993'],
  int2: ['0', '-1', '32767', '-32768'],
  int2vector: ['', '1', '1 2 -3'],
  int4: ['0', '-1', '2147483647', '-2147483648'],
  regproc: ['now', '-', 'pg_backend_pid'],
  text: TEXTS,
  oid: ['0', '1', '4294967295'],
  tid: ['(0,1)', '(4294967295,65535)'],
  xid: ['0', '4294967295'],
  cid: ['0', '4294967295'],
  oidvector: ['', '1', '1 4294967295'],
  json: [...JSONS, ' {"a" : 1, "a":2}', '"\\u0000"'],
  xml: ['', '<a b="c">d &amp; e</a>', 'text, "quoted"'],
  xid8: ['0', '18446744073709551615'],
  point: ['(0,0)', '(1.5,-2)', '(-0,1e-7)', '(NaN,Infinity)', '(1e300,-Infinity)'],
  lseg: ['[(0,0),(1.5,-2)]'],
  path: ['[(0,0),(1,1)]', '((0,0),(1,1),(2,0))'],
  box: ['(3,4),(1,2)', '(0,0),(0,0)'],
  polygon: ['((0,0),(1,1),(2,0))'],
  line: ['{1,2,3}', '{0,-1,0.5}'],
  circle: ['<(0,0),0>', '<(1.5,-2),1e20>', '<(NaN,-Infinity),Infinity>'],
  float4: ['0', '-0', '1.5', '0.1', '3.4028235e38', '1e-45', 'NaN', 'Infinity', '-Infinity'],
  float8: DOUBLES,
  money: ['0', '1234.56', '-0.01', '92233720368547758.07'],
  macaddr: ['08:00:2b:01:02:03'],
  macaddr8: ['08:00:2b:01:02:03:04:05'],
  inet: ['127.0.0.1', '10.1.2.3/8', '::1', '2001:db8::1/64', '::ffff:1.2.3.4'],
  cidr: ['10.0.0.0/8', '0.0.0.0/0', '2001:db8::/32'],
  aclitem: ['=r/postgres', 'postgres=arwd/postgres'],
  bpchar: ['', 'a  ', 'NULL'],
  varchar: TEXTS,
  date: [...DATES, ...BC_DATES, '5874897-12-31', ...INFINITIES],
  time: CLOCKS,
  timestamp: [...STAMPS, ...BC_DATES, '294276-12-31 23:59:59.999999', ...INFINITIES],
  timestamptz: [
    ...STAMPS,
    '2024-02-29 12:34:56+05:45',
    '1800-01-01 00:00:00',
    ...BC_DATES,
    '294276-12-31 23:59:59+00',
    ...INFINITIES,
  ],
  interval: [
    '0',
    '1 year',
    '-1 year',
    '1 month 1 day',
    '1 year 2 months -3 days 04:05:06.789',
    '-00:00:00.000001',
    '-1 year +2 days -03:00',
    '1.5 seconds',
    '178000000 years',
    '2562047788:00:54.775807',
    '100 hours',
    '1 microsecond',
  ],
  timetz: CLOCKS.flatMap((clock) => [`${clock}+00`, `${clock}-03:30`]),
  bit: ['1', '0'],
  'bit(5)': ['10101'],
  varbit: ['', '1', '10101'],
  numeric: [
    '0',
    '-0.10',
    '12345678901234567890.123456789',
    '1e-20',
    '1e30',
    'NaN',
    'Infinity',
    '-Infinity',
    '0.000',
    '123.4500',
  ],
  refcursor: ['c', ''],
  regprocedure: ['now()', '-', 'lower(text)'],
  regoper: ['||/', '0'],
  regoperator: ['+(integer,integer)', '0'],
  regclass: ['pg_class', '-', 'pg_catalog.pg_type'],
  regcollation: ['"C"', '-'],
  regtype: ['integer', 'timestamp with time zone', 'int4[]', '-'],
  regrole: ['postgres', '-'],
  regnamespace: ['pg_catalog', '-'],
  uuid: ['00000000-0000-0000-0000-000000000000', 'A0EEBC99-9c0b-4ef8-bb6d-6bb9bd380a11'],
  pg_lsn: ['0/0', '16/B374D848', 'FFFFFFFF/FFFFFFFF'],
  tsvector: ['', "a 'b c':2A,3", "'it''s' '\\\\'"],
  tsquery: ['', "a & 'b c' | !d:*A", 'a <-> b'],
  regconfig: ['english', 'simple'],
  regdictionary: ['simple'],
  jsonb: JSONS,
  jsonpath: ['$', '$."a"[*] ? (@ > 1)', 'strict $.a'],
  txid_snapshot: ['1:1:', '10:20:10,14,15'],
  pg_snapshot: ['1:1:', '10:20:10,14,15'],
  int4range: ['empty', '[1,5)', '(,)', '[1,]', '(,5)'],
  int8range: ['empty', '[1,9223372036854775806)'],
  numrange: ['empty', '[1.50,2.5]', '(,)'],
  tsrange: ['empty', '["2024-01-01 00:00:00","2024-01-02 12:34:56.789")', '[,infinity]'],
  tstzrange: ['empty', '["2024-01-01 00:00:00+00",)'],
  daterange: ['empty', '[2024-01-01,2024-02-01)', '[2024-01-01,infinity]'],
  int4multirange: ['{}', '{[1,5),[7,)}'],
  int8multirange: ['{}', '{[1,5)}'],
  nummultirange: ['{}', '{[1.5,2.5],(5,)}'],
  tsmultirange: ['{}', '{["2024-01-01 00:00:00","2024-01-02 00:00:00")}'],
  tstzmultirange: ['{}', '{["2024-01-01 00:00:00+00",)}'],
  datemultirange: ['{}', '{[2024-01-01,2024-02-01),[2024-03-01,)}'],
};

/** Types whose input function takes nothing: a column of them is NULL here, or comes from a catalog. */
export const withoutValues = ['gtsvector', 'pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary'];

/** Types of the session, for the values of which the OIDs differ from session to session. */
const fixtures: DifferentialQuery[] = [
  { name: 'create an enum', sql: `CREATE TYPE pg_temp.mood AS ENUM ('sad', 'ok', 'very "happy"')` },
  { name: 'create a domain', sql: 'CREATE DOMAIN pg_temp.positive AS int4 CHECK (VALUE > 0)' },
  { name: 'create a composite', sql: 'CREATE TYPE pg_temp.pair AS (a int4, b text)' },
  {
    name: 'create a table',
    sql: 'CREATE TEMP TABLE things (id int4 PRIMARY KEY, a int4, b int4, c jsonb DEFAULT \'{"d": 1}\')',
  },
  {
    name: 'insert rows',
    sql: 'INSERT INTO things (id, a, b) SELECT i, i % 10, i % 5 FROM generate_series(1, 100) AS i RETURNING id, a',
  },
  { name: 'update rows', sql: 'UPDATE things SET c = NULL WHERE id > 98 RETURNING *' },
  { name: 'update nothing', sql: 'UPDATE things SET a = 0 WHERE false' },
  { name: 'delete rows', sql: 'DELETE FROM things WHERE id > 99' },
  {
    name: 'create statistics',
    sql: 'CREATE STATISTICS pg_temp.of_things (ndistinct, dependencies, mcv) ON a, b FROM things',
  },
  { name: 'analyze', sql: 'ANALYZE things' },
];

const catalogs: DifferentialQuery[] = [
  {
    name: 'pg_node_tree',
    sql: `SELECT proargdefaults AS v FROM pg_proc WHERE proargdefaults IS NOT NULL ORDER BY oid LIMIT 3`,
  },
  {
    name: 'statistics',
    sql: `SELECT stxdndistinct, stxddependencies, stxdmcv FROM pg_statistic_ext_data JOIN pg_statistic_ext ON oid = stxoid
      WHERE stxname = 'of_things' AND stxnamespace = pg_my_temp_schema()`,
  },
  { name: 'pg_type', sql: 'SELECT * FROM pg_type ORDER BY oid' },
  { name: 'pg_proc', sql: 'SELECT * FROM pg_proc ORDER BY oid LIMIT 500' },
  { name: 'information_schema', sql: 'SELECT * FROM information_schema.columns ORDER BY 1, 2, 3, 4 LIMIT 200' },
  { name: 'row types of catalogs', sql: 'SELECT t AS v, ARRAY[t] AS list FROM pg_type AS t ORDER BY oid LIMIT 20' },
  { name: 'a table', sql: 'SELECT * FROM things ORDER BY id' },
];

const shapes: DifferentialQuery[] = [
  { name: 'no rows', sql: 'SELECT 1 AS a WHERE false' },
  { name: 'no columns', sql: 'SELECT' },
  { name: 'no columns, many rows', sql: 'SELECT FROM generate_series(1, 3)' },
  { name: 'an empty query', sql: '' },
  { name: 'a column without a name', sql: "SELECT 1, now() = now(), 'a'" },
  { name: 'names that need quotes', sql: 'SELECT 1 AS "a b", 2 AS """", 3 AS "é\u{1f418}", 4 AS "constructor"' },
  { name: 'a name twice', sql: "SELECT 1 AS a, 'x' AS b, 2 AS a" },
  { name: 'a text of a mebibyte', sql: "SELECT repeat('é€', 262144) AS v" },
  { name: 'bytes of a mebibyte', sql: "SELECT decode(repeat('00ff', 524288), 'hex') AS v" },
  {
    name: 'an array of 10,000',
    sql: 'SELECT array_agg(i) AS v, array_agg(i::text) AS t FROM generate_series(1, 10000) AS i',
  },
  { name: 'many rows', sql: 'SELECT i, i::text AS t, NULL AS n FROM generate_series(1, 5000) AS i' },
  { name: 'many columns', sql: `SELECT ${Array.from({ length: 1000 }, (_, i) => `${i} AS c${i}`).join(', ')}` },
  { name: 'six dimensions', sql: "SELECT '{{{{{{1,2}}}}}}'::int4[] AS v, '{{{{{{a,NULL}}}}}}'::text[] AS t" },
  { name: 'void', sql: 'SELECT pg_sleep(0) AS v' },
  { name: 'record', sql: `SELECT ROW(1, 'a "b"', NULL, ARRAY[1,2]) AS v, ROW() AS e, ARRAY[ROW(1, 'x')] AS list` },
  { name: 'unknown and NULL', sql: "SELECT NULL AS n, 'a' AS u, ARRAY[NULL, 'a'] AS list" },
  { name: 'cstring[]', sql: 'SELECT \'{a,"b c",NULL}\'::cstring[] AS v' },
  {
    name: 'numeric with a scale',
    sql: 'SELECT 1::numeric(10,2) AS v, 1.005::numeric(10,2) AS r, 7::numeric(3,-2) AS z',
  },
  {
    name: 'padded and cut text',
    sql: "SELECT 'ab'::char(5) AS c, 'abc'::varchar(2) AS v, ARRAY['a'::char(3)] AS list",
  },
  { name: 'fractions cut', sql: "SELECT '2024-02-29 12:34:56.789'::timestamp(1) AS t, '1.9999999'::interval(3) AS i" },
  { name: 'enum', sql: `SELECT v::pg_temp.mood AS v FROM (VALUES ('sad'), ('very "happy"'), (NULL)) AS s (v)` },
  { name: 'enum[]', sql: `SELECT ARRAY['sad', 'very "happy"', NULL]::pg_temp.mood[] AS v` },
  { name: 'domain', sql: 'SELECT 1::pg_temp.positive AS v, ARRAY[1, 2]::pg_temp.positive[] AS list' },
  { name: 'composite', sql: `SELECT (1, 'a"b')::pg_temp.pair AS v, ARRAY[(1, NULL)::pg_temp.pair] AS list` },
  {
    name: 'types without values',
    sql: `SELECT ${withoutValues.map((type) => `NULL::${type} AS ${type}`).join(', ')}, NULL::gtsvector[] AS list`,
  },
];

/** Settings that change how values are written. */
const styles: DifferentialQuery[] = [
  ...styled('bytea_output', 'escape', ['bytea', 'bytea[]']),
  ...styled('extra_float_digits', '-3', ['float8', 'float4']),
  ...['Asia/Kathmandu', 'America/St_Johns', 'Europe/Amsterdam', 'Pacific/Apia', 'Africa/Monrovia', '-04:30'].flatMap(
    (zone) => styled('TimeZone', zone, ['timestamptz', 'timestamptz[]', 'timestamp', 'timetz']),
  ),
];

const scalars = Object.keys(values).map(scalar);
const arrays = Object.keys(values).map(array);
const parameters = parameterQueries();

export const differentialQueries: readonly DifferentialQuery[] = [
  ...fixtures,
  ...scalars,
  ...arrays,
  ...catalogs,
  ...shapes,
  ...styles,
  ...parameters,
];

/** Rows of each value, and NULL. */
function scalar(type: string): DifferentialQuery {
  const rows = [...literals(type), `NULL::${type}`].map((literal) => `(${literal})`);
  return { name: type, sql: `SELECT v FROM (VALUES ${rows.join(', ')}) AS s (v)` };
}

/** Arrays of the values: flat, nested, empty, NULL, with lower bounds. */
function array(type: string): DifferentialQuery {
  const flat = `ARRAY[${[...literals(type), 'NULL'].join(', ')}]::${type}[]`;
  const [first] = literals(type);
  const columns = {
    flat,
    // Not ARRAY[…, …] of the values: of vectors that would make one more dimension.
    nested: `array_cat(ARRAY[x], ARRAY[x])`,
    bounds: `array_fill(${first}, ARRAY[2, 1], ARRAY[3, -1])`,
    empty: `'{}'::${type}[]`,
    missing: `NULL::${type}[]`,
    only_null: `'{NULL}'::${type}[]`,
  };
  const list = Object.entries(columns).map(([name, sql]) => `${sql} AS ${name}`);
  return { name: `${type}[]`, sql: `SELECT ${list.join(', ')} FROM (SELECT ${flat} AS x) AS s` };
}

function literals(type: string): string[] {
  return (values[type] ?? []).map((value) => `'${value.replaceAll("'", "''")}'::${type}`);
}

function styled(setting: string, value: string, types: readonly string[]): DifferentialQuery[] {
  const queries = types.map((type) => {
    const { name, sql } = type.endsWith('[]') ? array(type.slice(0, -2)) : scalar(type);
    return { name: `${name}, ${setting} ${value}`, sql };
  });
  return [
    { name: `set ${setting} ${value}`, sql: `SET ${setting} = '${value}'` },
    ...queries,
    { name: `reset ${setting} ${value}`, sql: `RESET ${setting}` },
  ];
}

function parameterQueries(): DifferentialQuery[] {
  const bytes = Buffer.from([0, 1, 0x22, 0x5c, 0xff]);
  const date = new Date('2024-02-29T12:34:56.789Z');
  const own = { toPostgres: (encode: (value: unknown) => unknown) => encode([1, null, 3]) };
  const cases: [type: string, values: readonly unknown[]][] = [
    ['text', [...TEXTS, 1, -0, 1.5, true, 10n, Number.NaN, null, undefined, date, { a: 1 }, [1, 'a"b\\', null]]],
    ['text[]', [[], TEXTS, [TEXTS, TEXTS], [null], [1, true, 2n, null], [[['a']]], [{ a: '"' }], '{a,b}']],
    ['bool', [true, false, 't', 'off', 1, null]],
    ['bool[]', [[true, false, null]]],
    ['int4', [0, -1, 2_147_483_647, '7', 7n, null]],
    [
      'int4[]',
      [
        [],
        [1, -2, null],
        [
          [1, 2],
          [3, 4],
        ],
        own,
      ],
    ],
    ['int8', [9_223_372_036_854_775_807n, Number.MAX_SAFE_INTEGER, '-9223372036854775808']],
    ['int8[]', [[1n, 2, '3', null]]],
    ['float8', [0.1, -0, 1e308, 5e-324, Number.NaN, Infinity, -Infinity]],
    ['float8[]', [[0.1, Number.NaN, -Infinity]]],
    ['numeric', ['0.10', 1e21, 10n ** 30n, Number.NaN]],
    ['bytea', [bytes, Buffer.alloc(0), new Uint8Array(bytes), new DataView(new ArrayBuffer(3)), '\\xff', null]],
    [
      'bytea[]',
      [
        [bytes, new Uint8Array(bytes), null, Buffer.alloc(0)],
        [[bytes], [bytes]],
      ],
    ],
    [
      'timestamptz',
      [
        date,
        new Date(0),
        new Date('0001-01-01T00:00:00Z'),
        new Date('-000043-03-15T00:00:00Z'),
        new Date('+012345-01-01T00:00:00Z'),
        'infinity',
        Infinity,
      ],
    ],
    ['timestamptz[]', [[date, null, new Date(-1)]]],
    ['timestamp', [date, '2024-02-29 12:34:56']],
    ['date', [date, new Date('-000043-03-15T12:00:00Z')]],
    ['interval', ['1 day 00:00:01', { toPostgres: () => '1.5 seconds 2 days' }]],
    ['json', [{ a: [1, null, 'é"'] }, 'null', '[1]', { toJSON: () => 'x' }, true, 1, new Map()]],
    ['jsonb', [{ a: [1, null, 'é"'] }, JSON.stringify([1, 2]), null]],
    ['jsonb[]', [[{ a: 1 }, { b: '"\\' }, null, '"x"', 1, true]]],
    ['point', ['(1,2)', { toPostgres: () => '(1,2)' }]],
    ['point[]', [['(1,2)', null, { toPostgres: () => '(3,4)' }]]],
    ['uuid', ['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', null]],
    ['uuid[]', [['a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', null]]],
    ['int4range', ['[1,5)', 'empty']],
    ['inet', ['10.0.0.1/8']],
    ['xml', ['<a/>']],
    ['varchar(3)', ['abcdef']],
  ];
  const queries = cases.flatMap(([type, list]) =>
    list.map((value, index) => ({
      name: `parameter ${index} as ${type}`,
      sql: `SELECT $1::${type} AS v`,
      params: [value],
    })),
  );
  return [
    ...queries,
    {
      name: 'parameters of several types',
      sql: 'SELECT $1::int4 + $2 AS a, $3::text || $4 AS b',
      params: [1, 2, 'x', 'y'],
    },
    { name: 'a parameter twice', sql: 'SELECT $1::text AS a, $1::text AS b, $2::int4 AS c', params: ['x', null] },
    { name: 'any of a list', sql: 'SELECT id FROM things WHERE id = ANY($1) ORDER BY id', params: [[1, 3, 98]] },
    {
      name: 'insert by parameters',
      sql: 'INSERT INTO things VALUES ($1, $2, $3, $4) RETURNING *',
      params: [1000, null, 1, { d: [2] }],
    },
    { name: 'no parameter is needed', sql: 'SELECT 1 AS a', params: [] },
    {
      name: 'a thousand parameters',
      sql: `SELECT ARRAY[${Array.from({ length: 1000 }, (_, i) => `$${i + 1}::int4`).join(',')}] AS v`,
      params: Array.from({ length: 1000 }, (_, i) => i),
    },
  ];
}

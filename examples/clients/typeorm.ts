/**
 * TypeORM over TurboTLS, by its `extra`:
 *
 *   node dist/examples/clients/typeorm.js --url postgres://me@db.example/app --ca ca.pem
 */
import { pgStream } from 'turbotls/experimental';
import { DataSource, EntitySchema } from 'typeorm';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine('Asks a PostgreSQL server for its databases, by TypeORM.', {
  url: { kind: 'text', value: 'URL', required: true, about: 'of the database; sslmode means what it means to libpq' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

const Database = new EntitySchema<{ name: string; isTemplate: boolean }>({
  name: 'pg_database',
  schema: 'pg_catalog',
  columns: {
    name: { name: 'datname', type: 'text', primary: true },
    isTemplate: { name: 'datistemplate', type: 'boolean' },
  },
});

async function run(): Promise<void> {
  const source = new DataSource({
    type: 'postgres',
    extra: pgStream({ connectionString: url, ssl: { ca } }),
    installExtensions: false,
    entities: [Database],
  });
  await source.initialize();
  const databases = await source.getRepository(Database).findBy({ isTemplate: false });
  console.log(databases.map(({ name }) => name).join('\n'));
  await source.destroy();
}

run().catch(fail);

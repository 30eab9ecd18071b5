import { Pool, type PoolConfig } from 'pg';
import { ownConnectionConfig } from './own-connection-config';

describe('ownConnectionConfig', () => {
  it('adds its planner settings after the user’s, for the last one wins', () => {
    const config = ownConnectionConfig(
      { host: 'h', options: '-c enable_seqscan=on -c search_path=x', application_name: 'shop' },
      4,
    );
    expect(config).toMatchObject({ host: 'h', application_name: 'shop (tidings)', max: 4, keepAlive: true });
    expect(config.options).toMatch(/^-c enable_seqscan=on -c search_path=x .*-c enable_seqscan=off/);
  });

  it('puts them into a connection string that sets them, for that wins over everything in pg', () => {
    const { connectionString } = ownConnectionConfig(
      { connectionString: 'postgres://u:p@h:1/d?options=-c%20a%3Db&application_name=shop&sslmode=disable' },
      1,
    );
    const url = new URL(connectionString ?? '');
    expect(url.searchParams.get('options')).toMatch(/^-c a=b .*enable_seqscan=off/);
    expect(url.searchParams.get('application_name')).toBe('shop (tidings)');
    expect(url.searchParams.get('sslmode')).toBe('disable');
    expect(url.password).toBe('p');
  });

  it('leaves a connection string alone that sets neither, or that is none', () => {
    expect(ownConnectionConfig({ connectionString: 'postgres://u@h/d' }, 1).connectionString).toBe('postgres://u@h/d');
    expect(ownConnectionConfig({ connectionString: '/run/postgresql test' }, 1).connectionString).toBe(
      '/run/postgresql test',
    );
  });

  it('keeps the password that a pool hides from enumeration', () => {
    const pool = new Pool({ host: 'h', password: 'secret' });
    expect(ownConnectionConfig((pool as Pool & { options: PoolConfig }).options, 1).password).toBe('secret');
  });
});

import { readFileSync, statSync } from 'node:fs';
import { EmbeddedPostgresError } from './embedded-postgres-error';

/** Whom the server's programs run as; undefined: whoever runs this process. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** In order of preference. */
const UNPRIVILEGED = ['postgres', '_postgres', 'nobody', 'daemon'];

/**
 * PostgreSQL refuses to run as root. A cluster that is there keeps its owner; a new one gets an unprivileged user of this machine. No user is made.
 */
export function serverUser(cluster: string): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const owner = statSync(cluster, { throwIfNoEntry: false });
  if (owner && owner.uid !== 0) return { uid: owner.uid, gid: owner.gid };
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8')
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name = '', , uid, gid]) => [name, { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 }]),
  );
  for (const name of UNPRIVILEGED) {
    const user = users.get(name);
    if (user && user.uid !== 0) return user;
  }
  throw new EmbeddedPostgresError(
    'EMBEDDED_POSTGRES_USER',
    `embedded PostgreSQL: it does not run as root, and none of the users ${UNPRIVILEGED.join(', ')} exists; run as another user, or add one of them`,
  );
}

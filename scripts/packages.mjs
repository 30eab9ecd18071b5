// node scripts/packages.mjs [--nest 11,12] [--on postgres,rabbitmq] [--keep]: packs every publishable package, installs the tarballs into a fresh application
// of each major version of Nest outside of the workspace, on PostgreSQL alone and on RabbitMQ, compiles the getting-started program there and runs it.
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { findServers, printable, root } from './servers.mjs';

const require = createRequire(import.meta.url);
require('../libs/testing/register-sources.cjs');
const { removeTraces } = require('../libs/brokers/src/index.ts');
const { values: options } = parseArgs({
  options: {
    nest: { type: 'string', default: '11,12' },
    on: { type: 'string', default: 'postgres,rabbitmq' },
    keep: { type: 'boolean', default: false },
  },
});

/** By major version: what `npm install` is asked for, and the module kinds in which an application's author may write. */
const NEST = {
  11: { range: '^11.2.0', kinds: ['commonjs'] },
  // ESM only: CommonJS output, ours and an application's, loads it by require(esm), which Node has from 20.19.
  12: { range: '^12.0.0', kinds: ['module', 'commonjs'] },
};
/** What the getting-started program imports, and what that needs, but for its transport. */
const USED = 'core database postgres-log outbox inbox dead-letter parked-keys reclaim callback messaging';
const DRIVERS = ['amqplib', 'kafkajs', 'ioredis'];
/** By transport: the one driver that it brings. That the others are not there is asserted. */
const DRIVER_OF = { postgres: undefined, rabbitmq: 'amqplib' };
const NEVER_SHIPPED = /\.(spec|fixture|conformance)\.|tsbuildinfo|(^|\/)src\//;

function run(command, args, { cwd, env = process.env } = {}) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    env,
    encoding: 'utf8',
    shell: process.platform === 'win32' && command === 'npm',
    maxBuffer: 64 << 20,
  });
  if (status === 0) return stdout;
  throw new Error(`${command} ${args.join(' ')} failed:\n${error ?? ''}${stdout ?? ''}${stderr ?? ''}`);
}

const step = (text) => console.log(`— ${text}`);
const readJson = async (file) => JSON.parse(await readFile(file, 'utf8'));

/** Folders of the workspace's packages that may be published. */
async function publishable() {
  const folders = [];
  for (const parent of ['libs', 'libs/transports']) {
    for (const name of await readdir(join(root, parent))) {
      const folder = join(root, parent, name);
      const file = join(folder, 'package.json');
      if (existsSync(file) && !(await readJson(file)).private) folders.push(folder);
    }
  }
  return folders;
}

/** What a source that is gone left behind: `tsc -b` does not take it away, and it would be shipped. */
async function removeOrphans(folder) {
  const dist = join(folder, 'dist');
  for (const entry of await readdir(dist, { recursive: true })) {
    const source = entry.replace(/\.(d\.ts|js)(\.map)?$/, '.ts');
    if (source === entry || existsSync(join(folder, 'src', source))) continue;
    await rm(join(dist, entry), { force: true });
  }
}

/** Every problem of a tarball that a user would meet. */
function problemsOf(manifest, files) {
  const problems = files.filter((file) => NEVER_SHIPPED.test(file)).map((file) => `ships ${file}`);
  for (const needed of ['README.md', 'LICENSE', 'package.json']) {
    if (!files.includes(needed)) problems.push(`has no ${needed}`);
  }
  const targets = (node) => (typeof node === 'string' ? [node] : Object.values(node).flatMap(targets));
  for (const target of [manifest.main, manifest.types, ...targets(manifest.exports)]) {
    if (!files.includes(relative('.', target))) problems.push(`${target} is named in package.json but not shipped`);
  }
  if (Object.values(manifest.exports).some((one) => typeof one === 'object' && Object.keys(one)[0] !== 'types')) {
    problems.push('exports: the condition types must come first');
  }
  const nest = Object.entries(manifest.peerDependencies ?? {}).filter(([name]) => name.startsWith('@nestjs/'));
  for (const [name, range] of nest) {
    if (!/\^11(\D|$)/.test(range) || !/\^12(\D|$)/.test(range))
      problems.push(`peer ${name}: ${range} leaves a Nest out`);
  }
  return problems;
}

/** Packs all, and resolves with the tarballs by package name. */
async function pack(into) {
  const folders = await publishable();
  run(process.execPath, [require.resolve('typescript/bin/tsc'), '-b', ...folders], { cwd: root });
  const tarballs = {};
  const problems = [];
  for (const folder of folders) {
    await removeOrphans(folder);
    const manifest = await readJson(join(folder, 'package.json'));
    const told = JSON.parse(run('npm', ['pack', '--json', '--silent', '--pack-destination', into], { cwd: folder }));
    const [packed] = Object.values(told); // an array, or an object by name: npm's versions differ
    const files = packed.files.map(({ path }) => path);
    problems.push(...problemsOf(manifest, files).map((problem) => `${manifest.name} ${problem}`));
    tarballs[manifest.name] = join(into, packed.filename);
    step(`${manifest.name}: ${files.length} files, ${Math.ceil(packed.size / 1024)} KiB`);
  }
  if (problems.length > 0) throw new Error(`tarballs:\n  ${problems.join('\n  ')}`);
  return tarballs;
}

/** A fresh application: a package.json, the program, nothing of the workspace. */
async function makeApplication(folder, range, transport, tarballs) {
  await mkdir(folder);
  const used = `${USED} ${transport}`.split(' ').map((one) => `@tidings/${one}`);
  const manifest = {
    name: 'fresh-application',
    private: true,
    dependencies: {
      '@nestjs/common': range,
      '@nestjs/core': range,
      'reflect-metadata': '^0.2.0',
      rxjs: '^7.8.0',
      pg: '^8.23.0',
      typeorm: '^1.1.0',
      zod: '^4.0.0',
      ...Object.fromEntries(used.map((name) => [name, `file:${tarballs[name]}`])),
    },
    devDependencies: { '@types/node': '^20.19.0', typescript: '~6.0.3' },
  };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest, null, 2));
  await copyFile(join(root, 'test', 'packages', 'getting-started.ts'), join(folder, 'getting-started.ts'));
  await copyFile(join(root, 'test', 'packages', `on-${transport}.ts`), join(folder, 'main.ts'));
  // Strict peers: a range that does not fit fails the install instead of installing a second copy.
  run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', '--strict-peer-deps'], { cwd: folder });
}

/** Compiles the program as an author of that kind of module would. */
async function compile(folder, kind) {
  const compilerOptions = {
    target: 'es2023', module: 'node20', strict: true, types: ['node'], skipLibCheck: false,
    experimentalDecorators: true, emitDecoratorMetadata: true, rootDir: '.', outDir: 'out',
  }; // prettier-ignore
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ ...(await readJson(join(folder, 'package.json'))), type: kind }, null, 2)); // prettier-ignore
  run(process.execPath, [join('node_modules', 'typescript', 'bin', 'tsc')], { cwd: folder });
}

/** Runs it in a database of its own and, where it has a broker, under a prefix of its own there. */
async function runProgram(folder, url, broker) {
  const { Client } = require('pg');
  const name = `tidings_packages_${randomBytes(4).toString('hex')}`;
  const place = broker && { url: broker.url, prefix: name };
  const server = new Client({ connectionString: url });
  await server.connect();
  try {
    await server.query(`create database ${name}`);
    const own = new URL(url);
    own.pathname = `/${name}`;
    const brokers = place && { RABBITMQ_URL: place.url, PREFIX: place.prefix };
    const env = { ...process.env, DATABASE_URL: own.href, NODE_PATH: '', ...brokers };
    const printed = run(process.execPath, [join('out', 'main.js')], { cwd: folder, env });
    if (!printed.includes('handled once')) throw new Error(`expected "handled once", found:\n${printed}`);
  } finally {
    await server.query(`drop database if exists ${name} with (force)`);
    await server.end();
    if (place) await removeTraces('rabbitmq', place, new Map([['gift.sent', ['ranking']]]));
  }
}

/** `npm ls` fails when it finds none of them, which is what is wanted. */
function assertNoOtherDrivers(folder, transport) {
  const { stdout } = spawnSync('npm', ['ls', '--all', '--json', ...DRIVERS], { cwd: folder, encoding: 'utf8' });
  const isThere = (name) => stdout.includes(`"${name}"`) || existsSync(join(folder, 'node_modules', name));
  const own = DRIVER_OF[transport];
  const found = DRIVERS.filter((name) => name !== own && isThere(name));
  if (found.length > 0) throw new Error(`an application on ${transport} alone installed ${found.join(', ')}`);
  if (own && !isThere(own)) throw new Error(`an application on ${transport} has no ${own}: this check sees nothing`);
}

async function main() {
  const folder = await mkdtemp(join(tmpdir(), 'tidings-packages-'));
  const { postgres, rabbitmq, missing, stop } = await findServers({ names: ['postgres', 'rabbitmq'] });
  const brokers = { rabbitmq };
  const transports = options.on.split(',');
  try {
    for (const needed of new Set(['postgres', ...transports])) if (missing[needed]) throw new Error(missing[needed]);
    step(`PostgreSQL: ${printable(postgres.url)} (${postgres.from}), Node ${process.version}`);
    const tarballs = await pack(folder);
    for (const major of options.nest.split(',')) {
      for (const transport of transports) {
        const { range, kinds } = NEST[major] ?? { range: `^${major}.0.0`, kinds: ['module', 'commonjs'] };
        const application = join(folder, `nest-${major}-${transport}`);
        await makeApplication(application, range, transport, tarballs);
        const { version } = await readJson(join(application, 'node_modules', '@nestjs', 'core', 'package.json'));
        assertNoOtherDrivers(application, transport);
        for (const kind of kinds) {
          await compile(application, kind);
          await runProgram(application, postgres.url, brokers[transport]);
          step(`Nest ${version}, on ${transport}, application as ${kind}: handled once; no other driver installed`);
        }
      }
    }
  } finally {
    await stop();
    if (options.keep) step(`kept: ${folder}`);
    else await rm(folder, { recursive: true, force: true });
  }
}

main().catch((error) => {
  console.error(error.message);
  process.exitCode = 1;
});

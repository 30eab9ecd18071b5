import { readFileSync, readdirSync, existsSync } from 'node:fs';
import { join, relative } from 'node:path';

/** The checkout's root; every path that a test reports is relative to it. */
export const ROOT = join(__dirname, '..', '..');

export interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports?: Readonly<Record<string, string | { readonly types?: string; readonly default?: string }>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** One npm workspace: a library, a transport or an application. */
export interface WorkspacePackage {
  readonly name: string;
  /** As `libs/transports/memory`. */
  readonly folder: string;
  readonly manifest: Manifest;
  /** What is built and published. */
  readonly sources: readonly string[];
  /** What only tests run. */
  readonly specs: readonly string[];
  /** Packages of ours that its tsconfig.json refers to, as folders. */
  readonly references: readonly string[];
}

/** What runs under jest only: specs, the fixtures that they share, and the suites that several stores pass. */
export const isSpec = (file: string): boolean => /\.(spec|fixture|conformance)\.ts$/.test(file);

export const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
export const readJson = <T>(path: string): T => JSON.parse(read(path)) as T;

const folders = (parent: string): string[] =>
  readdirSync(join(ROOT, parent), { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(ROOT, parent, entry.name, 'package.json')))
    .map((entry) => `${parent}/${entry.name}`);

const typescriptBelow = (folder: string): string[] =>
  existsSync(join(ROOT, folder))
    ? readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
        .map((file) => `${folder}/${file}`)
        .sort()
    : [];

const referencesOf = (folder: string): string[] =>
  (readJson<{ references?: { path: string }[] }>(`${folder}/tsconfig.json`).references ?? []).map(({ path }) =>
    relative(ROOT, join(ROOT, folder, path)),
  );

export function workspacePackages(): WorkspacePackage[] {
  return ['libs', 'libs/transports', 'apps'].flatMap(folders).map((folder) => {
    const manifest = readJson<Manifest>(`${folder}/package.json`);
    const files = typescriptBelow(`${folder}/src`);
    return {
      name: manifest.name,
      folder,
      manifest,
      sources: files.filter((file) => !isSpec(file)),
      specs: files.filter(isSpec),
      references: referencesOf(folder),
    };
  });
}

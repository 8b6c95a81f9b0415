import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../', import.meta.url));
const SERVICES = ['node', 'consent', 'revocation'] as const;
export type PatchedService = (typeof SERVICES)[number];

/** One text of one built file, replaced. */
export interface Patch {
  readonly service: PatchedService;
  /** below the service's `dist/`; `common/…` is the copy of the common code that this service alone uses */
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A copy of the built services that a test may change. */
export interface PatchedServices {
  /** for the demo's `servicesDir` */
  readonly dir: string;
  /** Changes the copy, runs `work` and changes it back. Throws when a text is not there exactly once. */
  during<T>(patches: readonly Patch[], work: () => Promise<T>): Promise<T>;
  dispose(): Promise<void>;
}

/**
 * Needs `make build`. Each service stands in a tree like the repository's, with a copy of the common code of its own;
 * packages and everything that is not built are the repository's.
 */
export async function copyServices(): Promise<PatchedServices> {
  const root = await mkdtemp(join(tmpdir(), 'concordat-services-'));
  const dir = join(root, 'services');
  await mkdir(dir);
  const treeOf = (service: PatchedService): string => join(root, service, 'services');
  for (const service of SERVICES) {
    const own = join(treeOf(service), service);
    await copyBuilt(service, own, ['dist', 'package.json']);
    await copyBuilt('common', join(treeOf(service), 'common'), BUILT_COMMON);
    for (const shared of ['node_modules', 'infra', 'schemas']) {
      await symlink(join(REPOSITORY, shared), join(root, service, shared));
    }
    await mkdir(join(own, 'node_modules', '@concordat'), { recursive: true });
    await symlink(join(treeOf(service), 'common'), join(own, 'node_modules/@concordat/common'));
    await symlink(own, join(dir, service));
  }
  const pathOf = ({ service, file }: Patch): string =>
    file.startsWith('common/')
      ? join(treeOf(service), 'common', 'dist', file.slice('common/'.length))
      : join(treeOf(service), service, 'dist', file);
  return {
    dir,
    async during(patches, work) {
      const originals = new Map<string, string>();
      try {
        for (const patch of patches) {
          const path = pathOf(patch);
          const text = await readFile(path, 'utf8');
          if (!originals.has(path)) originals.set(path, text);
          await writeFile(path, replaceOnce(text, patch));
        }
        return await work();
      } finally {
        for (const [path, text] of originals) await writeFile(path, text);
      }
    },
    dispose: () => rm(root, { recursive: true, force: true }),
  };
}

const BUILT_COMMON = ['dist', 'generated', 'package.json'] as const;

async function copyBuilt(from: string, to: string, parts: readonly string[]): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const part of parts) {
    await cp(join(REPOSITORY, 'services', from, part), join(to, part), { recursive: true });
  }
}

function replaceOnce(text: string, { service, file, find, replace }: Patch): string {
  const [before = '', after, ...more] = text.split(find);
  if (after === undefined || more.length > 0) {
    const times = after === undefined ? 'not there' : `there ${String(more.length + 1)} times`;
    throw new Error(`${service} ${file}: expected once, is ${times}: ${find}`);
  }
  return `${before}${replace}${after}`;
}

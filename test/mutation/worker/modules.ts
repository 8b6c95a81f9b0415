import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { Script } from 'node:vm';
import { transformSync } from '@swc/core';

interface Instance {
  exports: unknown;
}

type Body = (
  exports: unknown,
  require: (name: string) => unknown,
  module: Instance,
  filename: string,
  dirname: string,
) => void;

/**
 * The repository's own modules, run from their sources as Jest does, and all of them anew when asked to, so
 * that what a mutant does while a module loads is seen. What is compiled stays, and packages are loaded once.
 */
export class Modules {
  readonly #root: string;
  /** By path from the root: code that stands for the file's own. */
  readonly #instead: ReadonlyMap<string, string>;
  /** By name: modules that are given, not loaded. */
  readonly #given: ReadonlyMap<string, unknown>;
  readonly #bodies = new Map<string, Body>();
  readonly #resolved = new Map<string, string>();
  #instances = new Map<string, Instance>();

  constructor(
    root: string,
    instead: ReadonlyMap<string, string>,
    given: ReadonlyMap<string, unknown>,
  ) {
    this.#root = root;
    this.#instead = instead;
    this.#given = given;
  }

  forget(): void {
    this.#instances = new Map();
  }

  /** Does something with modules that are all loaded anew, and has the earlier ones back after it. */
  async anew<T>(use: () => Promise<T>): Promise<T> {
    const earlier = this.#instances;
    this.forget();
    try {
      return await use();
    } finally {
      this.#instances = earlier;
    }
  }

  /** Runs a file anew, with the modules that are there. */
  run(path: string): void {
    this.#instances.delete(path);
    this.load(path);
  }

  load(path: string): unknown {
    const known = this.#instances.get(path);
    if (known) return known.exports;
    const instance: Instance = { exports: {} };
    this.#instances.set(path, instance);
    const require = (name: string) => this.#import(path, name);
    this.#bodyOf(path)(instance.exports, require, instance, path, dirname(path));
    return instance.exports;
  }

  #import(from: string, name: string): unknown {
    if (this.#given.has(name)) return this.#given.get(name);
    const key = `${from} ${name}`;
    const path = this.#resolved.get(key) ?? this.#resolve(from, name);
    this.#resolved.set(key, path);
    return path.startsWith('/') ? this.load(path) : createRequire(from)(name);
  }

  /** An absolute path for what is ours and loaded here, the name itself for a package or built-in module. */
  #resolve(from: string, name: string): string {
    const own = /^@concordat\/([a-z]+)\/(.*)$/.exec(name);
    const workspace = own?.[1];
    const inside = own?.[2];
    if (workspace !== undefined && inside !== undefined) {
      return sourceOf(join(this.#root, 'services', workspace, 'src', inside));
    }
    return name.startsWith('.') ? sourceOf(resolve(dirname(from), name)) : name;
  }

  #bodyOf(path: string): Body {
    const known = this.#bodies.get(path);
    if (known) return known;
    const source = this.#instead.get(relative(this.#root, path)) ?? readFileSync(path, 'utf8');
    const { code } = transformSync(source, {
      filename: path,
      swcrc: false,
      jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
      module: { type: 'commonjs' },
    });
    const wrapped = `(function (exports, require, module, __filename, __dirname) {${code}\n})`;
    const body = new Script(wrapped, { filename: path }).runInThisContext() as Body;
    this.#bodies.set(path, body);
    return body;
  }
}

function sourceOf(path: string): string {
  const typed = path.replace(/\.js$/, '.ts');
  return existsSync(typed) ? typed : path;
}

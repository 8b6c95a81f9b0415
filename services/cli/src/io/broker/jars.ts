import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type Result, err, ok } from '@concordat/common/domain/result.js';

const run = promisify(execFile);
const KAFKA_DIR = fileURLToPath(new URL('../../../../../infra/kafka/', import.meta.url));
const POM = join(KAFKA_DIR, 'pom.xml');
const TARGET = join(KAFKA_DIR, 'target');
const LIB = join(TARGET, 'lib');
const STAMP = 'pom.sha256';
const JAVA_MIN = 17;
const MAVEN_MS_MAX = 240_000;
const PROBE_MS_MAX = 20_000;

export type Progress = (text: string) => void;

/** Is there a Java that runs the broker? An error says in words what was found instead. */
export async function probeJava(): Promise<Result<number, string>> {
  try {
    const { stdout, stderr } = await run('java', ['-version'], { timeout: PROBE_MS_MAX });
    const major = Number(/version "(?:1\.)?(\d+)/.exec(stdout + stderr)?.[1] ?? '0');
    if (major >= JAVA_MIN) return ok(major);
    return err(`Java ${String(JAVA_MIN)} or later is needed, found ${String(major)}`);
  } catch {
    return err(`no Java: "java -version" does not run`);
  }
}

/** The directory of the broker's jars: from an earlier run, else by Maven, which takes a minute when nothing is cached. */
export async function brokerJars(progress: Progress): Promise<Result<string, string>> {
  const pom = createHash('sha256')
    .update(await readFile(POM))
    .digest('hex');
  if ((await stampOf(LIB)) === pom) return ok(LIB);
  try {
    await run('mvn', ['-v'], { timeout: PROBE_MS_MAX });
  } catch {
    return err('no Maven: "mvn -v" does not run');
  }
  progress('fetching the broker, Apache Kafka, with Maven (once)');
  return fetchJars(pom);
}

async function fetchJars(pom: string): Promise<Result<string, string>> {
  await mkdir(TARGET, { recursive: true });
  const fresh = await mkdtemp(join(TARGET, 'fetch-'));
  try {
    const goal = 'dependency:copy-dependencies';
    const options = [`-DoutputDirectory=${fresh}`, '-DincludeScope=runtime'];
    await run('mvn', ['-q', '-B', '-f', POM, goal, ...options], { timeout: MAVEN_MS_MAX });
    await writeFile(join(fresh, STAMP), pom);
    await rm(LIB, { recursive: true, force: true });
    await rename(fresh, LIB);
    return ok(LIB);
  } catch (cause) {
    await rm(fresh, { recursive: true, force: true });
    if ((await stampOf(LIB)) === pom) return ok(LIB); // another process was faster
    return err(`Maven could not fetch the broker: ${lastLines(cause)}`);
  }
}

async function stampOf(directory: string): Promise<string | undefined> {
  return readFile(join(directory, STAMP), 'utf8').catch(() => undefined);
}

function lastLines(cause: unknown): string {
  const output = cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : '';
  const text = output.trim() === '' ? String(cause) : output;
  return text.trim().split('\n').slice(0, 3).join(' / ');
}

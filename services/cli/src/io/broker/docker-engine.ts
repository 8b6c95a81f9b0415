import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import type { Progress } from './jars.js';

const run = promisify(execFile);

/** Of the same version as the jars in `infra/kafka/pom.xml`; a test compares them. */
export const KAFKA_IMAGE = 'apache/kafka:4.3.0';

/** Where there is no engine, nobody waits longer than this. */
const PROBE_MS_MAX = 2_000;
const PULL_MS_MAX = 60_000;

/** An engine that answers, with Compose, and how its containers are run here. */
export interface DockerEngine {
  /** `unix:///var/run/docker.sock`, as DOCKER_HOST */
  readonly address: string;
  /**
   * `host`: containers share this machine's network, so that the broker listens on its loopback and nowhere else.
   * `published`: they cannot, or it is another machine's network; the port is published on the loopback.
   */
  readonly network: 'host' | 'published';
  /** `uid:gid` of a container's process that leaves files to us */
  readonly user: string;
}

/** Runs the `docker` command; over the deadline it is killed. @throws what execFile throws */
export async function docker(args: readonly string[], timeoutMs: number): Promise<string> {
  const options = { timeout: timeoutMs, killSignal: 'SIGKILL' } as const;
  return (await run('docker', args, options)).stdout.trim();
}

/** Does an engine answer, and is Compose there? An error says in words what is missing. */
export async function probeDocker(): Promise<Result<DockerEngine, string>> {
  const ask = (...args: string[]): Promise<string> => docker(args, PROBE_MS_MAX);
  try {
    const [info, address] = await Promise.all([
      ask('info', '--format', '{{.ServerVersion}};{{.OperatingSystem}};{{json .SecurityOptions}}'),
      ask('context', 'inspect', '--format', '{{.Endpoints.docker.Host}}'),
      ask('compose', 'version', '--short').catch(() => {
        throw new Error('Docker has no Compose: "docker compose version" does not run');
      }),
    ]);
    return ok(engineOf(info, address, process.platform));
  } catch (cause) {
    return err(whyNot(cause));
  }
}

/** @param info version, system and security options of the engine, between semicolons */
export function engineOf(info: string, address: string, platform: string): DockerEngine {
  const isRootless = info.includes('name=rootless');
  const isHere = platform === 'linux' && address.startsWith('unix:');
  const sharesNetwork = isHere && !isRootless && !info.includes('Docker Desktop');
  const own = `${String(process.getuid?.() ?? 0)}:${String(process.getgid?.() ?? 0)}`;
  // a rootless engine shows our own user to its containers as root
  return { address, network: sharesNetwork ? 'host' : 'published', user: isRootless ? '0:0' : own };
}

/** Is the image here, or does it come within a minute? */
export async function kafkaImage(progress: Progress): Promise<Result<string, string>> {
  try {
    await docker(['image', 'inspect', '--format', '{{.Id}}', KAFKA_IMAGE], PROBE_MS_MAX);
    return ok(KAFKA_IMAGE);
  } catch {
    // not here yet
  }
  progress(`pulling ${KAFKA_IMAGE}, for ${String(PULL_MS_MAX / 1000)} s at most`);
  try {
    await docker(['pull', '--quiet', KAFKA_IMAGE], PULL_MS_MAX);
    return ok(KAFKA_IMAGE);
  } catch (cause) {
    return err(`the image ${KAFKA_IMAGE} is not here and was not pulled: ${whyNot(cause)}`);
  }
}

function whyNot(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if ('code' in cause && cause.code === 'ENOENT') return 'no "docker" command';
  if ('killed' in cause && cause.killed === true) return 'no answer in time';
  const said = 'stderr' in cause ? String(cause.stderr).trim().split('\n')[0] : '';
  return said === undefined || said === '' ? cause.message : said;
}

import { INSIDE, beginContainer, removeContainer } from '@concordat/cli/io/broker/container.js';
import { KAFKA_IMAGE } from '@concordat/cli/io/broker/docker-engine.js';
import { START_SCRIPT, STOP_MS_MAX } from '@concordat/cli/io/broker/runner.js';

/**
 * Runs the broker in a container by testcontainers. JavaScript, because Jest's global setup uses it too.
 *
 * @param {import('@concordat/cli/io/broker/docker-engine.js').DockerEngine} engine
 * @returns {import('@concordat/cli/io/broker/runner.js').BrokerRunner}
 */
export function testcontainersRunner({ address, network, user }) {
  return {
    way: 'docker',
    inWords: 'in a container (testcontainers)',
    listenOn: network === 'host' ? '127.0.0.1' : '0.0.0.0',
    seenAs: () => INSIDE.directory,
    start: async ({ directory, port }) => {
      process.env.DOCKER_HOST ??= address; // testcontainers does not read the contexts of `docker`
      const { GenericContainer } = await import('testcontainers');
      class Broker extends GenericContainer {
        onLoopbackOnly() {
          const bound = [{ HostIp: '127.0.0.1', HostPort: String(port) }];
          this.createOpts.ExposedPorts = { [`${port}/tcp`]: {} };
          this.hostConfig.PortBindings = { [`${port}/tcp`]: bound };
          return this;
        }
      }
      const container = new Broker(KAFKA_IMAGE)
        .withUser(user)
        .withEntrypoint(['sh', INSIDE.start, INSIDE.directory, INSIDE.jars])
        .withCommand([])
        .withBindMounts([
          { source: START_SCRIPT, target: INSIDE.start, mode: 'ro,z' },
          { source: directory, target: INSIDE.directory, mode: 'z' },
        ])
        .withAutoCleanup(false); // the guard does it, without another image
      if (network === 'host') container.withNetworkMode('host');
      else container.onLoopbackOnly();
      let started;
      return beginContainer({
        network,
        begin: async (name) => {
          started = await container.withName(name).start();
        },
        remove: async (name) => {
          if (started) await started.stop({ timeout: STOP_MS_MAX });
          else await removeContainer(name);
        },
      });
    },
  };
}

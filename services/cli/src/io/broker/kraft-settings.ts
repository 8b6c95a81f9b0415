/** What differs between two local brokers. */
export interface KraftPlace {
  readonly port: number;
  readonly controllerPort: number;
  /** Where the broker keeps its logs. */
  readonly logDir: string;
}

/** One process that is broker and controller, on the loopback only; replication 1, small indexes, quick groups. */
export function kraftSettings({ port, controllerPort, logDir }: KraftPlace): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@127.0.0.1:${String(controllerPort)}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://127.0.0.1:${String(port)},CONTROLLER://127.0.0.1:${String(controllerPort)}`,
    'advertised.listeners': `PLAINTEXT://127.0.0.1:${String(port)}`,
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': logDir,
    'log.index.size.max.bytes': '1048576',
    'auto.create.topics.enable': 'false',
    'unclean.leader.election.enable': 'false',
    'default.replication.factor': '1',
    'offsets.topic.num.partitions': '1',
    'offsets.topic.replication.factor': '1',
    'transaction.state.log.num.partitions': '1',
    'transaction.state.log.replication.factor': '1',
    'transaction.state.log.min.isr': '1',
    'share.coordinator.state.topic.num.partitions': '1',
    'share.coordinator.state.topic.replication.factor': '1',
    'share.coordinator.state.topic.min.isr': '1',
    'group.initial.rebalance.delay.ms': '0',
    // after a crash the broker may not register again before its old session is over
    'broker.session.timeout.ms': '3000',
    'broker.heartbeat.interval.ms': '500',
  };
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${escapeValue(value)}\n`)
    .join('');
}

/** java.util.Properties reads a backslash as an escape. */
function escapeValue(value: string): string {
  return value.replaceAll('\\', '\\\\');
}

/** What the storage tool is told. An id in base64url may begin with a dash, so it never stands alone. */
export function formatArguments(clusterId: string, settingsFile: string): string[] {
  return ['format', `--cluster-id=${clusterId}`, '--config', settingsFile];
}

/** For every JVM of ours: a short life on few cores. */
export const JVM_FLAGS = [
  '-Xmx512m',
  '-Xms128m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Djava.awt.headless=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
] as const;

/** For a broker that is measured: all compilers, for it runs long enough to gain from them. */
export const STEADY_JVM_FLAGS: readonly string[] = JVM_FLAGS.filter(
  (flag) => flag !== '-XX:TieredStopAtLevel=1',
);

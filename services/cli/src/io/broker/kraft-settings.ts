/** What differs between two local brokers. */
export interface KraftPlace {
  readonly port: number;
  readonly controllerPort: number;
  /** The loopback; all addresses only inside a container whose port is published on the loopback. */
  readonly listenOn: '127.0.0.1' | '0.0.0.0';
  /** Where the broker keeps its logs, as the broker sees it. */
  readonly logDir: string;
}

/** One process that is broker and controller, reached on the loopback only; replication 1, small indexes, quick groups. */
export function kraftSettings({ port, controllerPort, listenOn, logDir }: KraftPlace): string {
  const controller = `127.0.0.1:${String(controllerPort)}`;
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': '1',
    'controller.quorum.voters': `1@${controller}`,
    'controller.listener.names': 'CONTROLLER',
    listeners: `PLAINTEXT://${listenOn}:${String(port)},CONTROLLER://${controller}`,
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

/** For every JVM of ours: a short life on few cores. slf4j-simple is among the jars of pom.xml, log4j2 among those of the image. */
export const JVM_FLAGS: readonly string[] = [
  '-Xmx512m',
  '-Xms128m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-Djava.awt.headless=true',
  '-Dlog4j2.level=WARN',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-Dorg.slf4j.simpleLogger.showDateTime=true',
  "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
];

/** For a broker that is measured: all compilers, for it runs long enough to gain from them. */
export const STEADY_JVM_FLAGS: readonly string[] = JVM_FLAGS.filter(
  (flag) => flag !== '-XX:TieredStopAtLevel=1',
);

/** The flags as a file for `java @file`, where quotes and spaces have a meaning outside double quotes. */
export function jvmArguments(flags: readonly string[]): string {
  return flags.map((flag) => `"${flag.replaceAll(/["\\]/g, String.raw`\$&`)}"\n`).join('');
}

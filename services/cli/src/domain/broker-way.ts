/** How a broker comes to run on this machine when none is given: in a container, or from its jars. */
export type BrokerWay = 'docker' | 'java';

export function isBrokerWay(text: string): text is BrokerWay {
  return text === 'docker' || text === 'java';
}

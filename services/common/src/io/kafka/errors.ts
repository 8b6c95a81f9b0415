import { ConcordatError } from '../../domain/errors.js';
import { isCompressionRefused } from './codecs.js';

/** An error and what caused it, outermost first. */
function chain(error: unknown): readonly Error[] {
  const errors: Error[] = [];
  let at: unknown = error;
  while (at instanceof Error && errors.length < 8) {
    errors.push(at);
    at = at.cause;
  }
  return errors;
}

function protocolType(error: Error): string {
  return 'type' in error && typeof error.type === 'string' ? error.type : '';
}

/** Did the broker answer, and say no? Else it was not reached, or its answer was not. */
export function isProtocolError(error: unknown): boolean {
  return chain(error).some((each) => protocolType(each) !== '');
}

/** The names under which kafkajs says that it did not get through. */
const UNREACHED = new Set([
  'KafkaJSBrokerNotFound',
  'KafkaJSConnectionClosedError',
  'KafkaJSConnectionError',
  'KafkaJSLockTimeout',
  'KafkaJSMetadataNotLoaded',
  'KafkaJSNoBrokerAvailableError',
  'KafkaJSRequestTimeoutError',
  'KafkaJSTopicMetadataNotLoaded',
]);

/** Was the broker not reached, or did it say that it is not ready? Waiting helps then, and nothing of ours is wrong. */
export function isUnreached(error: unknown): boolean {
  return chain(error).some((each) => {
    return UNREACHED.has(each.name) || isNotReady(each);
  });
}

function isNotReady(error: Error): boolean {
  return protocolType(error) !== '' && 'retriable' in error && error.retriable === true;
}

/** Did a broker answer that it is not ready for this yet? */
export function saysNotReady(error: unknown): boolean {
  return chain(error).some(
    (each) => isNotReady(each) && protocolType(each) !== 'UNKNOWN_TOPIC_OR_PARTITION',
  );
}

/** What kafkajs threw, as ours. `doing` says what was tried and where, `send to events.de lane 3`. */
export function asLogError(
  error: unknown,
  doing: string,
  brokers: readonly string[],
): ConcordatError {
  const all = chain(error);
  const known = all.find((each) => each instanceof ConcordatError);
  if (known !== undefined) return known;
  if (all.some(isCompressionRefused)) {
    return new ConcordatError('COMPRESSION_REFUSED', `${doing}: a batch is compressed`, {
      cause: error,
    });
  }
  const types = all.map(protocolType);
  const detail = all.at(-1)?.message ?? String(error);
  if (types.includes('UNKNOWN_TOPIC_OR_PARTITION')) {
    return new ConcordatError('TOPIC_MISSING', `${doing}: no such topic`, { cause: error });
  }
  if (types.includes('MESSAGE_TOO_LARGE') || types.includes('RECORD_LIST_TOO_LARGE')) {
    return new ConcordatError('RECORD_TOO_LARGE', `${doing}: ${detail}`, { cause: error });
  }
  const tried = `${doing}: tried ${brokers.join(', ')}: ${detail}`;
  return new ConcordatError('BROKER_UNAVAILABLE', tried, { cause: error });
}

import { type Calls, answerCalls } from './calls.js';
import { officerCalls } from './workers/officer.js';
import { publisherCalls } from './workers/publisher.js';
import { rawConsumerCalls } from './workers/raw-consumer.js';
import { rawProducerCalls } from './workers/raw-producer.js';
import { rawRelayCalls } from './workers/raw-relay.js';
import { subscriberCalls } from './workers/subscriber.js';

/** Each is a process of its own, as in life. */
const ROLES: Readonly<Record<string, () => Calls>> = {
  publisher: publisherCalls,
  subscriber: subscriberCalls,
  officer: officerCalls,
  'raw-producer': rawProducerCalls,
  'raw-relay': rawRelayCalls,
  'raw-consumer': rawConsumerCalls,
};

const role = process.argv[2] ?? '';
const calls = ROLES[role];
if (!calls) throw new TypeError(`no worker ${role}`);
process.once('SIGTERM', () => process.exit(0));
answerCalls(calls());

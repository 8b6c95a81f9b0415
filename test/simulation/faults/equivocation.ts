import { asUnixMs } from '@concordat/common/domain/ids.js';
import { signStatement } from '@concordat/common/domain/statement.js';
import type { Fault } from './fault.js';

/**
 * A dishonest member signs a number of its purge ledger twice, with its own key: the same purge, another deadline. Whoever
 * has seen one keeps to it, and has both as evidence.
 */
export const EQUIVOCATION: Fault = {
  name: 'equivocation',
  canHappen: (world) => world.log.reachable,
  happen: (world, draw) => {
    const { codec } = world.template.schemas;
    const topics = world.template.topics.filter(
      ({ name }) => name.startsWith('purge.') && world.log.lane(name, 0).records.length > 0,
    );
    if (topics.length === 0) return;
    const { name: topic } = draw.pick(topics);
    const signed = codec.decode('Signed', draw.pick(world.log.lane(topic, 0).records).value);
    const entry = signed.ok ? codec.decode('PurgeEntry', signed.value.payload) : signed;
    if (!entry.ok) return;
    const signer = world.federation.signer(entry.value.origin, 'revocation');
    const deadlineMs = asUnixMs(entry.value.deadlineMs + 1);
    const other = { ...entry.value, keyId: signer.keyId, deadlineMs };
    const { bytes } = signStatement(codec, signer, 'PurgeEntry', other);
    world.scheduler.note(`${entry.value.origin} signs ${topic} ${String(other.number)} twice`);
    const [last] = world.log.lane(topic, 0).records.slice(-1);
    // its own service would not start with the other statement as the newest of its topic
    if (!last) return;
    const offset = world.log.append(topic, 0, [{ value: bytes }, last]);
    world.signedTwice.push({ recipient: other.recipient, topic, offset });
  },
};

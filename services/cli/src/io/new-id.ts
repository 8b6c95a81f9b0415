import {
  type EventId,
  type OrderId,
  parseEventId,
  parseOrderId,
} from '@concordat/common/domain/ids.js';
import type { Clock, Random } from '@concordat/common/domain/ports.js';
import type { Result } from '@concordat/common/domain/result.js';
import { v7 } from 'uuid';

interface Ports {
  readonly clock: Clock;
  readonly random: Random;
}

function made<Id>({ clock, random }: Ports, parse: (text: string) => Result<Id, string>): Id {
  const id = parse(v7({ msecs: clock.nowMs(), random: random.bytes(16) }));
  if (!id.ok) throw new TypeError('uuid makes UUIDs of version 7');
  return id.value;
}

export function newEventId(ports: Ports): EventId {
  return made(ports, parseEventId);
}

export function newOrderId(ports: Ports): OrderId {
  return made(ports, parseOrderId);
}

import type { concordat } from '@concordat/common/io/rpc/definitions.js';
import type { Clock } from '@concordat/common/domain/ports.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Book } from './book.js';
import type { DemoClients } from './clients.js';
import { waitFor } from './patience.js';
import { ORIGIN } from './scenario.js';

const REFUSED = 'keys.refused.';

export const ASK = { timeoutMs: 10_000, waitForReady: true } as const;

type ConsentStatus = concordat.consent.v1.StatusResponse;
type NodeStatus = concordat.node.v1.StatusResponse;
type Orders = concordat.revocation.v1.ListResponse;

/** One look at everybody. */
export interface Look {
  readonly consent: ConsentStatus;
  readonly origin: NodeStatus;
  readonly orders: Orders;
  readonly recipients: ReadonlyMap<MemberId, NodeStatus>;
}

export async function lookAround({
  consent,
  origin,
  purge,
  recipients,
}: DemoClients): Promise<Look> {
  const [consentStatus, originStatus, orders, ...others] = await Promise.all([
    consent.status({}, ASK),
    origin.operator.status({}, ASK),
    purge.list({}, ASK),
    ...[...recipients].map(
      async ([member, { operator }]) => [member, await operator.status({}, ASK)] as const,
    ),
  ]);
  return { consent: consentStatus, origin: originStatus, orders, recipients: new Map(others) };
}

export function releasedTo(look: Look, member: MemberId): number {
  return look.consent.recipients.find(({ recipient }) => recipient === member)?.released ?? 0;
}

/** Keys that were refused to a recipient, by reason. */
export function keysRefused({ counters }: NodeStatus): Record<string, number> {
  const refused = Object.entries(counters).filter(([name]) => name.startsWith(REFUSED));
  return Object.fromEntries(refused.map(([name, n]) => [name.slice(REFUSED.length), n]));
}

/** The next list starts when every release's key is recorded and received and every order is closed. */
export async function settle(clock: Clock, clients: DemoClients, book: Book): Promise<Look> {
  let look: Look | undefined;
  await waitFor(clock, async () => {
    look = await lookAround(clients);
    return missing(look, book);
  });
  if (!look) throw new TypeError('settled without a look');
  return look;
}

function missing(look: Look, book: Book): string | undefined {
  const { consent, origin, orders } = look;
  if (consent.decided !== book.published) {
    return `decisions of consent: ${String(consent.decided)} of ${String(book.published)}`;
  }
  for (const [member, status] of look.recipients) {
    const released = releasedTo(look, member);
    const refused = Object.values(keysRefused(status)).reduce((sum, n) => sum + n, 0);
    const recorded = origin.released[member] ?? 0;
    if (recorded + refused !== released) {
      return `keys recorded for ${member}: ${String(recorded)} of ${String(released)}`;
    }
    const partner = status.partners.find((one) => one.member === ORIGIN);
    const [readable, waiting] = [partner?.readable ?? 0, partner?.waiting ?? 0];
    const received = readable + (partner?.tombstones ?? 0);
    if (waiting > 0 || received < recorded) {
      return `keys received by ${member}: ${String(received)} of ${String(recorded)}`;
    }
  }
  const closed = orders.orders.filter(({ state }) => state === 'CLOSED').length;
  if (closed !== book.purged.length || orders.orders.length !== closed) {
    const errors = orders.orders.map((one) => one.lastError).filter((text) => text !== '');
    const why = errors.length > 0 ? ` (${errors[0] ?? ''})` : '';
    return `purge orders closed: ${String(closed)} of ${String(book.purged.length)}${why}`;
  }
  return undefined;
}

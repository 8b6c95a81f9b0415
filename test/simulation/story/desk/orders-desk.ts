import { certificateReport } from '@concordat/cli/domain/certificate-report.js';
import {
  leaveQuestion,
  leavingEnd,
  leavingExit,
  leavingView,
  owedLine,
  standingText,
} from '@concordat/cli/domain/member-progress.js';
import {
  changes,
  mediaText,
  openText,
  orderExit,
  orderView,
  silenceText,
  standings,
} from '@concordat/cli/domain/purge-progress.js';
import { partIds } from '@concordat/cli/domain/purge-plan.js';
import { together } from '@concordat/cli/domain/purge-parts.js';
import { verifyCertificate } from '@concordat/common/domain/certificate/verify-certificate.js';
import { verifyNotice } from '@concordat/common/domain/default-notice.js';
import { verifyDsse } from '@concordat/common/domain/dsse-json.js';
import { verifyReceipt } from '@concordat/common/domain/receipt.js';
import type { MemberId } from '@concordat/common/domain/ids.js';
import type { Draw } from '@concordat/common/domain/synthetic/draw.js';
import { PurgeService } from '@concordat/common/io/rpc/definitions.js';
import { MEMBERS } from '../../world/federation.js';
import type { World } from '../../world/world.js';
import type { Actor } from '../actor.js';
import { SOON, attempt } from '../attempt.js';

/** Somebody at the command line: follows orders, checks the proofs that they left, and asks who owes what. */
export const ordersDesk: Actor = {
  name: 'follows orders',
  weight: 2,
  act: async (world, draw) => {
    const member = draw.pick(MEMBERS);
    const before = await look(world, member);
    await world.scheduler.sleep(world.outside, draw.whole(0, 1_000));
    const now = await look(world, member);
    for (const [name, state] of changes(before, now)) {
      world.scheduler.note(`desk of ${member}: ${name} ${state}`);
    }
    await proofs(world, draw, member);
    await leavers(world, draw, member);
  },
};

/** Every order as a line for the order and one for each holder. */
async function look(world: World, member: MemberId): Promise<ReadonlyMap<string, string>> {
  const office = world.client(PurgeService, member, 'revocation', 'operator');
  const came = await attempt(office.list({}, SOON));
  if (!came.ok) return new Map();
  const { orders } = came.value;
  const lines = orders.flatMap((order) => [...standings(order)]);
  for (const order of orders) {
    const view = orderView(order);
    const texts = view.holders.map((one) => [silenceText(one), mediaText(one), openText(one)]);
    world.scheduler.note(
      `desk: ${view.orderId} ends with ${String(orderExit(order))} ${texts.join()}`,
    );
  }
  const all = together(orders);
  const [first] = orders;
  if (first)
    await attempt(office.statusOfMany({ orderIds: partIds(first.orderId as never, 3) }, SOON));
  return new Map([...lines, ...(all ? standings(all) : [])]);
}

/** As `concordat verify` does, with public keys alone. */
async function proofs(world: World, draw: Draw, member: MemberId): Promise<void> {
  const ordered = [...world.book.orders.values()].filter(({ origin }) => origin === member);
  if (ordered.length === 0) return;
  const { orderId } = draw.pick(ordered);
  const { codec } = world.template.schemas;
  const { keys } = world.federation;
  const office = world.client(PurgeService, member, 'revocation', 'operator');
  const certified = await attempt(office.certificate({ orderId, evenIncomplete: true }, SOON));
  if (certified.ok) {
    const signed = verifyDsse(codec, keys, 'Certificate', certified.value.dsseJson);
    const purge = signed.ok ? verifyCertificate(codec, keys, signed.value.value) : signed;
    if (!purge.ok)
      world.violated(`a certificate of ${member} does not hold: ${purge.error.message}`);
    else certificateReport(purge.value);
  }
  const noticed = await attempt(office.notices({ orderId }, SOON));
  for (const { dsseJson } of noticed.ok ? noticed.value.notices : []) {
    const notice = verifyNotice(codec, keys, dsseJson);
    if (!notice.ok) world.violated(`a notice of ${member} does not hold: ${notice.error.message}`);
  }
  const received = await attempt(office.receipts({ orderId }, SOON));
  for (const { dsseJson } of received.ok ? received.value.receipts : []) {
    const receipt = verifyReceipt(codec, keys, { receipt: dsseJson, entry: undefined });
    if (!receipt.ok)
      world.violated(`a receipt to ${member} does not hold: ${receipt.error.message}`);
  }
}

async function leavers(world: World, draw: Draw, member: MemberId): Promise<void> {
  const office = world.client(PurgeService, member, 'revocation', 'operator');
  const came = await attempt(
    office.members({ member: draw.perhaps(50, () => draw.pick(MEMBERS)) ?? '' }, SOON),
  );
  if (!came.ok) return;
  const exit = leavingExit(came.value.members);
  for (const one of came.value.members) {
    const lines = [standingText(one), ...leavingView(one).owed.map(owedLine)];
    const end = leavingEnd(one);
    const asked = leaveQuestion(one.member, one.events);
    world.scheduler.note(`desk: ${asked} ${lines.join('; ')} ${String(end)} ${String(exit)}`);
  }
}

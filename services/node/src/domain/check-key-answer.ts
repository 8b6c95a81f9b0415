import { sameBlock } from '@concordat/common/domain/block.js';
import { equalBytes } from '@concordat/common/domain/bytes.js';
import { ConcordatError } from '@concordat/common/domain/errors.js';
import type { MemberId, OrderId } from '@concordat/common/domain/ids.js';
import { type Cover, isWhole } from '@concordat/common/domain/purge-order.js';
import type { Header, RecordCodec, Release, SlotTable } from '@concordat/common/domain/records.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import { keyCommitment } from '@concordat/common/domain/sealing.js';
import { isSlotTableOf, verifySlot } from '@concordat/common/domain/slots.js';
import {
  type KeyDirectory,
  type Verified,
  verifyStatement,
} from '@concordat/common/domain/statement.js';

/** A key release record of the origin, checked: it names `self` and the leaves and sections of its table. */
export interface KeyRecord {
  readonly statement: Verified<'LedgerStatement'>;
  readonly table: SlotTable;
  /** leaf to the sections that the record names */
  readonly sectionsOf: ReadonlyMap<number, readonly string[]>;
  readonly bytes: Uint8Array;
}

function refuse(code: ConcordatError['code'], message: string): Result<never, ConcordatError> {
  return err(new ConcordatError(code, message));
}

export function readKeyRecord(
  codec: RecordCodec,
  keys: KeyDirectory,
  bytes: Uint8Array,
  parties: { readonly origin: MemberId; readonly self: MemberId },
): Result<KeyRecord, ConcordatError> {
  const record = codec.decode('LedgerRecord', bytes);
  if (!record.ok) return record;
  const statement = verifyStatement(codec, keys, 'LedgerStatement', record.value.statement, {
    signer: parties.origin,
  });
  if (!statement.ok) return statement;
  const table = codec.decode('SlotTable', record.value.body);
  if (!table.ok) return table;
  const fits =
    table.value.kind === 'RELEASE' && isSlotTableOf(codec, statement.value.value, table.value);
  if (!fits) return refuse('CHAIN_BROKEN', 'a key record whose body is not what it signs');
  if (table.value.recipient !== parties.self) {
    return refuse('NOT_ADDRESSED_HERE', 'a key record that names another recipient');
  }
  const sectionsOf = new Map(table.value.leaves.map((one) => [one.leaf, one.sections]));
  return ok({ statement: statement.value, table: table.value, sectionsOf, bytes });
}

/**
 * May these keys be stored? Only if each fits the commitment in the event's header, and a signed record names this
 * node, that block, leaf and section: an origin cannot hand out a key off the record.
 */
export function checkKeys(
  event: {
    readonly header: Header;
    readonly release: Pick<Release, 'block' | 'leaf' | 'sections'>;
  },
  keys: ReadonlyMap<string, Uint8Array>,
  records: readonly KeyRecord[],
): Result<void, ConcordatError> {
  const { header, release } = event;
  if (keys.size !== release.sections.length) {
    return refuse(
      'COMMITMENT_MISMATCH',
      'expected a key for each released section that is not sealed, no more',
    );
  }
  for (const section of release.sections) {
    const key = keys.get(section);
    const signed = header.sections.find(({ name }) => name === section);
    const { origin, id, schemaHash } = header;
    const fits =
      key &&
      signed &&
      equalBytes(keyCommitment({ origin, id, section, schemaHash }, key), signed.keyCommitment);
    if (!fits) return refuse('COMMITMENT_MISMATCH', `section ${section}: not the committed key`);
    const isRecorded = records.some(
      ({ statement, sectionsOf }) =>
        sameBlock(statement.value.block, release.block) &&
        sectionsOf.get(release.leaf)?.includes(section) === true,
    );
    if (!isRecorded) {
      return refuse('COMMITMENT_MISMATCH', `section ${section}: no signed record names this key`);
    }
  }
  return ok(undefined);
}

/** What a seal takes of a release's event, and by which order. */
export interface SealedCover extends Cover {
  readonly orderId: OrderId;
}

/** The order that sealed this release's event for everybody, see `checkSealed`. */
export function checkShredded(
  codec: RecordCodec,
  keys: KeyDirectory,
  bytes: Uint8Array,
  about: {
    readonly origin: MemberId;
    readonly self: MemberId;
    readonly release: Pick<Release, 'block' | 'leaf'>;
  },
): Result<OrderId, ConcordatError> {
  const sealed = checkSealed(codec, keys, bytes, about);
  if (!sealed.ok) return sealed;
  if (isWhole(sealed.value)) return ok(sealed.value.orderId);
  return refuse('CHAIN_BROKEN', 'a seal of a narrower cover, which shreds no event');
}

/** What is sealed of this release's leaf, if `bytes` really is a seal of that block with this leaf opened, and for this node. */
export function checkSealed(
  codec: RecordCodec,
  keys: KeyDirectory,
  bytes: Uint8Array,
  about: {
    readonly origin: MemberId;
    readonly self: MemberId;
    readonly release: Pick<Release, 'block' | 'leaf'>;
  },
): Result<SealedCover, ConcordatError> {
  const opened = codec.decode('OpenedSlot', bytes);
  if (!opened.ok) return opened;
  const statement = verifyStatement(codec, keys, 'LedgerStatement', opened.value.statement, {
    signer: about.origin,
  });
  if (!statement.ok) return statement;
  const { release } = about;
  if (!sameBlock(statement.value.value.block, release.block)) {
    return refuse('CHAIN_BROKEN', 'a seal of another block');
  }
  const slot = verifySlot(codec, statement.value.value, opened.value, release.leaf);
  if (!slot.ok) return slot;
  if (slot.value.kind !== 'SEAL' || slot.value.orderId === null) {
    return refuse('CHAIN_BROKEN', 'a slot that is not sealed');
  }
  const { orderId, recipient, sections } = slot.value;
  if (recipient !== '' && recipient !== about.self) {
    return refuse('NOT_ADDRESSED_HERE', 'a seal of a cover for another recipient');
  }
  return ok({ orderId, recipients: recipient === '' ? [] : [recipient], sections });
}

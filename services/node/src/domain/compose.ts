import { KEY_BYTES, NONCE_BYTES } from '@concordat/common/domain/aead.js';
import { sha256 } from '@concordat/common/domain/bytes.js';
import { ConcordatError, fieldsError } from '@concordat/common/domain/errors.js';
import { headerProblem } from '@concordat/common/domain/header.js';
import type { EventId, Hash, MemberId, UnixMs } from '@concordat/common/domain/ids.js';
import type { Random } from '@concordat/common/domain/ports.js';
import type {
  Audience,
  DerivedFrom,
  Envelope,
  Handling,
  Header,
  Opening,
  RecordCodec,
} from '@concordat/common/domain/records.js';
import { type Result, err, ok } from '@concordat/common/domain/result.js';
import {
  ENVELOPE_SEALED_BYTES_MAX,
  HEADER_VERSION,
  SECTION_PLAINTEXT_BYTES_MAX,
  commit,
  keyCommitment,
  sealSection,
} from '@concordat/common/domain/sealing.js';

/** An event as a national system hands it over, parsed; its sections are already Avro. */
export interface Draft {
  readonly id: EventId;
  readonly category: string;
  readonly schemaHash: Hash;
  readonly sections: ReadonlyMap<string, Uint8Array>;
  readonly collectedAtMs: UnixMs;
  readonly retainUntilMs: UnixMs;
  readonly purposes: readonly string[];
  readonly legalBasis: string;
  readonly handling: Handling;
  readonly supersedes: EventId | null;
  readonly audience: Audience;
  readonly derivedFrom: DerivedFrom;
  /** whom or what it is about, in the spelling of the index; content, so never stored as it is */
  readonly subjects: readonly string[];
}

/** An envelope with the keys that open it; the keys go to the vault and nowhere else. */
export interface Composed {
  readonly id: EventId;
  readonly header: Header;
  readonly audience: Audience;
  readonly derivedFrom: DerivedFrom;
  readonly envelope: Envelope;
  readonly keys: ReadonlyMap<string, Uint8Array>;
  readonly subjects: readonly string[];
  /** of the whole envelope: it travels in a block of limited size */
  readonly bytes: number;
}

/**
 * Seals a draft: a fresh key and nonce per section, commitments to keys, audience and parents.
 *
 * @returns EVENT_INVALID for a field out of range, ENVELOPE_TOO_LARGE with size and limit
 */
export function compose(
  codec: RecordCodec,
  random: Random,
  origin: MemberId,
  draft: Draft,
): Result<Composed, ConcordatError> {
  const keys = new Map<string, Uint8Array>();
  const sealed: { name: string; sealed: Uint8Array }[] = [];
  const headerSections: Header['sections'][number][] = [];
  let sealedBytes = 0;
  for (const [section, plaintext] of draft.sections) {
    const place = { origin, id: draft.id, section, schemaHash: draft.schemaHash };
    const key = random.bytes(KEY_BYTES);
    const bytes = sealSection(plaintext, place, { key, nonce: random.bytes(NONCE_BYTES) });
    if (!bytes) {
      return tooLarge(
        `section ${section} has ${String(plaintext.length)} bytes`,
        SECTION_PLAINTEXT_BYTES_MAX,
      );
    }
    keys.set(section, key);
    sealed.push({ name: section, sealed: bytes });
    sealedBytes += bytes.length;
    headerSections.push({
      name: section,
      ciphertextHash: sha256(bytes),
      keyCommitment: keyCommitment(place, key),
    });
  }
  if (sealedBytes > ENVELOPE_SEALED_BYTES_MAX) {
    return tooLarge(
      `the sealed sections have ${String(sealedBytes)} bytes together`,
      ENVELOPE_SEALED_BYTES_MAX,
    );
  }
  const opening = (value: Uint8Array): Opening => ({ salt: random.bytes(32) as Hash, value });
  const audience = opening(codec.encode('Audience', draft.audience));
  const derivedFrom = opening(codec.encode('DerivedFrom', draft.derivedFrom));
  const header: Header = {
    version: HEADER_VERSION,
    origin,
    id: draft.id,
    category: draft.category,
    schemaHash: draft.schemaHash,
    collectedAtMs: draft.collectedAtMs,
    retainUntilMs: draft.retainUntilMs,
    purposes: draft.purposes,
    legalBasis: draft.legalBasis,
    handling: draft.handling,
    supersedes: draft.supersedes,
    sections: headerSections,
    audience: commit('audience', audience),
    derivedFrom: commit('derived-from', derivedFrom),
  };
  const problem = headerProblem(header);
  if (problem) return err(fieldsError('EVENT_INVALID', [problem]));
  const envelope: Envelope = {
    header: codec.encode('Header', header),
    audience,
    derivedFrom,
    sections: sealed,
  };
  const openings = audience.value.length + derivedFrom.value.length + 2 * audience.salt.length;
  const bytes = envelope.header.length + openings + sealedBytes;
  const { id, subjects } = draft;
  const facts = { audience: draft.audience, derivedFrom: draft.derivedFrom };
  return ok({ id, header, ...facts, envelope, keys, subjects, bytes });
}

function tooLarge(what: string, limit: number): Result<never, ConcordatError> {
  const text = `${what}, at most ${String(limit)}: publish less, or in several events`;
  return err(new ConcordatError('ENVELOPE_TOO_LARGE', text));
}

"""Signed statements and their chains: section 2 of docs/wire-format.md."""

from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from .keys import Trust
from .records import Schemas, demand

SUITE = "concordat-1"
ZEROS = bytes(32)
# kind: (payload type, roles that may sign it)
STATEMENTS = {
    name: (f"application/vnd.concordat.{kebab}.v1+avro", roles)
    for name, kebab, roles in [
        ("BlockStatement", "block-statement", {"node"}),
        ("FeedStatement", "feed-statement", {"consent"}),
        ("LedgerStatement", "ledger-statement", {"node"}),
        ("SealRecord", "seal-record", {"node"}),
        ("PurgeOrder", "purge-order", {"purge-officer", "revocation"}),
        ("PurgeEntry", "purge-entry", {"revocation"}),
        ("FreshnessAnswer", "freshness-answer", {"revocation"}),
        ("Certificate", "certificate", {"revocation"}),
        ("Receipt", "receipt", {"node"}),
        ("MediaErased", "media-erased", {"node"}),
        ("MembershipChange", "membership-change", {"node"}),
        ("DerivationGrant", "derivation-grant", {"node"}),
        ("PurgeApproval", "purge-approval", {"purge-officer"}),
        ("Void", "void", {"node", "consent", "revocation"}),
    ]
}


@dataclass(frozen=True)
class Statement:
    value: dict
    hash: bytes


def pae(payload_type: str, payload: bytes) -> bytes:
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def statement_hash(payload_type: str, payload: bytes) -> bytes:
    return sha256(pae(payload_type, payload)).digest()


class Reader:
    """Reads statements with a trust file."""

    def __init__(self, schemas: Schemas, trust: Trust) -> None:
        self.schemas, self.trust = schemas, trust

    def statement(self, name: str, data: bytes, member: str) -> Statement:
        payload_type, roles = STATEMENTS[name]
        signed = self.schemas.decode("Signed", data)
        demand(signed["payloadType"] == payload_type, f"{name}: another payload type")
        key = self.trust.keys.get(signed["keyId"])
        demand(key is not None, f"{name}: its key is not in the trust file")
        demand(key.member == member, f"{name}: its key is not one of {member}")
        demand(key.role in roles, f"{name}: its key's role may not sign it")
        signed_bytes = pae(payload_type, signed["payload"])
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signed["signature"], signed_bytes)
        except InvalidSignature:
            demand(False, f"{name}: the signature does not hold")
        value = self.schemas.decode(name, signed["payload"])
        demand(value["suite"] == SUITE, f"{name}: another suite")
        demand(value["federation"] == self.trust.federation, f"{name}: another federation")
        demand(value["keyId"] == signed["keyId"], f"{name}: two key ids")
        by = value["holder"] if name in ("Receipt", "MediaErased") else value["origin"]
        demand(by == member, f"{name}: speaks for another member")
        return Statement(value, sha256(signed_bytes).digest())


class Chains:
    """Follows the chains of records that come in order."""

    def __init__(self) -> None:
        self.heads: dict[str, tuple[int, bytes]] = {}

    def follow(self, chain: str, statement: Statement) -> None:
        number, before = self.heads.get(chain, (0, ZEROS))
        value = statement.value
        demand(value["epoch"] == 1, f"{chain}: an epoch other than 1")
        demand(value["number"] == number + 1, f"{chain}: {number + 1} expected, {value['number']} came")
        demand(value["previous"] == before, f"{chain}: {number + 1} does not name the one before")
        self.heads[chain] = (number + 1, statement.hash)

"""Section 9 of docs/wire-format.md: its check values, computed anew."""

from hashlib import sha256

from fastavro.schema import fingerprint

from .events import commitment, key_commitment, seal_section
from .keys import key_id
from .ledger import slot_salt
from .merkle import leaf_hash, partial_proof, root_of
from .statements import STATEMENTS, statement_hash


def check_values() -> list[str]:
    """In the order of the page's table."""
    counting = bytes(range(32))
    header = {
        "origin": "un",
        "id": bytes.fromhex("01890a5dac96774bbcceb302099a8057"),
        "schemaHash": b"\xaa" * 32,
    }
    sealed = seal_section(header, "identity", b"abc", counting, counting[:12])
    leaves = [leaf_hash(text.encode()) for text in "abcde"]
    return [
        fingerprint('"null"', "CRC-64-AVRO"),
        key_id(counting),
        statement_hash(STATEMENTS["Receipt"][0], b"\xc3\x01").hex(),
        sha256(sealed).hexdigest(),
        sealed[-16:].hex(),
        key_commitment("un", header["id"], "identity", counting).hex(),
        commitment("audience", counting, b"value").hex(),
        slot_salt(counting, 5).hex(),
        leaves[0].hex(),
        root_of(leaves).hex(),
        *(one.hex() for one in partial_proof(leaves, {1})),
    ]

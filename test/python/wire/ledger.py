"""Section 6 of docs/wire-format.md: a ledger record and the body that it commits to."""

import hmac
from hashlib import sha256

from .merkle import leaf_hash, root_of
from .records import Schemas, demand
from .statements import ZEROS, Reader, Statement


def slot_salt(seed: bytes, index: int) -> bytes:
    return hmac.digest(seed, b"concordat slot v1" + index.to_bytes(4, "big"), "sha256")[:16]


class Ledger:
    """Reads the records of one ledger; those of one block have to come in order."""

    def __init__(self, reader: Reader, origin: str) -> None:
        self.reader, self.origin = reader, origin
        self.blocks: dict[bytes, tuple[int, bytes, int]] = {}

    def read(self, data: bytes) -> tuple[Statement, dict]:
        """A record of ledger.<origin> by itself: its statement and its body."""
        record = self.reader.schemas.decode("LedgerRecord", data)
        statement = self.reader.statement("LedgerStatement", record["statement"], self.origin)
        if statement.value["kind"] == "PUBLICATION":
            return statement, self._publication(statement.value, record["body"])
        return statement, self._slots(statement.value, record["body"])

    def follow(self, statement: Statement) -> None:
        """That it stands in its place in the chain of its block."""
        value = statement.value
        block = value["block"]["hash"]
        number, before, size = self.blocks.get(block, (-1, ZEROS, value["treeSize"]))
        demand(value["blockNumber"] == number + 1, "ledger: not the next of its block")
        demand(value["blockPrevious"] == before, "ledger: does not name the one before of its block")
        demand(value["treeSize"] == size, "ledger: another tree size than its publication")
        self.blocks[block] = (number + 1, statement.hash, size)

    def _publication(self, value: dict, body: bytes) -> dict:
        demand(value["blockNumber"] == 0, "ledger: a publication that is not the first")
        demand(sha256(body).digest() == value["root"], "ledger: the table is not the signed one")
        table = self.reader.schemas.decode("PublicationTable", body)
        demand(len(table["rows"]) == value["treeSize"], "ledger: not a row for each leaf")
        return table

    def _slots(self, value: dict, body: bytes) -> dict:
        demand(value["blockNumber"] > 0, "ledger: a first record that is no publication")
        kind, size = value["kind"], value["treeSize"]
        if kind == "SEAL":
            table = self.reader.schemas.decode("SealTable", body)
            filled = {"recipient": "", "sections": []}
        else:
            table = self.reader.schemas.decode("SlotTable", body)
            demand(table["kind"] == kind, "ledger: a table of another kind")
            demand(table["recipient"] != "", "ledger: recipient")
            demand(table["orderId"] is None, "ledger: order")
            filled = {"recipient": table["recipient"], "orderId": None}
        listed = {one["leaf"]: {**filled, "kind": kind, **one} for one in table["leaves"]}
        demand(len(listed) == len(table["leaves"]), "ledger: a leaf is listed twice")
        demand(all(0 <= leaf < size for leaf in listed), "ledger: a leaf that is not in the tree")
        slots = [self._slot(table["seed"], index, listed.get(index, {})) for index in range(size)]
        demand(root_of([leaf_hash(slot) for slot in slots]) == value["root"], "ledger: the slots do not lead to the root")
        return table

    def _slot(self, seed: bytes, leaf: int, content: dict) -> bytes:
        empty = {"leaf": leaf, "kind": "EMPTY", "recipient": "", "sections": [], "orderId": None}
        return self.reader.schemas.encode("Slot", {**empty, **content, "salt": slot_salt(seed, leaf)})


def check_against_block(schemas: Schemas, table: dict, headers: list[dict], hashes: list[bytes]) -> None:
    """That a publication's table lists what its block holds."""
    for row, header, header_hash in zip(table["rows"], headers, hashes, strict=True):
        expected = {key: header[key] for key in ("id", "category", "retainUntilMs", "supersedes")}
        demand(row == {**expected, "headerHash": header_hash}, "ledger: a row is not its header's")

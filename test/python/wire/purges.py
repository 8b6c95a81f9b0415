"""Section 7 of docs/wire-format.md: purge entries and the receipts that answer them."""

from .records import demand
from .statements import Reader, Statement

IDS_MAX = 4_096


def read_entry(reader: Reader, data: bytes, origin: str, recipient: str) -> Statement:
    """A record of purge.<origin>.<recipient>."""
    entry = reader.statement("PurgeEntry", data, origin)
    value = entry.value
    demand(value["recipient"] == recipient, "entry: for another recipient")
    demand(1 <= value["part"] <= value["parts"], "entry: part")
    demand(len(value["ids"]) <= IDS_MAX, f"entry: more than {IDS_MAX} ids")
    return entry


def read_receipt(reader: Reader, data: bytes, holder: str, origin: str) -> Statement:
    """A record of receipts.<holder>.<origin>."""
    receipt = reader.statement("Receipt", data, holder)
    value = receipt.value
    demand(value["origin"] == origin, "receipt: for another origin")
    outcomes = {one["outcome"] for one in value["outcomes"]}
    closed = "DELETED" if "DELETED" in outcomes else "NOT_HELD"
    demand(value["stage"] == ("OPEN" if outcomes - {"DELETED", "NOT_HELD"} else closed), "receipt: stage")
    return receipt


def check_answer(entry: Statement, receipt: Statement) -> None:
    """That a receipt answers this entry."""
    asked, answer = entry.value, receipt.value
    demand(answer["holder"] == asked["recipient"], "receipt: of another holder")
    demand(answer["orderId"] == asked["orderId"], "receipt: of another order")
    demand(answer["entryNumber"] == asked["number"], "receipt: of another entry")
    demand(answer["entryHash"] == entry.hash, "receipt: of another text of the entry")
    ids = [outcome["id"] for outcome in answer["outcomes"]]
    demand(sorted(ids) == sorted(asked["ids"]), "receipt: not an outcome for each id of the entry")

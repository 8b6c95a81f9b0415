"""Checks records of Concordat by docs/wire-format.md alone.

    wire_check.py values --schemas schemas
    wire_check.py records --schemas schemas --trust trust.json [--chains] DIRECTORY < keys.json

DIRECTORY holds a folder for each topic, named as it is, with the values of its records in files `<lane>-<place>.bin`. Every
record is checked by itself; --chains also follows the chains from their first record on. keys.json is `{}` or section
keys, `{"<origin>/<id>/<section>": base64url}`: these sections are opened. The answer is JSON on the standard output: nothing of
an event but what was asked for with its key.
"""

import argparse
import json
import sys
from pathlib import Path
from uuid import UUID

from wire.events import open_section, read_block
from wire.feeds import read_feed_block
from wire.keys import from_base64url, read_trust
from wire.ledger import Ledger
from wire.purges import check_answer, read_entry, read_receipt
from wire.records import Refused, Schemas
from wire.statements import Chains, Reader, Statement
from wire.vectors import check_values


class Check:
    def __init__(self, reader: Reader, keys: dict[str, str], with_chains: bool) -> None:
        self.reader, self.keys, self.with_chains = reader, keys, with_chains
        self.chains, self.ledgers = Chains(), {}
        self.entries: dict[tuple[str, str, int], Statement] = {}
        self.opened: dict[str, dict] = {}

    def record(self, topic: str, lane: str, data: bytes) -> dict:
        """What a record says, in a few words. @raises Refused"""
        kind, *members = topic.split(".")
        match kind:
            case "events":
                statement, headers = read_block(self.reader, data, *members)
                said = {"ids": [str(UUID(bytes=header["id"])) for header in headers]}
                chain = f"{topic}/{lane}"
            case "feed":
                statement, released = read_feed_block(self.reader, data, *members)
                said = {"ids": [self.open(one.header, one.sections) for one in released]}
                chain = f"{topic}/{lane}"
            case "ledger":
                ledger = self.ledgers.setdefault(topic, Ledger(self.reader, *members))
                statement, body = ledger.read(data)
                said, chain = {"kind": statement.value["kind"], "recipient": body.get("recipient", "")}, topic
                if self.with_chains:
                    ledger.follow(statement)
            case "purge":
                statement = read_entry(self.reader, data, *members)
                self.entries[(*members, statement.value["number"])] = statement
                said, chain = {"ids": [str(UUID(bytes=one)) for one in statement.value["ids"]]}, topic
            case "receipts":
                statement = read_receipt(self.reader, data, *members)
                said, chain = {"stage": statement.value["stage"]}, topic
                entry = self.entries.get((*reversed(members), statement.value["entryNumber"]))
                if entry is not None:
                    check_answer(entry, statement)
                said["answers"] = entry is not None
            case _:
                raise Refused(f"{topic}: no topic of the page")
        if self.with_chains:
            self.chains.follow(chain, statement)
        return {"signer": statement.value["keyId"], "number": statement.value["number"], **said}

    def open(self, header: dict, sections: dict[str, bytes]) -> str:
        event_id = str(UUID(bytes=header["id"]))
        for name, sealed in sections.items():
            key = self.keys.get(f"{header['origin']}/{event_id}/{name}")
            if key is not None:
                fields = open_section(self.reader.schemas, header, name, sealed, from_base64url(key))
                self.opened.setdefault(event_id, {}).update(fields)
        return event_id


def check_records(args: argparse.Namespace) -> dict:
    reader = Reader(Schemas(args.schemas), read_trust(args.trust))
    check = Check(reader, json.load(sys.stdin), args.chains)
    records: dict[str, dict] = {}
    # by name, so purge entries come before the receipts that answer them
    for file in sorted(args.directory.glob("*/*.bin")):
        topic, lane = file.parent.name, file.stem.split("-")[0]
        try:
            came = check.record(topic, lane, file.read_bytes())
        except Refused as refusal:
            came = {"refused": str(refusal)}
        records[f"{topic}/{file.stem}"] = came
    return {"records": records, "opened": check.opened}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(required=True, dest="verb")
    values, records = verbs.add_parser("values"), verbs.add_parser("records")
    for one in (values, records):
        one.add_argument("--schemas", type=Path, required=True)
    records.add_argument("--trust", type=Path, required=True)
    records.add_argument("--chains", action="store_true")
    records.add_argument("directory", type=Path)
    args = parser.parse_args()
    try:
        if args.verb == "records":
            answer = check_records(args)
        else:
            answer = {"values": check_values(), "prefixes": Schemas(args.schemas).prefixes()}
    except Refused as refusal:  # the trust file
        sys.exit(str(refusal))
    json.dump(answer, sys.stdout, default=str)


if __name__ == "__main__":
    main()

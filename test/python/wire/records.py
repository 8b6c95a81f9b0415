"""Section 1 of docs/wire-format.md: Avro single-object encoding, one encoding per value."""

import io
import json
from pathlib import Path

from fastavro import parse_schema, schemaless_reader, schemaless_writer, validate
from fastavro.schema import fingerprint, to_parsing_canonical_form

MAGIC = b"\xc3\x01"
NUMBER_MAX = 2**53 - 1
RECORD_BYTES_MAX, RECORD_ITEMS_MAX, LEVELS_MAX = 1 << 20, 20_000, 32
LARGE_BYTES_MAX, LARGE_ITEMS_MAX = 16 << 20, 1_000_000
LARGE_RECORDS = {"Signed", "Certificate", "SealEvidence"}


class Refused(Exception):
    """Bytes that are not what the page asks for. The message holds names and numbers, nothing of the content."""


def demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Refused(otherwise)


def version_of(file: Path) -> int:
    """2 of receipt.v2.avsc."""
    return int(file.stem.rsplit(".v", 1)[1])


class Schemas:
    """The folder schemas/: records by name, category schemas by the SHA-256 of their file (events.py)."""

    def __init__(self, folder: Path) -> None:
        self.files = sorted(folder.rglob("*.avsc"))
        self._parsed: dict[str, object] = {}
        # by first ten bytes: record name, and the schema of that version
        self._versions: dict[bytes, tuple[str, object]] = {}
        for file in sorted(self.files, key=version_of):
            schema = json.loads(file.read_text("utf-8"))
            if "category" in schema:
                continue
            canonical = to_parsing_canonical_form(schema)
            # fastavro answers the 8 bytes as they are written, lowest first: of "null" 8a8f25cce724dd63
            prefix = MAGIC + bytes.fromhex(fingerprint(canonical, "CRC-64-AVRO"))
            parsed = parse_schema(schema, _write_hint=False)
            self._versions[prefix] = (schema["name"], parsed)
            self._parsed[schema["name"]] = parsed  # the newest version stays

    def prefixes(self) -> dict[str, str]:
        """Each record's first ten bytes in hex, in the version that is written."""
        return {name: prefix.hex() for prefix, (name, _) in self._versions.items()}

    def encode(self, name: str, value: dict) -> bytes:
        out = io.BytesIO()
        schemaless_writer(out, self._parsed[name], value)
        return bytes.fromhex(self.prefixes()[name]) + out.getvalue()

    def decode(self, name: str, data: bytes) -> dict:
        large = name in LARGE_RECORDS
        demand(len(data) <= (LARGE_BYTES_MAX if large else RECORD_BYTES_MAX), f"{name}: too long")
        came, written = self._versions.get(data[:10], (None, None))
        demand(came == name, f"expected a {name}, came {came or 'an unknown schema'}")
        value = decode_datum(written, data[10:], name)
        items = check_values(value, 0, name)
        demand(items <= (LARGE_ITEMS_MAX if large else RECORD_ITEMS_MAX), f"{name}: too many items")
        newest = self._parsed[name]
        return value if written is newest else schemaless_reader(io.BytesIO(data[10:]), written, newest)


def decode_datum(schema: object, data: bytes, name: str) -> dict:
    """One Avro datum without the first ten bytes, in the one encoding that is allowed for it."""
    source = io.BytesIO(data)
    try:
        value = schemaless_reader(source, schema)
        demand(source.read(1) == b"", f"{name}: bytes are left over")
        demand(validate(value, schema, raise_errors=False), f"{name}: a number out of its range")
    except Refused:
        raise
    except Exception as cause:  # fastavro fails with whatever its reader came upon
        raise Refused(f"{name}: not readable ({type(cause).__name__})") from None
    again = io.BytesIO()
    schemaless_writer(again, schema, value)
    # Shortest varints, booleans of 0 and 1, arrays in one block: fastavro writes nothing else.
    demand(again.getvalue() == data, f"{name}: not the one encoding of its value")
    return value


def check_values(value: object, level: int, name: str) -> int:
    """Refuses numbers beyond 53 bits and too many levels. How many array items there are in all."""
    demand(level <= LEVELS_MAX, f"{name}: too many levels")
    if isinstance(value, dict):
        return sum(check_values(one, level + 1, name) for one in value.values())
    if isinstance(value, list):
        return len(value) + sum(check_values(one, level + 1, name) for one in value)
    if isinstance(value, int):
        demand(abs(value) <= NUMBER_MAX, f"{name}: a number of more than 53 bits")
    return 0

"""Headers, sections, commitments and blocks: section 4 of docs/wire-format.md."""

import json
import re
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from fastavro import parse_schema

from .merkle import leaf_hash, root_of
from .records import Refused, Schemas, decode_datum, demand
from .statements import Reader, Statement

MEMBER = re.compile(r"[a-z]{2,8}")
CATEGORY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*){0,7}")
NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
PADDED = [256, 1024, 4096, 16384, 65536, 196608]
SEALED_BYTES_MAX = 245_760
TREE_SIZE_MAX = 256
NONCE, TAG = 12, 16


def lp(*parts: bytes | str) -> bytes:
    """Each part behind its length."""
    as_bytes = [part.encode() if isinstance(part, str) else part for part in parts]
    return b"".join(len(part).to_bytes(4, "big") + part for part in as_bytes)


def is_uuid7(data: bytes) -> bool:
    return UUID(bytes=data).version == 7


def read_header(schemas: Schemas, data: bytes, origin: str) -> dict:
    header = schemas.decode("Header", data)
    demand(header["version"] == 1, "header: another version")
    demand(bool(MEMBER.fullmatch(header["origin"])), "header: origin is no member id")
    demand(header["origin"] == origin, "header: of another origin")
    demand(is_uuid7(header["id"]), "header: id is no UUIDv7")
    demand(header["supersedes"] is None or is_uuid7(header["supersedes"]), "header: supersedes is no UUIDv7")
    category = header["category"]
    demand(len(category) <= 128 and bool(CATEGORY.fullmatch(category)), "header: no category")
    demand(header["retainUntilMs"] > header["collectedAtMs"], "header: retained before it was collected")
    demand(1 <= len(header["legalBasis"].encode("utf-16-le")) // 2 <= 512, "header: legal basis")
    demand(1 <= header["handling"]["information"] <= 4, "header: grade of information")
    check_names("purposes", header["purposes"], 16)
    check_names("sections", [section["name"] for section in header["sections"]], 32)
    return header


def check_names(what: str, names: list[str], most: int) -> None:
    demand(1 <= len(names) <= most and len(set(names)) == len(names), f"header: {what}")
    demand(all(NAME.fullmatch(name) for name in names), f"header: a name in {what}")


def check_sections(header: dict, wanted: list[str], sections: list[dict]) -> None:
    """Exactly the wanted sections, each with the ciphertext that the header names."""
    hashes = {section["name"]: section["ciphertextHash"] for section in header["sections"]}
    names = [section["name"] for section in sections]
    demand(sorted(names) == sorted(wanted), "envelope: other sections than it should have")
    demand(all(name in hashes for name in names), "envelope: a section that its header does not name")
    for section in sections:
        came = sha256(section["sealed"]).digest()
        demand(came == hashes[section["name"]], "envelope: a section's ciphertext is not its header's")
    demand(sum(len(one["sealed"]) for one in sections) <= SEALED_BYTES_MAX, "envelope: too long")


def commitment(kind: str, salt: bytes, value: bytes) -> bytes:
    return sha256(lp(f"concordat commitment v1 {kind}", salt, value)).digest()


def check_opening(schemas: Schemas, record: str, kind: str, opening: dict | None, committed: bytes) -> None:
    if opening is None:
        return
    came = commitment(kind, opening["salt"], opening["value"])
    demand(came == committed, f"envelope: the opening of {kind} is not its header's")
    schemas.decode(record, opening["value"])


def read_block(reader: Reader, data: bytes, origin: str) -> tuple[Statement, list[dict]]:
    """A record of events.<origin>: its statement and its headers in order."""
    block = reader.schemas.decode("Block", data)
    statement = reader.statement("BlockStatement", block["statement"], origin)
    envelopes = block["envelopes"]
    demand(1 <= len(envelopes) <= TREE_SIZE_MAX, "block: 1 to 256 envelopes")
    demand(len(envelopes) == statement.value["treeSize"], "block: not as many envelopes as it says")
    root = root_of([leaf_hash(envelope["header"]) for envelope in envelopes])
    demand(root == statement.value["root"], "block: the headers do not lead to the root")
    headers = []
    for envelope in envelopes:
        header = read_header(reader.schemas, envelope["header"], origin)
        check_sections(header, [one["name"] for one in header["sections"]], envelope["sections"])
        opened = [("Audience", "audience"), ("DerivedFrom", "derived-from")]
        for record, kind in opened:
            field = record[0].lower() + record[1:]
            check_opening(reader.schemas, record, kind, envelope[field], header[field])
        headers.append(header)
    return statement, headers


def key_commitment(origin: str, event_id: bytes, section: str, key: bytes) -> bytes:
    return sha256(lp("concordat section key v1", origin, event_id, section, key)).digest()


def additional_data(origin: str, event_id: bytes, section: str, schema_hash: bytes) -> bytes:
    return lp(bytes([0, 0, 0, 1]), origin, event_id, section, schema_hash)


def open_section(schemas: Schemas, header: dict, name: str, sealed: bytes, key: bytes) -> dict:
    """A section's fields, read with its key."""
    committed = {section["name"]: section["keyCommitment"] for section in header["sections"]}
    came = key_commitment(header["origin"], header["id"], name, key)
    demand(came == committed.get(name), "section: the key is not the one that the header commits to")
    data = additional_data(header["origin"], header["id"], name, header["schemaHash"])
    try:
        padded = AESGCM(key).decrypt(sealed[:NONCE], sealed[NONCE:], data)
    except InvalidTag:
        raise Refused("section: does not open with its key") from None
    demand(len(padded) in PADDED, "section: padded to another length")
    plain, mark, zeros = padded.rpartition(b"\x80")
    demand(mark == b"\x80" and not zeros.strip(b"\x00"), "section: not padded as it should be")
    smallest = next(size for size in PADDED if size > len(plain))
    demand(len(padded) == smallest, "section: padded further than it has to be")
    return decode_datum(section_schema(schemas, header["schemaHash"], name), plain, f"section {name}")


def seal_section(header: dict, name: str, plain: bytes, key: bytes, nonce: bytes) -> bytes:
    size = next(size for size in PADDED if size > len(plain))
    padded = (plain + b"\x80").ljust(size, b"\x00")
    data = additional_data(header["origin"], header["id"], name, header["schemaHash"])
    return nonce + AESGCM(key).encrypt(nonce, padded, data)


def section_schema(schemas: Schemas, schema_hash: bytes, name: str) -> object:
    """The fields of this section, with the named types of the whole category."""
    for file in schemas.files:
        if sha256(file.read_bytes()).digest() == schema_hash:
            named: dict[str, object] = {}
            whole = parse_schema(json.loads(file.read_text("utf-8")), named)
            fields = [by_name(field) for field in whole["fields"] if field["section"] == name]
            return parse_schema({"type": "record", "name": f"section_{name}", "fields": fields}, named)
    raise Refused("header: no category schema has this hash")


def by_name(part: object) -> object:
    """A part of a schema with each definition of a named type replaced by its name."""
    if isinstance(part, list):
        return [by_name(one) for one in part]
    if not isinstance(part, dict):
        return part
    if part.get("type") in ("record", "enum", "fixed"):
        return part["name"]
    return {key: by_name(one) if key in ("type", "items", "values") else one for key, one in part.items()}

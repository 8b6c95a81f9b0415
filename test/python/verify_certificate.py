"""Verifies certificates of Concordat by docs/certificate.md alone; it shares no line with any other program.

    verify_certificate.py SCHEMAS TRUST FILE...        as in: verify_certificate.py schemas trust.json certificate.json

A line for each file: `complete`, `incomplete: de 1 silent, fr 4 held` (recipient, entry number, why), or `invalid: C3`, the first rule of
the page that does not hold (`file`: its form or own signature). Exit code: 5 if any is invalid, else 8 if any is incomplete, else 0.
"""
import binascii, io, json, re, sys
from base64 import b64decode, b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections import namedtuple
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastavro import parse_schema, schemaless_reader, schemaless_writer, validate
from fastavro.schema import fingerprint, to_parsing_canonical_form

class Invalid(Exception): ...  # the name of a rule that does not hold

def rules(**held: object) -> None:
    """The first that does not hold is the answer."""
    for rule, holds in held.items():
        if not holds:
            raise Invalid(rule)

def is_set(items: list) -> bool:
    return len(set(items)) == len(items)

def same_set(a: list, b: list) -> bool:
    return is_set(a) and is_set(b) and set(a) == set(b)

# ---- 2. keys: points of edwards25519 (RFC 8032 5.1)
P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
GROUP = 2**252 + 27742317777372353535851937790883648493

def point_of(data: bytes) -> tuple | None:
    """RFC 8032 5.1.3, in the only encoding."""
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * pow(2, (P - 1) // 4, P) % P
    if y >= P or v * x * x % P != u or (x == 0 and sign):
        return None
    return (P - x if x & 1 != sign else x, y)

def add(p: tuple, q: tuple) -> tuple:
    cross = D * p[0] * q[0] * p[1] * q[1]
    x, y = (p[0] * q[1] + q[0] * p[1]) * pow(1 + cross, -1, P), (p[1] * q[1] + p[0] * q[0]) * pow(1 - cross, -1, P)
    return (x % P, y % P)

def times(number: int, point: tuple) -> tuple:
    half = times(number >> 1, add(point, point)) if number else (0, 1)
    return add(half, point) if number & 1 else half

Key = namedtuple("Key", "member role person public")
Statement = namedtuple("Statement", "value hash key")

def read_trust(file: Path) -> tuple[str, dict[str, Key]]:
    trust, keys = json.loads(file.read_text("utf-8")), {}
    for member in trust["members"]:
        for key in member["keys"]:
            public = urlsafe_b64decode(key["publicKey"] + "=")
            point = point_of(public) if len(public) == 32 else None
            key_id = urlsafe_b64encode(sha256(public).digest()[:16]).rstrip(b"=").decode()
            good = point not in (None, (0, 1)) and times(GROUP, point) == (0, 1)
            if not good or key["keyId"] != key_id or key_id in keys:
                sys.exit(f"{file}: a key of {member['id']} is not to be trusted")
            keys[key_id] = Key(member["id"], key["role"], key.get("person"), public)
    return trust["federation"], keys

# ---- 3. records, statements, trees
def kebab(name: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"-\1", name).lower()

def count(value: object, level: int = 0) -> int:
    """How many array items there are in all."""
    if level > 32 or (isinstance(value, int) and abs(value) >= 2**53):
        raise ValueError
    if isinstance(value, list):
        return len(value) + sum(count(one, level + 1) for one in value)
    return sum(count(one, level + 1) for one in value.values()) if isinstance(value, dict) else 0

ROLES = {**dict.fromkeys(["BlockStatement", "LedgerStatement", "SealRecord", "Receipt"], ["node"]),
         **dict.fromkeys(["PurgeEntry", "DefaultNotice", "Certificate"], ["revocation"]),
         "PurgeOrder": ["purge-officer", "revocation"], "PurgeApproval": ["purge-officer"]}

class Reader:
    def __init__(self, schemas: Path, trust: Path) -> None:
        self.schemas, self.known = schemas, {}
        self.federation, self.keys = read_trust(trust)

    def versions(self, name: str) -> dict[bytes, dict]:
        """First ten bytes to schema; the newest version stands last."""
        if name not in self.known:
            files = sorted(self.schemas.glob(f"{kebab(name)}.v*.avsc"), key=lambda one: int(one.stem.rsplit(".v", 1)[1]))
            schemas = [json.loads(file.read_text("utf-8")) for file in files]
            prints = [bytes.fromhex(fingerprint(to_parsing_canonical_form(one), "CRC-64-AVRO")) for one in schemas]
            self.known[name] = {b"\xc3\x01" + mark: parse_schema(one) for mark, one in zip(prints, schemas)}
        return self.known[name]

    def decode(self, name: str, data: bytes, rule: str) -> dict:
        bytes_max, items_max = (16 << 20, 1_000_000) if name in ("Signed", "Certificate") else (1 << 20, 20_000)
        versions = self.versions(name)
        written, newest = versions.get(data[:10]), list(versions.values())[-1]
        rules(**{rule: written is not None and len(data) <= bytes_max})
        again = io.BytesIO()
        try:
            value = schemaless_reader(io.BytesIO(data[10:]), written)
            schemaless_writer(again, written, value)
            good = validate(value, written, raise_errors=False) and count(value) <= items_max
        except Exception:  # fastavro fails with whatever its reader came upon
            raise Invalid(rule) from None
        # shortest numbers, arrays in one block, nothing left over: fastavro writes nothing else
        rules(**{rule: good and again.getvalue() == data[10:]})
        return value if newest is written else schemaless_reader(io.BytesIO(data[10:]), written, newest)

    def statement(self, kind: str, data: bytes, member: str, rule: str, signed: dict | None = None) -> Statement:
        signed = signed or self.decode("Signed", data, rule)
        kind_text, payload, signature = signed["payloadType"], signed["payload"], signed["signature"]
        key, r = self.keys.get(signed["keyId"]), point_of(signed["signature"][:32])
        known = key and key.member == member and key.role in ROLES[kind] and r and times(8, r) != (0, 1)
        rules(**{rule: known and kind_text == f"application/vnd.concordat.{kebab(kind)}.v1+avro"})
        pae = b"DSSEv1 %d %s %d %s" % (len(kind_text), kind_text.encode(), len(payload), payload)
        try:
            Ed25519PublicKey.from_public_bytes(key.public).verify(signature, pae)
        except InvalidSignature:
            raise Invalid(rule) from None
        value = self.decode(kind, payload, rule)
        said = [value["suite"], value["federation"], value["keyId"], value["holder" if kind == "Receipt" else "origin"]]
        rules(**{rule: said == ["concordat-1", self.federation, signed["keyId"], member]})
        return Statement(value, sha256(pae).digest(), key)

def tree_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """To which root this leaf leads; the path's last hash is of the half that it is not in (RFC 6962 2.1)."""
    if size <= 1 or not path:
        return sha256(b"\x00" + leaf).digest() if (size, index, path) == (1, 0, []) else None
    half = 1 << ((size - 1).bit_length() - 1)
    left = index < half
    below = tree_root(leaf, index, half, path[:-1]) if left else tree_root(leaf, index - half, size - half, path[:-1])
    return below and sha256(b"\x01" + (below + path[-1] if left else path[-1] + below)).digest()

# ---- 4. the rules
FACTS, EITHER = ["retention", "superseded", "scope_changed", "parent_purged"], ["partner_withdrawn"]
FINAL, WHY = ["DELETED", "NOT_HELD"], {"HELD": "held", "SYSTEMS_OPEN": "systems", "CHILDREN_OPEN": "children"}
MEMBER, NAME = re.compile(r"[a-z]{2,8}"), re.compile(r"[a-z][a-z0-9_-]{0,63}")
CATEGORY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*){0,7}")

def is_event_id(data: bytes) -> bool:
    return data[6] >> 4 == 7 and data[8] >> 6 == 2

def are_names(names: list[str], most: int) -> bool:
    return 1 <= len(names) <= most and is_set(names) and all(NAME.fullmatch(one) for one in names)

def is_well_formed(header: dict) -> bool:
    return bool(
        header["version"] == 1 and MEMBER.fullmatch(header["origin"]) and is_event_id(header["id"])
        and (header["supersedes"] is None or is_event_id(header["supersedes"]))
        and len(header["category"]) <= 128 and CATEGORY.fullmatch(header["category"])
        and header["retainUntilMs"] > header["collectedAtMs"]
        and 1 <= len(header["legalBasis"].encode("utf-16-le")) // 2 <= 512
        and 1 <= header["handling"]["information"] <= 4
        and are_names(header["purposes"], 16) and are_names([one["name"] for one in header["sections"]], 32)
    )

def meets(cover: tuple, recipient: str, sections: list[str]) -> bool:
    recipients, parts = cover
    return (not recipients or recipient in recipients) and (not parts or any(one in parts for one in sections))

def final_of(own: list[Statement]) -> Statement | None:
    return own[-1] if own and own[-1].value["stage"] != "OPEN" else None

def pairs(children: list[dict]) -> list[tuple]:
    return [(one["parent"], one["id"]) for one in children]

class Check:
    """One certificate; `missing` is what keeps it from being complete."""

    def __init__(self, reader: Reader, c: dict, level: int = 1) -> None:
        rules(K5=level <= 8)
        self.reader, self.c, self.level, self.origin = reader, c, level, c["origin"]
        self.held: dict[str, set[bytes]] = {}
        self.missing: list[str] = []
        self.check_order()
        ids, seals = [], []
        for block in c["blocks"]:
            self.check_block(block, ids, seals)
        rules(B6=is_set(seals) and same_set(ids, self.ids), B7=len(seals) == len(self.seal.value["seals"]))
        self.check_holders()
        for holder in c["holders"]:
            self.check_holder(holder["recipient"], holder)

    def read(self, kind: str, data: bytes, rule: str) -> Statement:
        return self.reader.statement(kind, data, self.origin, rule)

    def check_order(self) -> None:
        self.order = self.read("PurgeOrder", self.c["order"], "O1")
        o, role = self.order.value, self.order.key.role
        may = role == "revocation" if o["reason"] in FACTS else role == "purge-officer" or o["reason"] in EITHER
        self.order_id, self.ids, self.cover, cause = o["orderId"], o["ids"], (o["recipients"], o["sections"]), o["cause"]
        good = not cause or (self.cover == ([], []) and cause["parents"] and is_set(cause["parents"]) and cause["origin"] != self.origin)
        rules(O2=may, O3=self.ids and is_set(self.ids), O4=is_set(o["recipients"]) and is_set(o["sections"]),
              O5=good and (cause is not None) == (o["reason"] == "parent_purged"))
        self.seal = self.read("SealRecord", self.c["sealRecord"], "SR1")
        s, (recipients, sections) = self.seal.value, self.cover
        rules(SR2=s["orderId"] == self.order_id and s["orderHash"] == self.order.hash, SR3=same_set(s["ids"], self.ids),
              SR4=same_set(s["recipients"], recipients) and same_set(s["sections"], sections))
        people, counted = {self.order.key.person} - {None}, s["approvals"]
        rules(A1=len(self.c["approvals"]) == len(counted))
        for data, wanted in zip(self.c["approvals"], counted):
            approval = self.read("PurgeApproval", data, "A1")
            a, person = approval.value, approval.key.person
            same = a["orderId"] == self.order_id and a["orderHash"] == self.order.hash
            rules(A1=approval.hash == wanted, A2=same, A3=person is not None and person not in people)
            people.add(person)

    def check_block(self, block: dict, ids: list[bytes], seals: list[tuple]) -> None:
        statement, leaves = self.read("BlockStatement", block["statement"], "B1"), {}
        for one in block["leaves"]:
            leaf, header = one["leaf"], self.reader.decode("Header", one["header"], "B2")
            root = tree_root(one["header"], leaf, statement.value["treeSize"], one["path"])
            rules(B2=is_well_formed(header), B3=header["origin"] == self.origin,
                  B4=root == statement.value["root"] and leaf not in leaves)
            leaves[leaf] = header["id"]
        rules(B5=leaves)
        ids += leaves.values()
        seals += self.check_chain(block["chain"], statement, leaves)

    def check_chain(self, chain: list[dict], block: Statement, leaves: dict[int, bytes]) -> list[tuple]:
        reference = {**{field: block.value[field] for field in ("lane", "epoch", "number")}, "hash": block.hash}
        to_come, seals, before = set(self.cover[0] or [""]), [], bytes(32)
        blocked: dict[int, list[tuple]] = {leaf: [] for leaf in leaves}
        for place, link in enumerate(chain):
            record = self.read("LedgerStatement", link["statement"], "C1")
            r, opened = record.value, link["opened"]
            rules(C12=to_come, C2=r["block"] == reference, C3=r["blockNumber"] == place, C4=r["blockPrevious"] == before,
                  C5=r["treeSize"] == block.value["treeSize"],
                  C6=(r["kind"] == "PUBLICATION") == (place == 0) and (place > 0 or not opened))
            before = record.hash
            if place == 0:
                continue
            rules(C7=len(opened) == len(leaves))
            slots = [self.check_slot(r, one, leaf, leaves[leaf], blocked[leaf]) for one, leaf in zip(opened, leaves)]
            own = [one for one in slots if one["own"]]
            if not own:
                rules(C12=not seals)
                continue
            to = own[0]["recipient"]
            same = all(one["recipient"] == to and same_set(one["sections"], self.cover[1]) for one in own)
            named = {"ledgerNumber": r["number"], "statementHash": record.hash} in self.seal.value["seals"]
            rules(C11=len(own) == len(slots) and same and to in to_come and named)
            to_come.remove(to)
            seals.append((r["epoch"], r["number"]))
        rules(C12=not to_come)
        return seals

    def check_slot(self, record: dict, opened: dict, leaf: int, event: bytes, blocked: list[tuple]) -> dict:
        slot = self.reader.decode("Slot", opened["slot"], "C8")
        included = tree_root(opened["slot"], leaf, record["treeSize"], opened["path"]) == record["root"]
        rules(C8=included and slot["leaf"] == leaf and slot["kind"] in ("EMPTY", record["kind"]))
        recipient, sections = slot["recipient"], slot["sections"]
        slot["own"] = slot["kind"] == "SEAL" and slot["orderId"] == self.order_id
        if slot["kind"] == "RELEASE":
            rules(C9=MEMBER.fullmatch(recipient) and not any(meets(cover, recipient, sections) for cover in blocked))
            if meets(self.cover, recipient, sections):
                self.held.setdefault(recipient, set()).add(event)
        elif slot["kind"] == "SEAL" and not slot["own"]:
            rules(C10=recipient or sections)
            blocked.append(([recipient] if recipient else [], sections))
        return slot

    def check_holders(self) -> None:
        listed, grants, members = self.seal.value["holders"], self.seal.value["grants"], list(self.held)
        same = same_set([one["recipient"] for one in listed], members)
        rules(H1=same and all(same_set(one["ids"], list(self.held[one["recipient"]])) for one in listed),
              H2=same_set([one["recipient"] for one in self.c["holders"]], members),
              H3=is_set([(one["parent"], one["childOrigin"], one["child"]) for one in grants])
              and all(one["parent"] in self.held.get(one["holder"], ()) and one["childOrigin"] == one["holder"] for one in grants))

    def check_holder(self, who: str, holder: dict) -> None:
        entries = self.check_entries(who, holder["entries"])
        answers = self.check_receipts(who, holder["receipts"], entries)
        self.check_notices(who, holder["notices"], [e for e, own in zip(entries, answers) if not final_of(own)])
        complete = self.check_children(who, holder["children"], entries, answers)
        for entry, own in zip(entries, answers):
            whys = dict.fromkeys(self.why_open(who, entry.value["ids"], own, complete))
            self.missing += [f"{who} {entry.value['number']} {why}" for why in whys]

    def check_entries(self, who: str, given: list[bytes]) -> list[Statement]:
        entries, before = [], 0
        for part, data in enumerate(given, 1):
            entry = self.read("PurgeEntry", data, "E1")
            e, (recipients, sections) = entry.value, self.cover
            rules(E2=e["recipient"] == who, E3=e["orderId"] == self.order_id, E4=e["sealRecordHash"] == self.seal.hash,
                  E5=e["part"] == part and e["parts"] == len(given) and e["number"] > before,
                  E6=same_set(e["sections"], sections) and e["recipientsAll"] == (not recipients))
            before = e["number"]
            entries.append(entry)
        rules(E7=same_set([one for entry in entries for one in entry.value["ids"]], list(self.held[who])))
        return entries

    def check_receipts(self, who: str, given: list[bytes], entries: list[Statement]) -> list[list[Statement]]:
        answers, places = [[] for _ in entries], []
        names = [(self.origin, self.order_id, entry.value["number"], entry.hash) for entry in entries]
        for data in given:
            receipt = self.reader.statement("Receipt", data, who, "R1")
            r = receipt.value
            name = (r["origin"], r["orderId"], r["entryNumber"], r["entryHash"])
            rules(R2=name in names)
            places.append(names.index(name))
            answers[places[-1]].append(receipt)
            said = {one["id"]: one["outcome"] for one in r["outcomes"]}
            held, parents = [event for event in said if said[event] == "HELD"], [one["parent"] for one in r["children"]]
            stage = "OPEN" if set(said.values()) - set(FINAL) else "DELETED" if "DELETED" in said.values() else "NOT_HELD"
            own = all(one["origin"] == who and one["parent"] in said for one in r["children"])
            rules(R3=same_set([one["id"] for one in r["outcomes"]], entries[places[-1]].value["ids"]), R4=r["stage"] == stage,
                  R5=same_set([one["id"] for one in r["holds"]], held),
                  R6=own and is_set(pairs(r["children"])) and all(s != "CHILDREN_OPEN" or e in parents for e, s in said.items()))
        rules(R7=places == sorted(places))
        for own in answers:
            self.check_stages(own, [one.value for one in own])
        return answers

    def check_stages(self, own: list[Statement], said: list[dict]) -> None:
        rules(R8=len(said) <= 2 and all(one["opened"] is None for one in said[:1]))
        if len(said) == 2:
            first, second = said
            moves = first["stage"] == "OPEN" and second["stage"] != "OPEN" and second["opened"] == own[0].hash
            was = {one["id"]: one["outcome"] for one in first["outcomes"]}
            kept = [one["outcome"] == (was[one["id"]] if was[one["id"]] in FINAL else "DELETED") for one in second["outcomes"]]
            rules(R8=moves and second["epoch"] == first["epoch"] and second["number"] > first["number"],
                  R9=all(kept) and set(pairs(first["children"])) <= set(pairs(second["children"])))

    def check_notices(self, who: str, given: list[bytes], waiting: list[Statement]) -> None:
        names = [(e.value["epoch"], e.value["number"], e.hash, e.value["timeMs"], e.value["deadlineMs"]) for e in waiting]
        for data in given:
            n = self.read("DefaultNotice", data, "N1").value
            name = tuple(n[field] for field in ("entryEpoch", "entryNumber", "entryHash", "entryTimeMs", "deadlineMs"))
            about = name in names and n["recipient"] == who and n["orderId"] == self.order_id
            rules(N2=about, N3=n["timeMs"] > n["deadlineMs"])
            names.remove(name)

    def check_children(self, who: str, given: list[bytes], entries: list[Statement], answers: list) -> list[bytes]:
        """The hashes of the child certificates that are complete."""
        seen, complete = [], []
        items = [one for own in answers for receipt in own for one in receipt.value["children"]]
        for data in given:
            child = self.reader.statement("Certificate", data, who, "K1")
            named = [one for one in items if one["certificateHash"] == child.hash]
            rules(K2=child.hash not in seen and named)
            seen.append(child.hash)
            check = Check(self.reader, child.value, self.level + 1)
            covered = [one["id"] in check.ids and one["orderId"] == check.order_id for one in named]
            cause = check.order.value["cause"]
            cited = [e.value["ids"] for e in entries if cause and e.hash == cause["entryHash"]]
            elsewhere = not cause or (cause["origin"], cause["orderId"]) != (self.origin, self.order_id)
            rules(K3=all(covered) and check.cover == ([], []),
                  K4=elsewhere or any(set(cause["parents"]) <= set(ids) for ids in cited))
            complete += [] if check.missing else [child.hash]
        return complete

    # ---- 5. complete or not
    def why_open(self, who: str, ids: list[bytes], own: list[Statement], complete: list[bytes]) -> list[str]:
        final = final_of(own)
        if final is None:
            return [WHY[one["outcome"]] for one in own[0].value["outcomes"] if one["outcome"] in WHY] if own else ["silent"]
        children = final.value["children"]
        granted = [one for one in self.seal.value["grants"] if one["holder"] == who and one["parent"] in ids]
        told = all((one["parent"], one["child"]) in pairs(children) for one in granted)
        return [] if told and all(one["certificateHash"] in [None, *complete] for one in children) else ["children"]

# ---- 1. the file
FILE = re.compile(r'\{"payloadType":"([a-z0-9./+-]+)","payload":"([A-Za-z0-9+/]*={0,2})",'
                  r'"signatures":\[\{"keyid":"([A-Za-z0-9_-]{1,64})","sig":"([A-Za-z0-9+/]*={0,2})"\}\]\}')

def verdict_of(reader: Reader, data: bytes) -> str:
    try:
        match = FILE.fullmatch(re.sub(r'("[^"]*")|[ \t\r\n]+', lambda one: one[1] or "", data.decode("utf-8", "replace")))
        rules(file=match and len(data) <= 16 << 20)
        kind, payload, key_id, signature = match.groups()
        octets = [b64decode(text + "===") for text in (payload, signature)]
        rules(file=[b64encode(one).decode() for one in octets] == [payload, signature] and len(octets[1]) == 64 and key_id in reader.keys)
        signed = {"payloadType": kind, "payload": octets[0], "keyId": key_id, "signature": octets[1]}
        missing = Check(reader, reader.statement("Certificate", b"", reader.keys[key_id].member, "file", signed).value).missing
    except (Invalid, binascii.Error) as broken:
        return f"invalid: {broken if isinstance(broken, Invalid) else 'file'}"
    return f"incomplete: {', '.join(missing)}" if missing else "complete"

if __name__ == "__main__":
    shared = Reader(Path(sys.argv[1]), Path(sys.argv[2]))
    verdicts = [verdict_of(shared, Path(file).read_bytes()) for file in sys.argv[3:]]
    print("\n".join(verdicts))
    kinds = [verdict.split(":")[0] for verdict in verdicts]
    sys.exit(5 if "invalid" in kinds else 8 if "incomplete" in kinds else 0)

"""Trust files and public keys: section 2 of docs/wire-format.md."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from .records import Refused, demand

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
ORDER = 2**252 + 27742317777372353535851937790883648493

Point = tuple[int, int, int, int]
NEUTRAL: Point = (0, 1, 1, 0)


@dataclass(frozen=True)
class Key:
    member: str
    role: str
    public: bytes


@dataclass(frozen=True)
class Trust:
    federation: str
    keys: dict[str, Key]


def base64url(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def from_base64url(text: str) -> bytes:
    data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    demand(base64url(data) == text, "base64url that is not in its only spelling")
    return data


def key_id(public: bytes) -> str:
    return base64url(sha256(public).digest()[:16])


def read_trust(file: Path) -> Trust:
    trust = json.loads(file.read_text("utf-8"))
    keys: dict[str, Key] = {}
    for member in trust["members"]:
        for key in member["keys"]:
            public = from_base64url(key["publicKey"])
            demand(is_good_point(public), f"trust file: a public key of {member['id']} is no good point")
            demand(key["keyId"] == key_id(public), f"trust file: a key id of {member['id']} is not its key's")
            demand(key["keyId"] not in keys, f"trust file: a key of {member['id']} stands twice")
            keys[key["keyId"]] = Key(member["id"], key["role"], public)
    return Trust(trust["federation"], keys)


def is_good_point(public: bytes) -> bool:
    """A point of the prime-order group, not the neutral one, in its only encoding (RFC 8032 5.1.3)."""
    if len(public) != 32:
        return False
    try:
        point = decompress(public)
    except Refused:
        return False
    return not is_neutral(point) and is_neutral(times(ORDER, point))


def decompress(data: bytes) -> Point:
    number = int.from_bytes(data, "little")
    sign, y = number >> 255, number & (2**255 - 1)
    demand(y < P, "a point whose y is not below p")
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    if v * x * x % P != u:
        x = x * pow(2, (P - 1) // 4, P) % P
    demand(v * x * x % P == u and not (x == 0 and sign), "no point of the curve")
    if x & 1 != sign:
        x = P - x
    return (x, y, 1, x * y % P)


def add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar: int, point: Point) -> Point:
    result = NEUTRAL
    while scalar:
        if scalar & 1:
            result = add(result, point)
        point, scalar = add(point, point), scalar >> 1
    return result


def is_neutral(point: Point) -> bool:
    return point[0] % P == 0 and (point[1] - point[2]) % P == 0

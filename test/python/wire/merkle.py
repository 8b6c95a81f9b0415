"""Section 3 of docs/wire-format.md: RFC 6962 trees and partial proofs."""

from hashlib import sha256

from .records import Refused, demand


def leaf_hash(leaf: bytes) -> bytes:
    return sha256(b"\x00" + leaf).digest()


def inner_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def root_of(hashes: list[bytes]) -> bytes:
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return inner_hash(root_of(hashes[:k]), root_of(hashes[k:]))


def root_from_partial(kept: dict[int, bytes], size: int, proof: list[bytes]) -> bytes:
    """The root that `proof` leads to from the leaf hashes in `kept`, each at its index."""
    left = iter(proof)

    def walk(start: int, length: int) -> bytes:
        if not any(start <= leaf < start + length for leaf in kept):
            return next(left)
        if length == 1:
            return kept[start]
        k = split(length)
        return inner_hash(walk(start, k), walk(start + k, length - k))

    try:
        root = walk(0, size)
    except StopIteration:
        raise Refused("a hash of the proof is missing") from None
    demand(next(left, None) is None, "a hash of the proof is left over")
    return root


def partial_proof(hashes: list[bytes], kept: set[int]) -> list[bytes]:
    def walk(start: int, part: list[bytes]) -> list[bytes]:
        if not any(start <= leaf < start + len(part) for leaf in kept):
            return [root_of(part)]
        if len(part) == 1:
            return []
        k = split(len(part))
        return walk(start, part[:k]) + walk(start + k, part[k:])

    return walk(0, hashes)

"""Section 5 of docs/wire-format.md: what a recipient checks of a feed block."""

from dataclasses import dataclass

from .events import TREE_SIZE_MAX, check_sections, read_header
from .merkle import leaf_hash, root_from_partial
from .records import demand
from .statements import Reader, Statement


@dataclass(frozen=True)
class Released:
    header: dict
    sections: dict[str, bytes]


def read_feed_block(reader: Reader, data: bytes, origin: str, recipient: str) -> tuple[Statement, list[Released]]:
    """A record of feed.<origin>.<recipient>: its statement, and what was released, in its order."""
    feed = reader.schemas.decode("FeedBlock", data)
    statement = reader.statement("FeedStatement", feed["statement"], origin)
    demand(statement.value["recipient"] == recipient, "feed: for another recipient")
    placed = {}
    for part in feed["blocks"]:
        block = reader.statement("BlockStatement", part["statement"], origin)
        size = block.value["treeSize"]
        demand(1 <= size <= TREE_SIZE_MAX, "feed: a tree of 1 to 256")
        leaves = {envelope["leaf"]: leaf_hash(envelope["header"]) for envelope in part["envelopes"]}
        demand(len(leaves) == len(part["envelopes"]), "feed: a leaf stands twice")
        demand(bool(leaves) and all(0 <= leaf < size for leaf in leaves), "feed: a leaf that is not in the tree")
        root = root_from_partial(leaves, size, part["proof"])
        demand(root == block.value["root"], "feed: headers and proof do not lead to the root")
        for envelope in part["envelopes"]:
            place = (block.hash, envelope["leaf"])
            demand(place not in placed, "feed: an envelope stands twice")
            placed[place] = (block, envelope)
    released = []
    for release in statement.value["releases"]:
        place = (release["block"]["hash"], release["leaf"])
        demand(place in placed, "feed: a release without its envelope")
        released.append(check_release(reader, release, *placed.pop(place)))
    demand(not placed, "feed: an envelope without its release")
    return statement, released


def check_release(reader: Reader, release: dict, block: Statement, envelope: dict) -> Released:
    header = read_header(reader.schemas, envelope["header"], block.value["origin"])
    for part in ("lane", "epoch", "number"):
        demand(release["block"][part] == block.value[part], f"feed: a release names another {part}")
    demand(release["id"] == header["id"], "feed: a release names another id")
    demand(release["headerHash"] == leaf_hash(envelope["header"]), "feed: a release names another header")
    purposes, sections = release["purposes"], release["sections"]
    demand(bool(purposes) and set(purposes) <= set(header["purposes"]), "feed: a release widens the purposes")
    demand(bool(sections) and len(set(sections)) == len(sections), "feed: a release's sections")
    demand(release["deleteByMs"] <= header["retainUntilMs"], "feed: a release retains longer")
    check_sections(header, sections, envelope["sections"])
    return Released(header, {one["name"]: one["sealed"] for one in envelope["sections"]})

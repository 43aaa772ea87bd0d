"""An entry: a public leaf of opaque ids and commitments, and the openings that can be erased apart from it.

Fixed for ever by vectors: a leaf is canonical {"v":1,"kind","time","id","subjects","commitments"}, a
commitment is SHA-256 over canonical {"d":"yinxin/commitment/v1","group","salt","value"}.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from secrets import token_bytes

from ledger import moments
from ledger.canonical import JsonValue, canonical, parse
from ledger.errors import DraftError, LedgerError, ProofError, RecordBrokenError
from ledger.ids import is_id

LEAF_VERSION = 1
LEAF_LIMIT = 65_535  # bytes: an entry bundle gives each entry a 16-bit length (C2SP tlog-tiles)
SALT_LENGTH = 32
ERASURE = "opening.erased"  # the kind of the entry that records that openings were erased
ERASURE_GROUP = "erasure"
COMMITMENT_DOMAIN = "yinxin/commitment/v1"
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}(\.[a-z][a-z0-9_-]{0,39}){0,3}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MEMBERS = {"v", "kind", "time", "id", "subjects", "commitments"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What is to be recorded.

    ``subjects`` are opaque ids, never text about a person; each group gets a commitment.
    """

    kind: str
    subjects: tuple[str, ...]
    groups: Mapping[str, JsonValue]

    def __post_init__(self) -> None:
        for name in (self.kind, *self.groups):
            if not _NAME.fullmatch(name):
                raise DraftError(
                    f"条目类型或字段组名 {name[:60]!r} 不合规；应为小写字母、数字、_、- 和点",
                    f"kind or group {name[:60]!r}: lower-case letters, digits, _, - and dots expected",
                )
        for subject in self.subjects:
            if not is_id(subject):
                raise DraftError(
                    "条目主体不是不透明标识；应为前缀加 26 个 base32 字符",
                    "a subject is not an opaque id; a prefix and 26 base32 characters expected",
                )
        if len(set(self.subjects)) != len(self.subjects):
            raise DraftError("条目主体重复；每个主体只列一次", "a subject is named twice; once expected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """Salt and value behind one commitment."""

    group: str
    salt: bytes
    value: JsonValue

    @classmethod
    def new(cls, group: str, value: JsonValue) -> "Opening":
        """An opening with fresh random salt, so that a guessed value cannot be checked against the leaf."""
        return cls(group=group, salt=token_bytes(SALT_LENGTH), value=value)

    def commitment(self) -> str:
        """The hex digest that stands in the leaf. Raises :class:`NotCanonicalError`."""
        members: dict[str, JsonValue] = {
            "d": COMMITMENT_DOMAIN,
            "group": self.group,
            "salt": self.salt.hex(),
            "value": self.value,
        }
        return sha256(canonical(members)).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """The public part of an entry."""

    kind: str
    time: datetime
    id: str
    subjects: tuple[str, ...]
    commitments: Mapping[str, str]

    def to_bytes(self) -> bytes:
        """The bytes that are hashed into the tree.

        Raises :class:`DraftError` when longer than a bundle holds.
        """
        data = canonical(
            {
                "v": LEAF_VERSION,
                "kind": self.kind,
                "time": moments.to_text(self.time),
                "id": self.id,
                "subjects": self.subjects,
                "commitments": dict(self.commitments),
            }
        )
        if len(data) > LEAF_LIMIT:
            raise DraftError(
                f"条目长 {len(data)} 字节；至多 {LEAF_LIMIT}",
                f"the entry has {len(data)} bytes, at most {LEAF_LIMIT} expected",
            )
        return data

    @classmethod
    def from_bytes(cls, data: bytes) -> "Leaf":
        """Read a leaf. Raises :class:`RecordBrokenError` on anything :meth:`to_bytes` would not write."""
        try:
            return cls._read(parse(data))
        except (LedgerError, ValueError) as error:
            raise RecordBrokenError(f"条目字节不是规范条目：{error}", f"not the bytes of an entry: {error}") from error

    @classmethod
    def _read(cls, value: JsonValue) -> "Leaf":
        if not isinstance(value, dict) or value.keys() != _MEMBERS or value["v"] != LEAF_VERSION or value["v"] is True:
            raise ValueError(f"members {sorted(_MEMBERS)} and version {LEAF_VERSION} expected")
        kind, time, entry_id = value["kind"], value["time"], value["id"]
        subjects, commitments = value["subjects"], value["commitments"]
        if not (isinstance(kind, str) and isinstance(time, str) and isinstance(entry_id, str) and is_id(entry_id)):
            raise ValueError("kind, time and id are strings")
        if not isinstance(subjects, list) or not all(isinstance(subject, str) for subject in subjects):
            raise ValueError("subjects is a list of strings")
        if not isinstance(commitments, dict):
            raise ValueError("commitments is an object")  # noqa: TRY004  all are one broken record
        if not all(isinstance(digest, str) and _DIGEST.fullmatch(digest) for digest in commitments.values()):
            raise ValueError("a commitment is 64 hex digits")
        Draft(kind=kind, subjects=tuple(subjects), groups=commitments)
        return cls(
            kind=kind,
            time=moments.from_text(time),
            id=entry_id,
            subjects=tuple(subjects),
            commitments=commitments,
        )

    def check(self, opening: Opening) -> None:
        """Check that ``opening`` is what this leaf committed to. Raises :class:`ProofError`."""
        if self.commitments.get(opening.group) != opening.commitment():
            raise ProofError(
                f"字段组 {opening.group} 的内容与条目中的承诺不符",
                f"group {opening.group}: the opening does not fit the commitment in the entry",
            )


def prepare(draft: Draft, entry_id: str, now: datetime) -> tuple[Leaf, tuple[Opening, ...]]:
    """The leaf of ``draft`` and the openings with fresh salts."""
    openings = tuple(Opening.new(group, value) for group, value in draft.groups.items())
    commitments = {opening.group: opening.commitment() for opening in openings}
    leaf = Leaf(kind=draft.kind, time=now, id=entry_id, subjects=draft.subjects, commitments=commitments)
    return leaf, openings

"""The receipt of an impression: the ledger's evidence for its entry, to be kept beside the sealed PDF.

A receipt proves nothing by itself: it is judged against the log's key, which the verifier has from elsewhere.
"""

from dataclasses import dataclass
from typing import Any

from ledger.canonical import canonical, parse
from ledger.errors import LedgerError
from ledger.evidence import Evidence

FORM = "yinxin/receipt/v1"
MEDIA_TYPE = "application/vnd.yinxin.receipt+json"
GROUPS = ("application", "document", "case", "numbers", "persons", "approval", "seal", "decision")
"""The groups of an impression's entry whose openings its holder may see."""
LONGEST = 4 * 1024 * 1024


class ReceiptError(Exception):
    """The receipt cannot be read. Whoever gave it must give the one that was issued."""

    code = "receipt-unreadable"

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.zh, self.en = zh, en


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What the service hands out with a sealed file."""

    impression: str
    evidence: Evidence

    def to_json(self) -> dict[str, Any]:
        """Restricted JSON."""
        return {"d": FORM, "impression": self.impression, "evidence": self.evidence.to_json()}

    def to_bytes(self) -> bytes:
        """The canonical bytes of the file."""
        return canonical(self.to_json())

    @classmethod
    def from_bytes(cls, data: bytes) -> "Receipt":
        """Read a receipt from an untrusted hand; white space and member order do not matter.

        Raises :class:`ReceiptError`. The evidence in it is not judged here.
        """
        if len(data) > LONGEST:
            raise ReceiptError(
                f"回执长 {len(data)} 字节，至多 {LONGEST}", f"{len(data)} bytes, at most {LONGEST} expected"
            )
        try:
            return cls.from_json(parse(data))
        except LedgerError as error:
            raise ReceiptError(f"回执不可读：{error.zh}", f"the receipt cannot be read: {error.en}") from error

    @classmethod
    def from_json(cls, value: Any) -> "Receipt":  # noqa: ANN401  a parsed JSON value, judged here
        """As :meth:`from_bytes`, from parsed JSON. Raises :class:`ReceiptError`."""
        if not isinstance(value, dict) or value.keys() != {"d", "impression", "evidence"} or value["d"] != FORM:
            raise ReceiptError(
                f"不是本系统的回执；应有 d={FORM}、impression、evidence",
                f"not a receipt of this kind; d={FORM}, impression and evidence expected",
            )
        if not isinstance(value["impression"], str):
            raise ReceiptError("impression 应为文字", "impression should be text")
        try:
            return cls(impression=value["impression"], evidence=Evidence.from_json(value["evidence"]))
        except LedgerError as error:
            raise ReceiptError(f"回执不可读：{error.zh}", f"the receipt cannot be read: {error.en}") from error

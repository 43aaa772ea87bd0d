"""What every stored record is: strict, frozen, with an opaque id, made of restricted JSON only."""

from base64 import b32encode
from hashlib import sha256
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from ledger.canonical import canonical
from registry.errors import RecordInvalidError
from registry.fields import RecordId, UtcTime

_Model = TypeVar("_Model", bound=BaseModel)


class Part(BaseModel):
    """A piece of a record."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


class Record(Part):
    """A record that the store keeps, with its opaque id."""

    id: RecordId


class DatedRecord(Record):
    """A record that holds from a moment until another, or until further notice."""

    valid_from: UtcTime
    valid_until: UtcTime | None

    @model_validator(mode="after")
    def _runs_forward(self) -> Self:
        if self.valid_until is not None and self.valid_from >= self.valid_until:
            raise ValueError("有效期的起始须早于终止 / the period must begin before it ends")
        return self


def build(model: type[_Model], **values: Any) -> _Model:  # noqa: ANN401  the model judges each value
    """Make a ``model`` of Python values. Raises :class:`RecordInvalidError` ``record-invalid``."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise _invalid(model, error) from error


def read(model: type[_Model], value: Any) -> _Model:  # noqa: ANN401  parsed JSON, judged by the model
    """Make a ``model`` of parsed JSON. Raises :class:`RecordInvalidError`, ``NotCanonicalError``."""
    try:
        return model.model_validate_json(canonical(value))
    except ValidationError as error:
        raise _invalid(model, error) from error


def _invalid(model: type[BaseModel], error: ValidationError) -> RecordInvalidError:
    zh, en = reasons(error, whole=model.__name__)
    return RecordInvalidError(
        "record-invalid",
        f"{model.__name__} 内容不合格：{zh}",
        f"{model.__name__} is not acceptable: {en}",
    )


def reasons(error: ValidationError, *, whole: str = "") -> tuple[str, str]:
    """All that is wrong in Chinese and in English, each with its place; ``whole`` names what concerns no single field.

    The values found are left out: one may be a secret or a person's data.
    """
    chinese, english = [], []
    for each in error.errors(include_input=False, include_url=False):
        where = ".".join(map(str, each["loc"])) or whole
        before = f"{where}: " if where else ""
        zh, en = sentences(each["msg"])
        chinese.append(before + zh)
        english.append(before + en)
    return "; ".join(chinese), "; ".join(english)


def sentences(message: str) -> tuple[str, str]:
    """What a validator said, in Chinese and English: ours write ``中文 / English``, the library's stands for both."""
    zh, _, en = message.removeprefix("Value error, ").partition(" / ")
    return zh, en or zh


def derived_id(prefix: str, *parts: str) -> str:
    """The id of a record that there can be only one of for ``parts``, e.g. the status of an impression.

    A row that was deleted cannot be mistaken for one that never was: the ledger knows the id.
    """
    digest = sha256(canonical({"d": "yinxin/derived-id/v1", "prefix": prefix, "parts": parts})).digest()
    return f"{prefix}-{b32encode(digest[:16]).decode('ascii').rstrip('=').lower()}"

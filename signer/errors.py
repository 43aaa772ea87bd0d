"""What the signer refuses, grouped by who can act on it."""


class SignerError(Exception):
    """Root of the refusals: ``code`` is stable, ``zh`` and ``en`` say what was found and expected."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        super().__init__(f"{zh} / {en}")
        self.code = code
        self.zh = zh
        self.en = en

    def __reduce__(self) -> tuple[type["SignerError"], tuple[str, str, str]]:
        """Pickle by the three fields, so that an error keeps its class across processes."""
        return type(self), (self.code, self.zh, self.en)


class DocumentRejectedError(SignerError):
    """The PDF cannot be sealed as it is. Its author must deliver another one."""


class PlacementError(SignerError):
    """The seal cannot stand where it was asked to. The caller must choose another place."""


class MissingGlyphError(SignerError):
    """The font lacks a character of the seal's text. An operator must provide a font that has it."""


class PreparedFileError(SignerError):
    """The prepared file is not what it should be: other approved bytes, or another layout than stated."""


class ReserveOverflowError(SignerError):
    """The signature with its certificates does not fit into its place. Raised before the key is used."""


class SignatureMismatchError(SignerError):
    """The certificate's public key does not verify the signature. Nothing was written."""

"""The pages of a revision of a file as pictures."""

from collections.abc import Iterator
from contextlib import contextmanager

import signer.page_pictures
from signer.page_pictures import Pictures
from verify.pdf_syntax import FileBytes
from verify.revision_bytes import revision_bytes


@contextmanager
def pictures(data: FileBytes, length: int | None = None) -> Iterator[Pictures]:
    """The pages of the first ``length`` bytes of the file, with their seals. Raises ``pypdfium2.PdfiumError``."""
    with signer.page_pictures.pictures(revision_bytes(data, length)) as shown:
        yield shown

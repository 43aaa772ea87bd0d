"""A longer copy of a file: what it has, and one revision more."""

import os
from pathlib import Path


def write_extended(source: Path, target: Path, length: int, appended: bytes) -> None:
    """Write the first ``length`` bytes of ``source`` and then ``appended`` to the new file ``target``.

    Copied file to file inside the kernel. Raises ``FileExistsError``; a half-written target is removed.
    """
    with source.open("rb") as read, target.open("xb") as written:
        try:
            _copy(read.fileno(), written.fileno(), length)
            written.seek(length)
            written.write(appended)
        except BaseException:
            target.unlink()
            raise


def _copy(source: int, target: int, length: int) -> None:
    done = 0
    while done < length:
        try:
            count = os.copy_file_range(source, target, length - done, done, done)
        except OSError:
            # Another file system, or one without the call.
            os.lseek(target, done, os.SEEK_SET)
            count = os.sendfile(target, source, done, length - done)
        if count == 0:
            raise OSError(f"the source ended after {done} of {length} bytes")
        done += count

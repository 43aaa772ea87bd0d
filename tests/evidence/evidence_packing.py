"""Members into a ZIP file, as anybody could."""

import zipfile
from collections.abc import Mapping
from io import BytesIO


def packed(members: Mapping[str, bytes]) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return target.getvalue()

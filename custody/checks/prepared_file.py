"""The prepared file, hashed here from the caller's descriptor."""

from custody.checks.refusal import refuse, refuse_unless
from custody.requests import UseRequest
from signer.byte_layout import Layout
from signer.cms import SignedAttributes
from signer.errors import PreparedFileError
from signer.prepared_file import digests


def check_file(request: UseRequest, attributes: SignedAttributes) -> tuple[Layout, str]:
    """The layout, and ``sha256:…`` of the approved prefix, of a file whose ByteRange is what the attributes are about.

    The file is read once, so prefix and ByteRange are of the same bytes even when the caller changes it meanwhile.
    """
    if request.file is None:
        refuse("没有附上准备好的文件", "the prepared file did not come along")
    try:
        layout = Layout.from_json((request.grounds or {})["layout"])
        prefix, covered = digests(request.file, layout)
    except PreparedFileError as error:
        refuse(error.zh, error.en)
    except (KeyError, TypeError, ValueError, OSError) as error:
        refuse(
            f"准备好的文件或其布局不可读（{type(error).__name__}）",
            f"the prepared file or its layout cannot be read ({type(error).__name__})",
        )
    refuse_unless(
        covered == attributes.message_digest,
        f"文件的 ByteRange 摘要为 {covered.hex()}，要签名的是 {attributes.message_digest.hex()}",
        f"the file's ByteRange has the digest {covered.hex()}, to be signed is {attributes.message_digest.hex()}",
    )
    return layout, "sha256:" + prefix.hex()

"""The words about a person's own ways in, in both languages."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "password_title": ("密码", "Password"),
    "old_password": ("现在的密码", "Present password"),
    "change_password": ("更改密码", "Change the password"),
    "change_password_hint": ("更改后，其他所有地方自动退出。", "Every other place is signed out with it."),
    "totp_title": ("动态口令", "Codes from the telephone"),
    "totp_on": ("已启用：登录时除密码外还要输入动态口令。", "In use: beside the password a code is asked for."),
    "totp_off": ("未启用。", "Not in use."),
    "totp_begin": ("启用动态口令", "Use codes"),
    "totp_remove": ("停用动态口令", "Stop using codes"),
    "totp_intro": (
        "用手机上的动态口令应用扫描图形，或输入下面的密钥；再输入应用显示的 6 位数字。此密钥只显示这一次。",
        "Scan the picture with an authenticator app or type the secret; then type the six digits it shows. Shown once.",
    ),
    "totp_picture": ("动态口令密钥的二维码", "QR code of the secret"),
    "totp_secret": ("密钥", "Secret"),
    "totp_digits": ("应用显示的 6 位数字", "The six digits"),
    "totp_confirm": ("确认", "Confirm"),
    "remove": ("删除", "Remove"),
    "end_session": ("退出", "Sign out"),
}

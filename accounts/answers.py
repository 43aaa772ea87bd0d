"""What a try to sign in is answered with. Answers are values, never errors: the record of a try must be committed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from accounts.sessions import Factors

Method = Literal["passkey", "totp"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """No, with a stable ``code`` and a sentence for the visitor in Chinese and in English."""

    code: str
    zh: str
    en: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondFactor:
    """The password was right; one of ``methods`` is asked for, within five minutes.

    ``options`` go to ``navigator.credentials.get`` where a passkey is one of them; ``refusal`` says why it is asked
    again.
    """

    handle: str = field(repr=False)
    methods: tuple[Method, ...]
    options: Mapping[str, Any] | None
    refusal: Refused | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """A session is open; ``token`` is told once.

    With ``must_add_passkey`` the person's role asks for a passkey and there is none yet: adding one, and signing in
    with it, is all that the session is for.
    """

    token: str = field(repr=False)
    person: str
    factors: Factors
    must_add_passkey: bool


Answer = SignedIn | SecondFactor | Refused

NO: Final = Refused(
    code="sign-in-refused",
    zh="登录名或密码不正确，或因多次失败暂时不能登录；请核对后再试，或稍后再试",
    en="the sign-in name or password is wrong, or signing in has to wait after several failures; "
    "please check and try again, or later",
)
"""The same for an unknown name, a wrong password and a locked account: the history tells the person which."""

WRONG_CODE: Final = Refused(
    code="totp-refused",
    zh="动态口令不正确或已用过；请输入手机上新的6位数字",
    en="the code is wrong or was used before; please enter the new six digits",
)

GONE: Final = Refused(
    code="sign-in-gone",
    zh="本次登录已用过或已超过5分钟；请重新登录",
    en="this sign-in was used before or is older than five minutes; please sign in again",
)

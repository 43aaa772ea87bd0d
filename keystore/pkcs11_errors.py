"""What a module's return value (CKR_…, PKCS #11 2.40 section 5.1.6) means to whoever called the keystore."""

from collections.abc import Mapping
from typing import Final

from pkcs11 import exceptions as ckr

from keystore.interface import (
    KeyNotWrittenError,
    KeyServiceBusyError,
    KeystoreError,
    ModuleGoneError,
    PinLockedError,
    PinWrongError,
    TokenAbsentError,
)

_MEANING: Final[Mapping[type[ckr.PKCS11Error], type[KeystoreError]]] = {
    ckr.PinIncorrect: PinWrongError,
    ckr.PinInvalid: PinWrongError,
    ckr.PinLenRange: PinWrongError,
    ckr.UserPinNotInitialized: PinWrongError,
    ckr.PinExpired: PinLockedError,
    ckr.PinLocked: PinLockedError,
    ckr.TokenNotPresent: TokenAbsentError,
    ckr.TokenNotRecognised: TokenAbsentError,
    ckr.DeviceRemoved: TokenAbsentError,
    ckr.SlotIDInvalid: TokenAbsentError,
    ckr.SessionCount: KeyServiceBusyError,
    ckr.TokenWriteProtected: KeyNotWrittenError,
    ckr.SessionReadOnly: KeyNotWrittenError,
    ckr.DeviceMemory: KeyNotWrittenError,
    ckr.MechanismInvalid: KeyNotWrittenError,
    ckr.DomainParamsInvalid: KeyNotWrittenError,
    ckr.KeySizeRange: KeyNotWrittenError,
    ckr.AttributeTypeInvalid: KeyNotWrittenError,
    ckr.AttributeValueInvalid: KeyNotWrittenError,
    ckr.TemplateIncomplete: KeyNotWrittenError,
    ckr.TemplateInconsistent: KeyNotWrittenError,
}
"""Everything else means that the module does not work as it should: :class:`ModuleGoneError`."""

_SENTENCES: Final[Mapping[type[KeystoreError], tuple[str, str]]] = {
    PinWrongError: ("令牌不接受 PIN", "the token refused the PIN"),
    PinLockedError: ("令牌的 PIN 已锁定或过期", "the token's PIN is locked or has expired"),
    TokenAbsentError: ("令牌不在", "the token is not there"),
    KeyServiceBusyError: ("令牌不再接受新会话", "the token takes no more sessions"),
    KeyNotWrittenError: ("令牌不能这样建立密钥", "the token cannot make such a key"),
    ModuleGoneError: ("密码模块不能工作", "the module does not work"),
}

LOST: Final = (
    ckr.SessionHandleInvalid,
    ckr.SessionClosed,
    ckr.UserNotLoggedIn,
    ckr.ObjectHandleInvalid,
    ckr.KeyHandleInvalid,
    ckr.DeviceRemoved,
    ckr.DeviceError,
    ckr.TokenNotPresent,
    ckr.TokenNotRecognised,
    ckr.SlotIDInvalid,
    ckr.GeneralError,
    ckr.FunctionFailed,
    ckr.OperationActive,
    ckr.OperationNotInitialized,
)
"""What a session says that has ended, or whose token was away. None of these comes with a signature."""


def told(error: ckr.PKCS11Error, token: object) -> KeystoreError:
    """The error a caller is told; ``token`` names the token or the module."""
    kind = next((_MEANING[each] for each in type(error).__mro__ if each in _MEANING), ModuleGoneError)
    zh, en = _SENTENCES[kind]
    found = type(error).__name__ if type(error) is not ckr.PKCS11Error else str(error)
    return kind(f"{zh}：{token}（{found}）", f"{en}: {token} ({found})")

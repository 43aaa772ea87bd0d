"""What is done with keys, in the one thread that may touch the backend: check, record, then use."""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import BinaryIO

from custody.clock import Clock
from custody.permits import digest_text
from custody.requests import CheckState, UseRequest
from custody.settings import Step
from custody.state import State, about_key
from custody.uses import Event, UseLine, UseRecord
from keystore.interface import (
    Algorithm,
    Destruction,
    KeyNotFoundError,
    Keystore,
    KeystoreError,
    Permit,
    PermitError,
    PinLockedError,
    PinWrongError,
    Purpose,
    SigningKey,
)
from ledger.canonical import JsonValue

Check = Callable[[UseRequest, CheckState, datetime], Mapping[str, JsonValue]]
"""Judges a use; raises a ``KeystoreError`` against it, else tells what the record shall say ``about`` it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A use asked for over a connection whose permit was redeemed."""

    key: str
    purpose: str
    message: bytes = field(repr=False)
    grounds: Mapping[str, JsonValue] | None = field(repr=False)
    file: BinaryIO | None = field(repr=False)


class KeyWork:
    """Everything that touches the backend, the record or the state. For one thread."""

    def __init__(
        self,
        opening: Callable[[], Keystore],
        record: UseRecord,
        state: State,
        *,
        check: Check,
        clock: Clock,
        pin_version: Callable[[], object] = lambda: None,
    ) -> None:
        """``opening`` opens the backend; it is called at the first need, and again while it fails.

        ``pin_version`` tells whether the PIN may be another one since.
        """
        self._opening = opening
        self._record = record
        self._state = state
        self._check = check
        self._clock = clock
        self._backend: Keystore | None = None
        self._pin_version = pin_version
        self._given_up: tuple[KeystoreError, object] | None = None
        self._handles: dict[str, SigningKey] = {}
        self.kill_at: Step | None = None

    def open_backend(self) -> Keystore:
        """The backend, opened.

        A PIN that was refused is not tried a second time by this process: tries are counted by the token. Once its
        source has changed, it is another one.
        """
        if self._given_up is not None and self._given_up[1] == self._pin_version():
            raise self._given_up[0]
        if self._backend is None:
            version = self._pin_version()
            try:
                self._backend = self._opening()
            except (PinWrongError, PinLockedError) as error:
                self._given_up = (error, version)
                raise
            self._given_up = None
            self._adopt_all()
        return self._backend

    def open(self, ref: str) -> SigningKey:
        """The handle of a key. Raises ``keystore`` errors."""
        handle = self._handles.get(ref)
        if handle is None:
            handle = self._handles[ref] = self.open_backend().open(ref)
        return handle

    def sign(self, use: Use) -> bytes:
        """Check, record and use. Raises ``keystore`` errors, among them what the checks found."""
        handle = self.open(use.key)
        if use.purpose != handle.purpose:
            raise PermitError(
                f"许可的用途为 {use.purpose}，密钥 {handle.ref} 的用途为 {handle.purpose}",
                f"the permit is for the purpose {use.purpose}, key {handle.ref} has {handle.purpose}",
            )
        if not self._state.knows(handle.ref):
            self._adopt(handle)
        about = self._check(self._request(handle, use), self._state, self._clock())
        permit = Permit.to_sign(handle, use.message)
        kill_at("before_record", self.kill_at)
        line = self._append("use", handle, message=digest_text(use.message), about=about)
        kill_at("after_record", self.kill_at)
        try:
            signature = handle.sign(permit, use.message)
        except KeystoreError as error:
            self._handles.pop(use.key, None)
            self._append("failure", handle, message=line.message, about={"use": line.n, "code": error.code})
            raise
        kill_at("after_use", self.kill_at)
        return signature

    def generate(self, purpose: Purpose, algorithm: Algorithm) -> SigningKey:
        """Make a key; its generation is recorded before anybody learns of it. Raises ``keystore`` errors."""
        handle = self.open_backend().generate(purpose, algorithm)
        self._append("generation", handle, about=about_key(handle, "generated"))
        self._handles[handle.ref] = handle
        return handle

    def destroy(self, ref: str, grounds: Mapping[str, JsonValue] | None) -> Destruction:
        """Check, destroy, and record what the backend says of it. Raises ``keystore`` errors."""
        handle = self.open(ref)
        use = Use(key=ref, purpose=handle.purpose, message=b"", grounds=grounds, file=None)
        about = self._check(replace(self._request(handle, use), ends=True), self._state, self._clock())
        destruction = self.open_backend().destroy(ref)
        self._handles.pop(ref, None)
        self._append("destruction", handle, about={**about, "evidence": dict(destruction.evidence)})
        return destruction

    def refs(self) -> list[str]:
        """The references of all keys. Raises ``keystore`` errors."""
        return self.open_backend().refs()

    def uses(self, after: int, most: int) -> list[UseLine]:
        """Lines of the record from number ``after`` on."""
        return self._record.after(after, most)

    def _request(self, handle: SigningKey, use: Use) -> UseRequest:
        return UseRequest(
            key_ref=handle.ref,
            purpose=handle.purpose,
            algorithm=handle.algorithm,
            public_key=handle.public_key,
            message=use.message,
            grounds=use.grounds,
            file=use.file,
        )

    def _append(
        self,
        event: Event,
        handle: SigningKey,
        *,
        message: str | None = None,
        about: Mapping[str, JsonValue],
    ) -> UseLine:
        line = self._record.append(
            event, self._clock(), key=handle.ref, purpose=handle.purpose, message=message, about=about
        )
        self._state.note(line)
        return line

    def _adopt_all(self) -> None:
        """Keys that were here before the record was begun."""
        if self._record.size == 0:
            for ref in self.refs():
                with suppress(KeyNotFoundError):  # destroyed meanwhile by the backend's own tools
                    self._adopt(self.open(ref))

    def _adopt(self, handle: SigningKey) -> None:
        self._append("generation", handle, about=about_key(handle, "adopted"))


def kill_at(step: Step, chosen: Step | None) -> None:
    """A place where a crash test may kill this process."""
    if step == chosen:
        os.kill(os.getpid(), signal.SIGKILL)

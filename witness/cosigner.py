"""The one thing a witness does: cosign a checkpoint that extends all it has cosigned before."""

from collections.abc import Callable, Mapping
from datetime import datetime
from threading import Lock

from keystore.interface import SigningKey
from ledger.checkpoint import LogIdentity, check_signature
from ledger.cosignature import WitnessIdentity, cosign
from ledger.errors import CheckpointError, ProofError
from ledger.merkle import verify_consistency
from witness.errors import ConflictError, InconsistentError, NotNowError, SignatureError, UnknownLogError
from witness.request import AddCheckpoint, read_request
from witness.state import Seen, State


class Cosigner:
    """One witness: its key, the logs it follows, and what it has seen of them. Shared by threads."""

    def __init__(
        self, identity: WitnessIdentity, key: SigningKey, logs: Mapping[str, LogIdentity], state: State
    ) -> None:
        """``logs`` by origin."""
        self.identity = identity
        self._key = key
        self._logs = logs
        self._state = state
        self._lock = Lock()

    def add_checkpoint(self, body: bytes, clock: Callable[[], datetime]) -> str:
        """The cosignature line, ended by a newline (C2SP tlog-witness, add-checkpoint).

        ``clock`` gives the present time; it is asked once this request is the only one. The state is on
        disk before the key is used. Raises :class:`RefusedError`, KeystoreError.
        """
        request = read_request(body)
        self._check_signed(request)
        with self._lock:
            self._check_extends(request)
            now = clock()
            self._remember(request, now.replace(microsecond=0))
            return cosign(str(request.note), self.identity, self._key, now) + "\n"

    def _check_signed(self, request: AddCheckpoint) -> None:
        origin = request.checkpoint.origin
        if origin not in self._logs:
            raise UnknownLogError("log-unknown", f"不见证日志 {origin!r}", f"the log {origin!r} is not followed here")
        try:
            check_signature(request.note, self._logs[origin])
        except CheckpointError as error:
            raise SignatureError("signature-invalid", error.zh, error.en) from error

    def _check_extends(self, request: AddCheckpoint) -> None:
        seen, asked = self._state.last(request.checkpoint.origin), request.checkpoint
        if request.old_size != seen.size:
            raise ConflictError(
                "size-conflict",
                f"最近见证的大小为 {seen.size}，请求称 {request.old_size}",
                f"the last cosigned size is {seen.size}, the request says {request.old_size}",
                size=seen.size,
            )
        if asked.size == seen.size and asked.root != seen.root:
            raise ConflictError(
                "root-conflict",
                f"大小 {seen.size} 已见证过另一树根",
                f"another root was cosigned for size {seen.size}",
                size=seen.size,
            )
        try:
            verify_consistency(seen.size, asked.size, request.proof, first_root=seen.root, second_root=asked.root)
        except ProofError as error:
            raise InconsistentError("proof-invalid", error.zh, error.en) from error

    def _remember(self, request: AddCheckpoint, time: datetime) -> None:
        asked = request.checkpoint
        last = self._state.last(asked.origin).time
        if time < last:
            raise NotNowError(
                "clock-behind",
                f"见证时钟为 {time.isoformat()}，早于上次见证的 {last.isoformat()}",
                f"the witness's clock says {time.isoformat()}, before its last cosignature at {last.isoformat()}",
            )
        try:
            self._state.advance(asked.origin, Seen(size=asked.size, root=asked.root, time=time, note=str(request.note)))
        except OSError as error:
            raise NotNowError(
                "state-not-written", "见证状态写不下，未见证", "the state could not be written; nothing was cosigned"
            ) from error

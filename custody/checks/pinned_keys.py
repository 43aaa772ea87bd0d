"""From the key id in a statement to the key that this process has pinned itself."""

from custody.checks.refusal import refuse, refuse_unless
from custody.checks.shown_entry import shown_entry
from custody.errors import CustodyError
from custody.pins import Pin, Pins, registration
from custody.requests import CheckState, UseRequest
from registry.errors import EvidenceError
from registry.statements import RegisteredKey

REGISTRATIONS = ("person_key.registered", "client_approval_key.registered")


class PinnedKeys:
    """Finds the pin of a key; learns a key whose registration is shown in the grounds under ``name``, if it may."""

    def __init__(self, request: UseRequest, state: CheckState, name: str) -> None:
        self._request = request
        self._state = state
        self._name = name

    def __call__(self, key_id: str) -> RegisteredKey | None:
        """The key. Refuses one that is not pinned and cannot be."""
        pins = Pins(self._state.pins)
        try:
            pin = pins.find(key_id)
            if pin is None and self._state.learns:
                pin = self._shown(key_id)
                pins.add(pin)
        except CustodyError as error:
            refuse(error.zh, error.en)
        if pin is None or not (self._state.learns or pin.how == "listed"):
            refuse(f"密钥 {key_id} 未固定在本进程", f"the key {key_id} is not pinned here")
        return pin.registered()

    def _shown(self, key_id: str) -> Pin:
        entry = shown_entry(self._request, self._state, self._name, kinds=REGISTRATIONS)
        try:
            pin = registration(entry.leaf.kind, entry.group("body"))
        except (ValueError, EvidenceError) as error:
            refuse(
                f"第 {entry.index} 条不是本人密钥或批准密钥的登记",
                f"entry {entry.index} registers no key of a person and no approval key: {error}",
            )
        refuse_unless(
            pin.id == key_id,
            f"附上的是密钥 {pin.id} 的登记，声明由 {key_id} 签名",
            f"the registration of key {pin.id} came along, the statement is signed by {key_id}",
        )
        return pin

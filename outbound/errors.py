"""What can go wrong with a call to another host. No message holds a credential or a part of an address but its host."""


class OutboundError(Exception):
    """Root; ``code`` is stable, ``zh`` and ``en`` say what was found and what was expected."""

    def __init__(self, code: str, zh: str, en: str) -> None:
        """Keep the code and both sentences."""
        super().__init__(f"{zh} / {en}")
        self.code, self.zh, self.en = code, zh, en


class OutboundRefusedError(OutboundError):
    """The address is not one that this installation calls. An operator must change the settings."""


class OutboundFailedError(OutboundError):
    """The other host did not give a usable answer in time. The call may be made again."""

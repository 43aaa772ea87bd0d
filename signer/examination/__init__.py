"""The parts of ``signer.examine``, one theme a module."""

"""Functions that behave badly, run in a worker by the tests beside this folder."""

import fcntl
import os
import resource
import sys
import time


class BentPageError(Exception):
    def __init__(self) -> None:
        super().__init__("not to be told")
        self.code, self.zh, self.en = "bent-page", "页面弯曲", "The page is bent"


class HalfTypedError(Exception):
    code = "half"


def echo(value: object) -> object:
    return value


def abort() -> None:
    os.abort()


def loop() -> None:
    while True:
        pass


def hoard() -> int:
    return len(bytearray(4 << 30))


def flood(size: int) -> str:
    return "x" * size


def environment() -> dict[str, object]:
    with open("/proc/self/environ", "rb") as file:  # noqa: PTH123  what the kernel saw at start
        return {"started_with": file.read().decode(), "now": dict(os.environ)}


def descriptors() -> list[list[str]]:
    found = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208  the listing's own descriptor vanishes below
        try:
            found.append([name, os.readlink(f"/proc/self/fd/{name}")])  # noqa: PTH115  as above
        except OSError:
            continue
    return found


def limits() -> dict[str, list[int]]:
    names = ("AS", "CPU", "NOFILE", "CORE", "FSIZE")
    return {name: list(resource.getrlimit(getattr(resource, f"RLIMIT_{name}"))) for name in names}


def sleep(seconds: float) -> int:
    time.sleep(seconds)
    return os.getpid()


def identity() -> int:
    return os.getpid()


def typed() -> None:
    raise BentPageError


def half_typed() -> None:
    raise HalfTypedError


def secret() -> None:
    raise KeyError("身份证 360000000000000000")


def shout(size: int) -> str:
    print("x" * size)  # noqa: T201  the point of it
    print("y" * size, file=sys.stderr)  # noqa: T201  the point of it
    return "said"


def forge() -> str:
    os.write(1, b"\x00\x00\x00\x0d" + b'{"value":"no"}')
    return "yes"


def not_json() -> object:
    return {1, 2}


def write_file(path: str, size: int) -> None:
    with open(path, "wb") as file:  # noqa: PTH123  plain on purpose
        file.write(b"x" * size)


def session() -> list[int]:
    return [os.getpid(), os.getsid(0), os.getpgid(0)]


def close_pipes() -> None:
    os.closerange(3, 64)


def _answer_pipe() -> int:
    """The pipe the worker took away from descriptor 1: what code that took the worker over would find."""
    for name in sorted(map(int, os.listdir("/proc/self/fd"))):  # noqa: PTH208  numbers wanted
        if name > 2 and fcntl.fcntl(name, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY:
            return name
    raise LookupError


def lie_about_length() -> None:
    os.write(_answer_pipe(), b"\xff\xff\xff\xff")
    time.sleep(60)


def answer_nonsense() -> None:
    os.write(_answer_pipe(), b"\x00\x00\x00\x03{,}")
    time.sleep(60)


def answer_deep() -> None:
    body = b"[" * 200_000
    os.write(_answer_pipe(), len(body).to_bytes(4, "big"))
    for start in range(0, len(body), 4096):
        os.write(_answer_pipe(), body[start : start + 4096])
    time.sleep(60)


def loaded() -> list[str]:
    return sorted(sys.modules)

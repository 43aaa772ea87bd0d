"""Many at one token: threads of one process, several processes, and one that is killed in the middle."""

import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from softhsm import SoftToken

from keystore import key_pairs
from keystore.interface import Permit
from keystore.pkcs11 import Pkcs11Key, Pkcs11Keystore
from keystore.pkcs11_address import read_address

pytestmark = pytest.mark.tool("softhsm2-util")

ROOT = Path(__file__).parents[2]
START = """
import os, sys
from keystore.interface import KeystoreError, Permit
from keystore.pkcs11 import Pkcs11Keystore
from keystore.pkcs11_address import read_address
store = Pkcs11Keystore(read_address(sys.argv[1]))
def sign(key, message):
    return key.sign(Permit.to_sign(key, message), message)
"""
SIGN = """
key = store.open(sys.argv[2])
for n in range(100):
    print(sign(key, b"%d" % n).hex())
"""
FOR_EVER = """
key = store.open(sys.argv[2])
print("signing", flush=True)
while True:
    sign(key, b"again and again")
"""
MAKE_FOR_EVER = """
print("making", flush=True)
while True:
    print(store.generate("seal", "ecdsa-p256-sha256").ref, flush=True)
"""
FORK = """
key = store.open(sys.argv[2])
child = os.fork()
if child == 0:
    try:
        sign(key, b"m")
    except KeystoreError as error:
        print(error.code, flush=True)
    os._exit(0)
os.waitpid(child, 0)
print(len(sign(key, b"m")))
"""


def child(program: str, token: SoftToken, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", START + program, token.uri, *arguments],
        cwd=ROOT,
        env={**os.environ, **token.environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def verified(key: Pkcs11Key, message: bytes) -> bool:
    key_pairs.verify(key.public_key, key.sign(Permit.to_sign(key, message), message), message)
    return True


def test_eight_threads_with_two_keystores_at_one_token(hsm: Pkcs11Keystore, token: SoftToken) -> None:
    second = Pkcs11Keystore(read_address(token.uri))
    keys = [hsm.generate("seal", "ecdsa-p256-sha256"), second.generate("seal", "ed25519")]
    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(lambda n: verified(keys[n % 2], b"%d" % n), range(800)))
    assert len(done) == 800


def test_threads_that_sign_while_others_make_and_destroy(hsm: Pkcs11Keystore) -> None:
    key = hsm.generate("seal", "ecdsa-p256-sha256")

    def come_and_go(_: int) -> bool:
        made = hsm.generate("seal", "ed25519")
        return verified(made, b"m") and hsm.destroy(made.ref).evidence["objects_after"] == "0"

    with ThreadPoolExecutor(8) as pool:
        going = [pool.submit(come_and_go, n) for n in range(10)]
        signing = [pool.submit(verified, key, b"%d" % n) for n in range(100)]
        assert all(each.result() for each in [*going, *signing])
    assert hsm.refs() == [key.ref]


def test_processes_side_by_side(hsm: Pkcs11Keystore, token: SoftToken) -> None:
    key = hsm.generate("seal", "ecdsa-p256-sha256")
    children = [child(SIGN, token, key.ref) for _ in range(3)]
    for each in children:
        shown, _ = each.communicate(timeout=60)
        assert each.returncode == 0
        signatures = [bytes.fromhex(line) for line in shown.splitlines()]
        assert len(signatures) == 100
        for n, signature in enumerate(signatures):
            key_pairs.verify(key.public_key, signature, b"%d" % n)


def test_a_process_killed_while_it_signs_leaves_the_token_usable(hsm: Pkcs11Keystore, token: SoftToken) -> None:
    key = hsm.generate("seal", "rsa3072-sha256")
    for wait in (0.0, 0.01, 0.02):
        busy = child(FOR_EVER, token, key.ref)
        with busy:
            assert busy.stdout is not None
            assert busy.stdout.readline() == "signing\n"
            time.sleep(wait)
            assert verified(key, b"beside it")
            busy.kill()
        assert busy.returncode == -signal.SIGKILL
        assert verified(key, b"after it")
        assert verified(Pkcs11Keystore(read_address(token.uri)).open(key.ref), b"in a new session")


def test_a_process_killed_while_it_makes_keys_leaves_none_that_is_half(token: SoftToken) -> None:
    told: set[str] = set()
    for wait in (0.0, 0.02, 0.05):
        busy = child(MAKE_FOR_EVER, token)
        with busy:
            assert busy.stdout is not None
            assert busy.stdout.readline() == "making\n"
            told.add(busy.stdout.readline().strip())
            time.sleep(wait)
            busy.kill()
            told.update(line for line in busy.stdout.read().split("\n")[:-1])
    store = Pkcs11Keystore(read_address(token.uri))
    assert told <= set(store.refs())
    for ref in told:
        assert verified(store.open(ref), b"m")
    assert verified(store.generate("seal", "ecdsa-p256-sha256"), b"m")


def test_a_forked_process_does_not_use_the_session_of_its_parent(hsm: Pkcs11Keystore, token: SoftToken) -> None:
    key = hsm.generate("seal", "ed25519")
    forking = child(FORK, token, key.ref)
    shown, _ = forking.communicate(timeout=60)
    assert shown.split() == ["module-gone", "64"]

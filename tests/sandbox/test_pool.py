"""Every way a worker can fail, with real processes: a typed error, and the next call works."""

import json
import logging
import os
import signal
import socket
import statistics
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox import (
    Pool,
    SandboxError,
    WorkerCrashedError,
    WorkerFailedError,
    WorkerOverloadedError,
    WorkerTimeoutError,
)

MakePool = Callable[..., Pool]


def ask(pool: Pool, name: str, seconds: float | None = None, **arguments: object) -> object:
    return pool.call(f"sandbox_guests:{name}", arguments, seconds)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline, "condition did not come true in 10 s"
        time.sleep(0.01)


@pytest.mark.parametrize("value", [None, 1, "印信\x00", {"a": [1.5, {"b": []}]}, "x" * 3_000_000])
def test_values_cross_unchanged(pool: Pool, value: object) -> None:
    assert ask(pool, "echo", value=value) == value


def test_a_worker_serves_many_calls(pool: Pool) -> None:
    assert ask(pool, "identity") == ask(pool, "identity") != os.getpid()


@pytest.mark.parametrize("name", ["sandbox_guests:no_such", "os:system", "sandbox_guests", "echo", ""])
def test_only_allowed_functions_run(pool: Pool, name: str) -> None:
    with pytest.raises(PermissionError, match="not among the allowed"):
        pool.call(name, {})


def test_the_worker_checks_the_allow_list_too(pool: Pool) -> None:
    with pool._worker() as worker:
        request = {"function": "os:getpid", "arguments": {}, "seconds": 5}
        assert worker.ask(request, seconds=5) == {"raised": "PermissionError"}


@pytest.mark.parametrize("value", [{1}, float("nan"), b"x"])
def test_arguments_must_be_json(pool: Pool, value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        ask(pool, "echo", value=value)


def test_a_crash_is_an_error_and_the_worker_is_replaced(make_pool: MakePool) -> None:
    pool = make_pool()
    before = ask(pool, "identity")
    with pytest.raises(WorkerCrashedError) as caught:
        ask(pool, "abort")
    assert caught.value.code == "worker-crashed"
    assert "-6" in caught.value.en
    assert ask(pool, "identity") != before


def test_a_loop_is_stopped(pool: Pool) -> None:
    start = time.monotonic()
    with pytest.raises(WorkerTimeoutError) as caught:
        ask(pool, "loop", seconds=0.3)
    assert time.monotonic() - start < 3
    assert caught.value.code == "worker-timeout"
    assert ask(pool, "echo", value=1) == 1


def test_start_up_is_not_counted_as_the_calls_time(make_pool: MakePool) -> None:
    assert ask(make_pool(), "echo", seconds=0.2, value=1) == 1


def test_the_processor_limit_stops_a_worker_nobody_watches(make_pool: MakePool) -> None:
    pool = make_pool()
    with pool._worker() as worker:
        worker.ask({"function": "sandbox_guests:echo", "arguments": {"value": 1}, "seconds": 5}, seconds=5)
        with pytest.raises(WorkerTimeoutError, match="processor time"):
            worker.ask({"function": "sandbox_guests:loop", "arguments": {}, "seconds": 0.1}, seconds=30)


def test_a_memory_bomb_is_stopped(pool: Pool) -> None:
    with pytest.raises(WorkerCrashedError) as caught:
        ask(pool, "hoard")
    assert caught.value.code == "worker-out-of-memory"
    assert ask(pool, "echo", value=1) == 1


def test_an_answer_that_is_too_long_is_refused(make_pool: MakePool) -> None:
    pool = make_pool(answer_bytes=1000)
    assert ask(pool, "flood", size=900) == "x" * 900
    with pytest.raises(WorkerFailedError) as caught:
        ask(pool, "flood", size=1000)
    assert caught.value.code == "worker-answer-too-large"


@pytest.mark.parametrize("name", ["lie_about_length", "answer_nonsense", "answer_deep", "close_pipes"])
def test_a_worker_that_was_taken_over_is_not_believed(pool: Pool, name: str) -> None:
    start = time.monotonic()
    with pytest.raises(WorkerCrashedError):
        ask(pool, name)
    assert time.monotonic() - start < 5
    assert ask(pool, "echo", value=1) == 1


def test_printing_cannot_forge_an_answer_nor_fill_us(pool: Pool) -> None:
    assert ask(pool, "forge") == "yes"
    assert ask(pool, "shout", size=2_000_000) == "said"
    with pool._worker() as worker:
        assert len(worker.said) <= 4096


def test_a_typed_error_crosses_with_its_texts(pool: Pool) -> None:
    with pytest.raises(WorkerFailedError) as caught:
        ask(pool, "typed")
    assert (caught.value.code, caught.value.zh, caught.value.en) == (
        "bent-page",
        "页面弯曲",
        "The page is bent",
    )
    assert "not to be told" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "class_name"),
    [("secret", "KeyError"), ("not_json", "TypeError"), ("half_typed", "HalfTypedError")],
)
def test_other_errors_cross_as_their_class_name_only(pool: Pool, name: str, class_name: str) -> None:
    with pytest.raises(WorkerFailedError) as caught:
        ask(pool, name)
    assert caught.value.code == "worker-failed"
    assert class_name in str(caught.value)
    assert "360000" not in str(caught.value)
    assert "Traceback" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_failed_call_keeps_the_worker(pool: Pool) -> None:
    before = ask(pool, "identity")
    with pytest.raises(WorkerFailedError):
        ask(pool, "typed")
    assert ask(pool, "identity") == before


def test_the_environment_is_empty(make_pool: MakePool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YINXIN_SECRET", "s3cret")
    monkeypatch.setenv("PYTHONPATH", "/nowhere")
    seen = ask(make_pool(), "environment")
    assert seen == {"started_with": "", "now": {}}


def test_descriptors_are_not_inherited(make_pool: MakePool, tmp_path: Path) -> None:
    with (tmp_path / "key").open("wb") as key, socket.socket() as listening:
        os.set_inheritable(key.fileno(), True)
        os.set_inheritable(listening.fileno(), True)
        seen = ask(make_pool(), "descriptors")
    assert isinstance(seen, list)
    targets = [target for _, target in seen]
    assert all(target == "/dev/null" or target.startswith("pipe:") for target in targets), targets
    assert len(targets) == 5  # null, answers-as-stderr, stderr, and the two private pipes


def test_the_limits_are_set(make_pool: MakePool) -> None:
    pool = make_pool(memory_bytes=400 << 20, file_bytes=1000)
    found = ask(pool, "limits", seconds=7)
    assert isinstance(found, dict)
    assert found["AS"] == [400 << 20] * 2
    assert found["CORE"] == [0, 0]
    assert found["FSIZE"] == [1000, 1000]
    assert found["NOFILE"][0] <= 64
    assert 7 < found["CPU"][0] < 12


def test_a_file_that_grows_too_long_is_stopped(make_pool: MakePool, tmp_path: Path) -> None:
    pool = make_pool(file_bytes=1000)
    ask(pool, "write_file", path=str(tmp_path / "short"), size=1000)
    with pytest.raises(SandboxError):
        ask(pool, "write_file", path=str(tmp_path / "long"), size=1001)
    assert (tmp_path / "long").stat().st_size <= 1000


def test_the_worker_leads_its_own_session(pool: Pool) -> None:
    pid, session, group = ask(pool, "session")  # type: ignore[misc]  # three numbers
    assert pid == session == group != os.getsid(0)


def test_calls_run_in_parallel(make_pool: MakePool) -> None:
    pool = make_pool(2)
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(lambda _: ask(pool, "echo", value=1), range(2)))
        start = time.monotonic()
        found = list(threads.map(lambda _: pool.call("sandbox_guests:sleep", {"seconds": 0.8}), range(2)))
    assert len(set(found)) == 2
    assert time.monotonic() - start < 1.5


def test_many_threads_share_few_workers(make_pool: MakePool) -> None:
    pool = make_pool(2, queue=100)
    with ThreadPoolExecutor(16) as threads:
        assert list(threads.map(lambda n: ask(pool, "echo", value=n), range(200))) == list(range(200))


def test_a_worker_killed_while_idle_is_replaced_unseen(make_pool: MakePool) -> None:
    pool = make_pool()
    pid = ask(pool, "identity")
    assert pool.pids() == [pid]
    os.kill(pool.pids()[0], signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{pid}/stat").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text())
    assert ask(pool, "identity") != pid


def test_a_worker_killed_in_a_call_is_replaced(make_pool: MakePool) -> None:
    pool = make_pool()
    pid = ask(pool, "identity")
    assert isinstance(pid, int)
    killer = threading.Timer(0.3, os.kill, (pid, signal.SIGKILL))
    killer.start()
    with pytest.raises(WorkerCrashedError, match="-9"):
        pool.call("sandbox_guests:sleep", {"seconds": 8})
    killer.join()
    assert ask(pool, "identity") != pid


def test_a_worker_is_recycled_after_its_calls(make_pool: MakePool) -> None:
    pool = make_pool(calls_per_worker=3)
    pids = [ask(pool, "identity") for _ in range(7)]
    assert [pids.count(pid) for pid in dict.fromkeys(pids)] == [3, 3, 1]


def test_too_many_waiting_callers_are_turned_away(make_pool: MakePool) -> None:
    pool = make_pool(1, queue=1)
    ask(pool, "echo", value=1)
    with ThreadPoolExecutor(2) as threads:
        busy = [threads.submit(pool.call, "sandbox_guests:sleep", {"seconds": 1}) for _ in range(2)]
        wait_until(lambda: pool._waiting == 1)
        with pytest.raises(WorkerOverloadedError) as caught:
            ask(pool, "echo", value=1)
        assert caught.value.code == "worker-overloaded"
        assert len({task.result() for task in busy}) == 1
    assert ask(pool, "echo", value=1) == 1


def test_waiting_callers_are_released_when_the_pool_closes(make_pool: MakePool) -> None:
    pool = make_pool(1)
    with ThreadPoolExecutor(2) as threads:
        busy = threads.submit(pool.call, "sandbox_guests:sleep", {"seconds": 1})
        wait_until(lambda: not pool.pids())
        waiting = threads.submit(pool.call, "sandbox_guests:echo", {"value": 1})
        wait_until(lambda: pool._waiting == 1)
        pool.close()
        with pytest.raises(WorkerOverloadedError):
            waiting.result()
        pid = busy.result()
    assert not Path(f"/proc/{pid}").exists()


def test_modules_are_preloaded(make_pool: MakePool) -> None:
    assert "fractions" in ask(make_pool(warm=("fractions",)), "loaded")  # type: ignore[operator]  # a list


def test_a_module_that_cannot_be_preloaded_is_a_crash(make_pool: MakePool, caplog: pytest.LogCaptureFixture) -> None:
    pool = make_pool(warm=("no_such_module",))
    with caplog.at_level(logging.WARNING, "sandbox"), pytest.raises(WorkerCrashedError) as caught:
        ask(pool, "echo", value=1)
    assert "no_such_module" not in str(caught.value)
    assert "no_such_module" in caplog.text


def test_errors_are_json_able_for_the_log(pool: Pool) -> None:
    with pytest.raises(SandboxError) as caught:
        ask(pool, "loop", seconds=0.1)
    error = caught.value
    assert json.loads(json.dumps([error.code, error.zh, error.en])) == [error.code, error.zh, error.en]
    assert str(error) == f"{error.zh} / {error.en}"


def test_a_small_call_costs_little(pool: Pool) -> None:
    ask(pool, "echo", value=1)
    times = []
    for _ in range(300):
        start = time.perf_counter()
        ask(pool, "echo", value={"a": 1})
        times.append(time.perf_counter() - start)
    # Loose, since other processes share the cores; a fork or an import per call would cost 20 ms and more.
    assert statistics.median(times) < 0.005
    print(f"median {statistics.median(times) * 1e6:.0f} µs, minimum {min(times) * 1e6:.0f} µs")  # noqa: T201  a figure

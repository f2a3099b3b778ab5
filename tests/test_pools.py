"""Threads for a target: those of the one before, unless something of it still hangs."""

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import wait
from threading import Event, Thread, current_thread

import pytest

from orgscan import pools as module
from orgscan.pools import Pool, pools

PATIENT_S = 60.0


@pytest.fixture(autouse=True)
def none_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    spare: dict[tuple[int, ...], list[tuple[Pool, ...]]] = defaultdict(list)
    monkeypatch.setattr(module, "_spare", spare)
    yield
    for unused in spare.values():
        for each in unused:
            for pool in each:
                pool.shutdown()


def test_the_next_target_has_the_threads_of_the_one_before() -> None:
    seen: list[Thread] = []
    for _ in range(3):
        with pools(1, 1) as (readers, calls):
            seen += [readers.submit(current_thread).result(), calls.submit(current_thread).result()]
    assert len(set(seen)) == 2
    assert seen == seen[:2] * 3


def test_two_targets_at_once_share_no_thread() -> None:
    with pools(1) as (one,), pools(1) as (other,):
        assert one.submit(current_thread).result() is not other.submit(current_thread).result()


@pytest.mark.parametrize("hanging", [0, 1])
def test_what_hangs_is_left_to_itself_and_what_waits_behind_it_is_never_begun(hanging: int) -> None:
    go_on, hangs, begun = Event(), Event(), Event()

    def hang() -> Thread:
        hangs.set()
        go_on.wait(PATIENT_S)
        return current_thread()

    with pools(1, 1) as first:
        late = first[hanging].submit(hang)
        behind = first[hanging].submit(begun.set)
        assert hangs.wait(PATIENT_S)
    with pools(1, 1) as second:
        ours = [each.submit(current_thread) for each in second]
        wait(ours, timeout=PATIENT_S)
    go_on.set()
    assert late.result(PATIENT_S) not in [each.result() for each in ours]
    assert behind.cancelled()
    assert not begun.is_set()


def test_what_fails_has_ended() -> None:
    with pools(1) as (pool,):
        thread = pool.submit(current_thread).result()
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result()
    with pools(1) as (pool,):
        assert pool.submit(current_thread).result() is thread


def test_an_error_of_whoever_has_them_is_his_own() -> None:
    with pools(1) as (pool,):
        thread = pool.submit(current_thread).result()
    with pytest.raises(KeyError), pools(1):
        raise KeyError
    with pools(1) as (pool,):
        assert pool.submit(current_thread).result() is thread


def test_what_was_called_off_has_ended() -> None:
    go_on, hangs = Event(), Event()
    with pools(1) as (pool,):
        thread = pool.submit(current_thread).result()
        busy = pool.submit(lambda: (hangs.set(), go_on.wait(PATIENT_S)))  # type: ignore[func-returns-value]
        assert hangs.wait(PATIENT_S)
        assert pool.submit(current_thread).cancel()
        go_on.set()
        busy.result(PATIENT_S)
    with pools(1) as (pool,):
        assert pool.submit(current_thread).result() is thread

"""Work done aside: what comes back, what does not, and what becomes of its thread."""

import threading
from collections.abc import Iterator
from threading import Event

import pytest

from orgscan.aside import Aside

PATIENT_S, IMPATIENT_S = 60.0, 0.01


@pytest.fixture
def aside() -> Iterator[Aside[object]]:
    made: Aside[object] = Aside()
    yield made
    made.close()


def test_one_thread_does_all_that_comes_back(aside: Aside[object]) -> None:
    first = aside.within(PATIENT_S, threading.current_thread)
    assert first is not threading.current_thread()
    assert aside.within(PATIENT_S, threading.current_thread) is first
    assert aside.within(PATIENT_S, lambda: 0) == 0


def test_what_hangs_costs_itself_and_its_late_result_is_nobodys(aside: Aside[object]) -> None:
    go_on, came_back = Event(), Event()

    def hang() -> str:
        go_on.wait()
        came_back.set()
        return "late"

    assert aside.within(IMPATIENT_S, hang) is None
    assert aside.within(PATIENT_S, lambda: "next") == "next"
    go_on.set()
    assert came_back.wait(PATIENT_S)
    assert aside.within(PATIENT_S, lambda: "after") == "after"


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_ends_its_thread_costs_itself_at_once(aside: Aside[object]) -> None:
    threads = list[threading.Thread]()

    def end() -> object:
        threads.append(threading.current_thread())
        raise SystemExit

    assert aside.within(PATIENT_S, end) is None
    threads[0].join(PATIENT_S)
    assert aside.within(PATIENT_S, lambda: "next") == "next"


def test_a_thread_ends_when_it_is_not_needed_any_more(aside: Aside[object]) -> None:
    thread = aside.within(PATIENT_S, threading.current_thread)
    assert isinstance(thread, threading.Thread)
    aside.close()
    thread.join(PATIENT_S)
    assert not thread.is_alive()


def test_the_thread_of_what_hung_ends_when_it_comes_back(aside: Aside[object]) -> None:
    go_on, began, threads = Event(), Event(), list[threading.Thread]()

    def hang() -> None:
        threads.append(threading.current_thread())
        began.set()
        go_on.wait()

    assert aside.within(IMPATIENT_S, hang) is None
    assert began.wait(PATIENT_S)
    go_on.set()
    threads[0].join(PATIENT_S)
    assert not threads[0].is_alive()

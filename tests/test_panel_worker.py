"""How a panel computes what takes long: in pieces, the newest parameters first."""

import asyncio
import threading

import pytest

from seem_lab.panels.followed import follow, kept
from seem_lab.panels.worker import FRAME, Worker


def pieces(name, count, done=None):
    for k in range(count):
        if done is not None:
            done.append((name, k))
        yield name, k


@pytest.fixture
def shown():
    return []


@pytest.fixture
def worker(shown):
    return Worker(lambda result, state: shown.append((*result, state)), lambda error: shown.append(error))


def test_without_an_event_loop_a_job_is_done_at_once(worker, shown):
    worker.start(pieces("a", 5), work=0.0)
    assert shown == [("a", 0, "running"), ("a", 4, "done")]


def test_the_newest_job_wins_and_each_shows_its_first_frame(worker, shown):
    done = []

    async def events():
        for name in "abc":
            worker.start(pieces(name, 10**6 if name != "c" else 5, done), work=0.0)
            await asyncio.sleep(0.01)
        while shown[-1][-1] != "done":
            await asyncio.sleep(0.01)

    asyncio.run(events())
    assert [(name, k) for name, k, state in shown if state == "running"][:3] == [("a", 0), ("b", 0), ("c", 0)]
    assert shown[-1] == ("c", 4, "done") and shown.count(shown[-1]) == 1
    assert [name for name, _ in done] == sorted(name for name, _ in done), "an old job went on after a new one began"


def test_a_job_that_is_quick_shows_its_end_only(worker, shown):
    async def events():
        worker.start(pieces("a", 5), work=5.0)

    asyncio.run(events())
    assert shown == [("a", 4, "done")]


def test_the_kernel_answers_between_two_pieces(worker, shown):
    answered = []

    async def events():
        worker.start(pieces("a", 200), work=0.0)
        while shown[-1][-1] != "done":
            answered.append(len(answered))
            await asyncio.sleep(0)

    asyncio.run(events())
    assert len(answered) >= 190


def test_frames_are_spaced(worker, shown, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr("seem_lab.panels.worker.time.monotonic", lambda: clock[0])

    def slow():
        for k in range(60):
            clock[0] += 0.4 * FRAME
            yield "a", k

    async def events():
        worker.start(slow(), work=0.0)
        while shown[-1][-1] != "done":
            await asyncio.sleep(0)

    asyncio.run(events())
    assert [k for _, k, state in shown if state == "running"] == list(range(0, 60, 3))


def test_every_shows_every_piece_and_stop_leaves_it_there(worker, shown, monkeypatch):
    monkeypatch.setattr("seem_lab.panels.worker.STEP", 0.0)
    monkeypatch.setattr("seem_lab.panels.worker.FRAME", 1e9)

    async def events():
        worker.start(pieces("a", 10**6), every=True)
        while len(shown) < 4:
            await asyncio.sleep(0)
        worker.stop()
        await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(events(), 20))
    frames = [k for _, k, state in shown if state == "running"]
    assert frames == list(range(len(frames)))
    assert shown[-1] == ("a", frames[-1], "stopped")
    worker.finish()  # there is nothing left
    assert shown[-1][-1] == "stopped"


def test_finish_does_the_rest_now(worker, shown):
    async def events():
        worker.start(pieces("a", 1000), work=0.0)
        worker.finish()
        assert shown[-1] == ("a", 999, "done")
        await asyncio.sleep(0.01)

    asyncio.run(events())
    assert shown[-1] == ("a", 999, "done") and len(shown) == 2


def test_an_error_is_told_and_raised(worker, shown):
    def fails():
        yield "a", 0
        raise ZeroDivisionError("on purpose")

    with pytest.raises(ZeroDivisionError):
        worker.start(fails(), work=0.0)
    assert isinstance(shown[-1], ZeroDivisionError)
    worker.start(pieces("b", 2))
    assert shown[-1] == ("b", 1, "done")


def test_kept_results_are_computed_once_also_by_two_threads():
    computed = []

    @kept
    def squares(n):
        for k in range(n):
            computed.append(k)
            yield k * k

    assert next(squares(50)) == 0 and computed == [0]
    found = []
    threads = [threading.Thread(target=lambda: found.append(list(squares(50)))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [[k * k for k in range(50)]] * 2 and computed == list(range(50))


def test_a_followed_run_has_its_networks_at_their_steps():
    from seem_lab import q_values

    *_, run = follow(3, 0.99, 0.02, 60, 20, 16, 3)
    largest = [q_values(network, run.walk.x).abs().max().item() for network in run.networks]
    assert largest == pytest.approx(run.history.q_max[::20], rel=1e-12)
    assert run.over and run.last == 60

"""Rejections are remembered from run to run, so that a nightly job does not lock an account bit by bit."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from fleetscan.errors import TransportError
from fleetscan.model.host import Credential
from fleetscan.model.reasons import Reason, Stage
from fleetscan.scan import memory as memory_module
from fleetscan.scan.guard import LogonGuard
from fleetscan.scan.memory import MAX_IN_WINDOW, RejectionMemory

AUDIT = Credential(name="audit", username="svc-audit@CORP.EXAMPLE")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "rejected.json"


async def run(path: Path, outcomes: list[Reason | None]) -> list[Reason | None]:
    """One run: a logon for each outcome; what each came to."""
    guard = LogonGuard(RejectionMemory(path))
    seen: list[Reason | None] = []
    for number, outcome in enumerate(outcomes):
        try:
            async with guard.logon(AUDIT, f"h{number}"):
                if outcome is not None:
                    raise TransportError(outcome, Stage.LOGON, "no")
        except TransportError as error:
            seen.append(error.reason)
        else:
            seen.append(None)
    return seen


WRONG = [Reason.AUTH_REJECTED] * 4


@pytest.mark.anyio
async def test_run_after_run_with_a_wrong_password_stays_below_any_lock_out_policy(path: Path) -> None:
    rejected = [(await run(path, list(WRONG))).count(Reason.AUTH_REJECTED) for _ in range(6)]
    assert rejected == [2, 1, 0, 0, 0, 0]
    assert sum(rejected) == MAX_IN_WINDOW


@pytest.mark.anyio
async def test_a_corrected_password_is_tried_and_clears_the_record(path: Path) -> None:
    await run(path, list(WRONG))
    assert await run(path, [None, None]) == [None, None]
    assert RejectionMemory(path).count(AUDIT.username) == 0
    assert (await run(path, list(WRONG))).count(Reason.AUTH_REJECTED) == 2


@pytest.mark.anyio
async def test_the_user_may_forget(path: Path) -> None:
    for _ in range(3):
        await run(path, list(WRONG))
    assert await run(path, [None]) == [Reason.AUTH_STOPPED]
    RejectionMemory(path).forget("SVC-AUDIT@corp.example")
    assert await run(path, [None]) == [None]


@pytest.mark.anyio
async def test_rejections_grow_old(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        await run(path, list(WRONG))
    later = time.time() + memory_module.WINDOW + 1
    monkeypatch.setattr(memory_module.time, "time", lambda: later)
    assert await run(path, [None]) == [None]


def test_the_file_holds_names_and_times_only(path: Path) -> None:
    RejectionMemory(path).add("CORP\\svc")
    [(account, times)] = json.loads(path.read_text(encoding="utf-8")).items()
    assert account == "corp\\svc"
    assert [type(moment) for moment in times] == [float]


@pytest.mark.parametrize("text", ["", "[]", "{", '{"a": 1}', '{"a": ["x"]}', "\x00"])
def test_a_damaged_file_is_an_empty_one(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_text(text, encoding="utf-8")
    memory = RejectionMemory(path)
    assert memory.count("a") == 0
    memory.add("a")
    assert memory.count("a") == 1


def test_a_folder_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("x")
    memory = RejectionMemory(blocked / "rejected.json")
    memory.add("a")
    assert memory.count("a") == 0


def test_the_clock_set_back_does_not_clear_the_record(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    memory = RejectionMemory(path)
    memory.add("a")
    earlier = time.time() - 86_400
    monkeypatch.setattr(memory_module.time, "time", lambda: earlier)
    assert memory.count("a") == 1

"""No answer is given after what it rests on has changed, while everything changes at once.

The controls show that the tests would see it: answers that are kept too long fail them.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from segue.experiences import remembering
from segue.experiences.asked import Asked, asked
from segue.experiences.remembering import Answers, Standing, Told
from segue.ingest.decode import decode_events
from segue.service.core import Core
from segue.service.service import Service
from segue.service.suppressing import admit, suppress

STEPS, EDITIONS, READERS = 15, 4, 4
ANN = asked({"user_id": "ann", "slots": ["hero", "side"], "context": {"page": "x"}})
HERO = asked({"user_id": "ann", "slots": ["hero"], "context": {"page": "x"}})
HEAD = "owner: o@x\n  description: W.\n"
Make = Callable[[Core], Answers]


class KeepsWhateverHolds(Answers):
    """A control: it does not look whether the user's bits are still the same."""

    def _standing(self, _row: int, _slots: object) -> Standing:
        return b"", self._number, 0


class KeepsWhateverIsEvaluated(Answers):
    """A control: it does not look whether anything was evaluated since."""

    def fresh(self, asked: Asked, _brief: bool) -> Told | None:
        row = self._core.intake.identity.row_of(asked.user_id)
        kept = None if row is None else self._kept.get(row)
        return None if kept is None else Told(*next(iter(kept[2].values())))


class KeepsWhateverIsDefined(Answers):
    """A control: it does not look which definitions are in force."""

    def _numbered(self) -> object:  # type: ignore[override]
        self._slots = self._slots or self.deciding.slots()
        return self._slots


CONTROLS = (KeepsWhateverHolds, KeepsWhateverIsEvaluated, KeepsWhateverIsDefined)


def write(folder: Path, edition: int) -> None:
    """A variant for each value of a trait; the edition stands in every payload."""
    variants = [
        f"  - variant: v{step}\n    audience: trait.step == {step}\n"
        f"    payload: {{step: {step}, edition: {edition}}}\n"
        for step in range(STEPS + 1)
    ]
    head = "experience: steps\nowner: o@x\ndescription: W.\nslot: hero\nfallback: {step: -1, edition: -1}\n"
    (folder / "experiences").mkdir(exist_ok=True)
    (folder / "experiences" / "steps.yaml").write_text(head + "variants:\n" + "".join(variants))


def write_segments(folder: Path, opened: int) -> None:
    """Segments that everybody is in, up to one; the rest are empty."""
    texts = [
        f"- segment: g{number}\n  {HEAD}  when: trait.step {'>=' if number <= opened else '<'} 0\n"
        for number in range(EDITIONS + 1)
    ]
    (folder / "segments").mkdir(exist_ok=True)
    (folder / "segments" / "all.yaml").write_text("".join(texts))


def write_doors(folder: Path) -> None:
    """A variant for each segment; the file is never touched again."""
    variants = [
        f"  - {{variant: v{at}, audience: g{at}, priority: {at}, payload: {{opened: {at}}}}}\n"
        for at in range(EDITIONS + 1)
    ]
    head = "experience: doors\nowner: o@x\ndescription: W.\nslot: side\nfallback: {opened: -1}\n"
    (folder / "experiences" / "doors.yaml").write_text(head + "variants:\n" + "".join(variants))


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    write(tmp_path, 0)
    write_segments(tmp_path, 0)
    write_doors(tmp_path)
    with Service.open(tmp_path, tmp_path / "data", clock="wall") as opened:
        opened.start()
        take(opened, 0)
        yield opened


def take(service: Service, step: int, user: str = "ann") -> None:
    """The trait has its value, and the engine knows."""
    body = {"type": "identify", "userId": user, "traits": {"step": step}, "messageId": f"{user}{step}"}
    service.post(decode_events([json.dumps(body).encode()]), "tests").result()
    service.core.drain()


def seen(answers: Answers) -> tuple[int, int, int]:
    """(step, edition, segments opened) of an answer, as a door gives it."""
    told = answers.fresh(ANN, False) or answers.answer(ANN, False)
    slots = json.loads(told.body)["slots"]
    payload = slots["hero"]["payload"]
    return payload["step"], payload["edition"], slots["side"]["payload"]["opened"]


def shown(answers: Answers) -> tuple[int, int]:
    """(step, edition) of an answer about the one slot."""
    told = answers.fresh(HERO, False) or answers.answer(HERO, False)
    payload = json.loads(told.body)["slots"]["hero"]["payload"]
    return payload["step"], payload["edition"]


class Run:
    """Writers that tell what is so at least, and readers that see whether an answer is older."""

    def __init__(self, service: Service, answers: Answers) -> None:
        self.service = service
        self.answers = answers
        self.step = self.edition = self.opened = 0
        self.ended = threading.Event()
        self.stale: list[str] = []
        self.reads = 0

    def moving(self) -> None:
        for step in range(1, STEPS + 1):
            take(self.service, step)
            self.step = step

    def editing(self) -> None:
        for edition in range(1, EDITIONS + 1):
            write(self.service.folder, edition)
            self.service.apply()
            self.edition = edition
            write_segments(self.service.folder, edition)
            self.service.apply()
            self.opened = edition

    def disturbing(self) -> None:
        for number in range(STEPS):
            take(self.service, number, f"other{number}")

    def reading(self) -> None:
        while not self.ended.is_set():
            self.look()

    def look(self) -> None:
        least = self.step, self.edition, self.opened
        found = seen(self.answers)
        self.reads += 1
        if any(one < other for one, other in zip(found, least, strict=True)):
            self.stale.append(f"{found} after {least}")

    def run(self) -> list[str]:
        with ThreadPoolExecutor(READERS + 3) as pool:
            readers = [pool.submit(self.reading) for _ in range(READERS)]
            writers = [pool.submit(each) for each in (self.moving, self.editing, self.disturbing)]
            try:
                for each in writers:
                    each.result()
            finally:
                self.ended.set()
            for each in readers:
                each.result()
        self.look()
        return self.stale


def test_no_answer_is_older_than_what_it_rests_on(service: Service) -> None:
    run = Run(service, Answers(service.core))
    assert run.run() == []
    assert seen(run.answers) == (STEPS, EDITIONS, EDITIONS)
    assert run.reads > STEPS


@pytest.mark.parametrize("control", CONTROLS)
def test_one_that_is_would_be_seen(service: Service, control: Make) -> None:
    assert Run(service, control(service.core)).run() != []


def test_a_suppression_ends_it_and_so_does_taking_it_back(service: Service) -> None:
    answers = Answers(service.core)
    assert shown(answers) == (0, 0)
    suppress(service.core, "ann")
    assert shown(answers) == (-1, -1)
    admit(service.core, "ann")
    take(service, 1)
    assert shown(answers) == (1, 0)


def test_nothing_is_kept_of_the_forgotten(service: Service) -> None:
    answers = Answers(service.core)
    assert shown(answers) == (0, 0)
    row = service.row_of("ann")
    assert row in answers._kept
    service.forget("ann")
    assert row not in answers._kept
    assert shown(answers) == (-1, -1)


def test_a_date_that_passes_ends_it(tmp_path: Path) -> None:
    write(tmp_path, 0)
    path = tmp_path / "experiences" / "steps.yaml"
    path.write_text(path.read_text().replace("slot: hero\n", "slot: hero\nends: 2026-11-02\n"))
    with Service.open(tmp_path, tmp_path / "data") as opened:
        answers = Answers(opened.core)
        happens(opened, "ann", "2026-11-01T12:00:00Z", {"step": 3})
        assert shown(answers) == (3, 0)
        happens(opened, "bob", "2026-11-01T23:59:59.999Z", {})
        assert shown(answers) == (3, 0)
        happens(opened, "bob", "2026-11-02T00:00:00Z", {})
        assert shown(answers) == (-1, -1)


def test_a_date_that_passes_for_those_nobody_knows(tmp_path: Path) -> None:
    write(tmp_path, 0)
    path = tmp_path / "experiences" / "steps.yaml"
    path.write_text(
        path.read_text().replace("trait.step == 3\n", "since(2026-11-01) >= 1d\n    priority: 1\n")
    )
    with Service.open(tmp_path, tmp_path / "data") as opened:
        answers = Answers(opened.core)
        happens(opened, "bob", "2026-11-01T23:59:59.999Z", {})
        assert shown(answers) == (-1, -1)
        happens(opened, "bob", "2026-11-02T00:00:00Z", {})
        assert shown(answers) == (3, 0)


def happens(service: Service, user: str, at: str, traits: dict[str, int]) -> None:
    body = {"type": "identify", "userId": user, "traits": traits, "timestamp": at, "messageId": user + at}
    with service.core.gate:
        taken = service.core.intake.accept(
            decode_events([json.dumps(body).encode()]), "tests", service.log.next_seq
        )
        service.core.append([taken.batch], [])


def test_no_more_is_kept_than_the_bounds_say(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remembering, "PROFILES_KEPT_MAX", 3)
    monkeypatch.setattr(remembering, "DECISIONS_KEPT_MAX", 2)
    answers = Answers(service.core)
    for number in range(6):
        take(service, number, f"user{number}")
        for brief in (False, True, False):
            question = asked({"user_id": f"user{number}", "slots": ["hero"]})
            told = answers.answer(question, brief)
            assert json.loads(told.body)["slots"]["hero"]["payload"]["step"] == number
        assert len(answers._kept) <= 3
        assert all(len(made) <= 2 for _, _, made in answers._kept.values())

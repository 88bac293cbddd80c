"""Posts on their way to the disk: who waits hears of it, in a thread or in a loop; the queue is bounded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from segue.domain.errors import SegueError
from segue.ingest.decode import Decoded, decode_single
from segue.service.posting import POSTS_WAITING_MAX, Committer
from segue.service.service import Service


def event(number: int) -> Decoded:
    return decode_single(b'{"event":"Login","userId":"u","messageId":"m%d"}' % number, "track")


@pytest.fixture
def service(tmp_path: Path) -> Any:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "segue.yaml").write_text("timezone: UTC\n")
    with Service.open(folder, tmp_path / "data", clock="wall") as opened:
        opened.start()
        yield opened


def test_a_loop_hears_of_each_of_its_posts(service: Service) -> None:
    async def send() -> list[int]:
        tallies = await asyncio.gather(*(service.posted(event(at), f"s{at % 3}") for at in range(50)))
        return [tally.quarantined for tally in tallies]

    assert asyncio.run(send()) == [0] * 50
    assert service.status().log_seq >= 50


def test_a_post_that_is_given_up_is_kept_and_disturbs_nobody(service: Service) -> None:
    async def send() -> None:
        given_up = service.posted(event(1), "s")
        given_up.cancel()
        await service.posted(event(2), "s")

    asyncio.run(send())
    assert service.post(event(1), "s").result().duplicate == 1


def test_a_loop_that_has_ended_stops_nobody(service: Service) -> None:
    async def send() -> None:
        service.posted(event(1), "s")

    asyncio.run(send())
    assert service.post(event(2), "s").result().accepted >= 1


def test_too_many_posts_are_sent_away() -> None:
    committer = Committer(None)  # type: ignore[arg-type]
    for number in range(POSTS_WAITING_MAX):
        assert not committer.post(event(number), "s").done()
    refused = committer.post(event(0), "s")
    with pytest.raises(SegueError, match="E604"):
        refused.result(timeout=0)

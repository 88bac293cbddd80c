"""Fitting a model in a process of its own: it may take every byte and second it needs, the server loses none.

The parent writes what people did and reads the links. The child ends when the parent does: it watches
the pipe, and stops with it. BLAS takes its number of threads from the environment, so the bound on cores
holds for the whole process.
"""

from __future__ import annotations

import io
import os
import resource
import struct
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from typing import IO

import numpy as np

from segue.domain.errors import SegueError, refusal
from segue.experiences.recommend.models.links import Floats, Ints, Links

EASE_ITEMS_MAX = 10_000
"""Up to here EASE is trained; beyond, its square does not pay."""
_NICENESS = 10
_LENGTH = struct.Struct(">Q")
_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def not_trained(why: str) -> SegueError:
    """The process ended without a model, and said why as far as it knew."""
    hint = "answers go on without it; SciPy comes with: pip install 'segue[recommend]'"
    return refusal("E845", f"recommendations could not be trained: {why}", hint)


@dataclass(frozen=True, slots=True, eq=False)
class Interactions:
    """Who turned to what: places of users and items from 0, and by how much. A pair stands once."""

    users: Ints
    items: Ints
    values: Floats
    size: int
    """How many items there are."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """A model with what it took; ``kind`` is ease, neighbours or none."""

    kind: str
    links: Links
    seconds: float
    memory_bytes: int


def fit_apart(given: Interactions, kind: str, regularization: float, threads: int, job: Job) -> Fitted:
    """Fit in a process of its own; E845 when it ends without a model, or is ended."""
    environment = dict(os.environ) | dict.fromkeys(_THREADS, str(threads))
    command = [sys.executable, "-m", "segue.experiences.recommend.models.fitting"]
    pipe = subprocess.PIPE
    process = subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)
    job.run(process)
    try:
        return _fitted(_answer(process, _packed(given, kind, regularization)))
    except OSError as fault:  # also from closing the pipe of a process that was ended
        raise not_trained(str(fault)) from fault
    finally:
        job.end()


def _answer(process: subprocess.Popen[bytes], question: bytes) -> bytes:
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stderr is not None
    with process, process.stdout, process.stderr, process.stdin:
        _write(process.stdin, question)
        answer = _read(process.stdout)
        if answer is None:
            said = process.stderr.read().decode(errors="replace").strip().splitlines()
            raise not_trained(said[-1] if said else f"it ended with status {process.wait()}")
    return answer


class Job:
    """The process that fits now, so that it can be ended from elsewhere."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.running: subprocess.Popen[bytes] | None = None
        self._stopped = False

    @property
    def stopped(self) -> bool:
        """Whether all is to stop."""
        return self._stopped

    def run(self, process: subprocess.Popen[bytes]) -> None:
        """This one fits; it is ended at once when all is to stop."""
        with self._lock:
            self.running = process
            if self._stopped:
                process.kill()

    def end(self) -> None:
        """It has answered."""
        with self._lock:
            self.running = None

    def stop(self) -> None:
        """End it, and each that follows."""
        with self._lock:
            self._stopped = True
            if self.running is not None:
                self.running.kill()


def _packed(given: Interactions, kind: str, regularization: float) -> bytes:
    memory = io.BytesIO()
    np.savez(
        memory, users=given.users, items=given.items, values=given.values,
        about=np.array([given.size, regularization], np.float64), kind=np.array(kind),
    )  # fmt: skip
    return memory.getvalue()


def _fitted(answer: bytes) -> Fitted:
    with np.load(io.BytesIO(answer), allow_pickle=False) as found:
        links = Links(found["starts"], found["targets"], found["weights"])
        seconds, memory = found["took"].tolist()
        return Fitted(str(found["kind"]), links, seconds, int(memory))


def _write(stream: IO[bytes], data: bytes) -> None:
    stream.write(_LENGTH.pack(len(data)))
    stream.write(data)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes | None:
    """What :func:`_write` wrote; None when the stream ends before."""
    head = stream.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    data = stream.read(length)
    return data if len(data) == length else None


# ---- in the process --------------------------------------------------------------------------


def chosen(kind: str, items: int) -> str:
    """The model for so many items: EASE as long as its square is affordable on this machine."""
    from segue.experiences.recommend.models.ease import bytes_needed  # noqa: PLC0415 -- in the child alone

    if kind != "auto":
        return kind
    free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    fits = items <= EASE_ITEMS_MAX and bytes_needed(items) * 2 <= free
    return "ease" if fits else "neighbours"


def fit(given: Interactions, kind: str, regularization: float) -> tuple[str, Links]:
    """The model, and which one it is."""
    from scipy import sparse  # noqa: PLC0415 -- in the child alone

    from segue.experiences.recommend.models.ease import fit_ease  # noqa: PLC0415
    from segue.experiences.recommend.models.neighbours import fit_neighbours  # noqa: PLC0415

    users = int(given.users.max(initial=-1)) + 1
    matrix = sparse.csr_matrix((given.values, (given.users, given.items)), shape=(users, given.size))
    kind = chosen(kind, given.size)
    return kind, fit_ease(matrix, regularization) if kind == "ease" else fit_neighbours(matrix)


def _peak_bytes() -> int:
    """The most memory that this process had; what the system counts as its peak begins with the parent's."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmHWM"))
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def main() -> None:
    """One model: what people did comes in over the standard input, the links go out over the output."""
    os.nice(_NICENESS)
    asked = _read(sys.stdin.buffer)
    if asked is None:
        return
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    began = time.perf_counter()
    with np.load(io.BytesIO(asked), allow_pickle=False) as found:
        size, regularization = found["about"].tolist()
        given = Interactions(found["users"], found["items"], found["values"], int(size))
        kind, links = fit(given, str(found["kind"]), regularization)
    memory = io.BytesIO()
    np.savez(
        memory, starts=links.starts, targets=links.targets, weights=links.weights,
        took=np.array([time.perf_counter() - began, _peak_bytes()]), kind=np.array(kind),
    )  # fmt: skip
    _write(sys.stdout.buffer, memory.getvalue())


def _end_with_the_parent() -> None:
    sys.stdin.buffer.read(1)
    os._exit(1)


if __name__ == "__main__":
    main()

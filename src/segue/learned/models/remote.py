"""A model that is served elsewhere: asked over HTTP in batches, and held to the same gate."""

from __future__ import annotations

import json
import logging
import math
import os
import re
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from segue.domain.address import Networks, parse_networks
from segue.domain.errors import Diagnostic, SegueError, refusal
from segue.domain.event import Json
from segue.domain.outbound import TargetError, parse_target
from segue.domain.time import parse_duration
from segue.learned import told
from segue.learned.asking import Place, UnansweredError, ask
from segue.learned.documents import broken, texts
from segue.learned.model import Document, Doubles, Drivers, Learned, Model, ModelKind
from segue.learned.spec import Guards, ModelSpec
from segue.learned.table import Table

MISSING = "missing"
FALLBACKS = ("keep", MISSING)
"""What counts while it gives no answer: what it said last, or nothing."""
BATCH = 500
TIMEOUT_MS = 5_000
RETRIES = 3
_log = logging.getLogger("segue.learned")
_TOKEN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def unreachable(url: str, private: str) -> str | None:
    """Why an address may not be asked; None when it may. ``private`` are networks that are allowed beside."""
    try:
        parse_target(url, parse_networks(private) or Networks())
    except TargetError as refused:
        return str(refused)
    return None


class NoAnswerError(SegueError):
    """E873 or E874: the model gave no answer, or one that is none. What counts then is its ``fallback``."""


@dataclass(frozen=True, slots=True)
class RemoteModel(Model):
    """How it is asked; of what it learned nothing is known here."""

    name: str
    features: tuple[str, ...]
    url: str
    private: str
    timeout_ms: int
    retries: int
    batch: int
    fallback: str
    token: str | None
    labels: tuple[str, ...] = ()
    explains: bool = False

    def predict(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Doubles:
        """What it says, asked in batches.

        When a batch gets no answer, it and those after it are missing where ``fallback`` says so; else
        :class:`NoAnswerError` leaves everybody the score they have.
        """
        place = self._place()
        found = np.full(len(values), np.nan)
        for start in range(0, len(values), self.batch):
            part = values[start : start + self.batch]
            try:
                found[start : start + len(part)] = [self._number(each) for each in self._said(place, part)]
            except NoAnswerError as fault:
                if self.fallback != MISSING:
                    raise
                silent = fault.diagnostics[0].code == "E873"
                lost = len(values) - start if silent else len(part)
                _log.warning("%s; %d scores are missing", fault.diagnostics[0].message, lost)
                if silent:
                    break
        return found

    def explain(self, values: Doubles, rows: npt.NDArray[np.int64]) -> Drivers:
        """What it tells of why it says so; nothing of one that told nothing when it was trained.

        Who asks about one profile waits for one answer: that is not asked for again.
        """
        if not self.explains or not len(values):
            return told.nothing(self.features, len(values))
        place = replace(self._place(), retries=0) if len(values) == 1 else self._place()
        parts = range(0, len(values), self.batch)
        found = [self._told(place, values[start : start + self.batch]) for start in parts]
        try:
            return told.together(found)
        except told.UntoldError as fault:
            raise self._untold(fault) from fault

    def tells(self, values: Doubles) -> str | None:
        """Why no drivers of these profiles are taken from it; None where they are."""
        try:
            self._told(self._place(), values)
        except NoAnswerError as fault:
            return fault.diagnostics[0].message
        return None

    def answers(self, values: Doubles) -> list[Json]:
        """What it says, as it says it."""
        place, found = self._place(), []
        for start in range(0, len(values), self.batch):
            found += self._said(place, values[start : start + self.batch])
        return found

    def document(self) -> dict[str, Json]:
        """How it is asked; of the token the name of its variable alone."""
        return {
            "form": "remote",
            "name": self.name,
            "features": [*self.features],
            "labels": [*self.labels],
            "url": self.url,
            "private": self.private,
            "timeout_ms": self.timeout_ms,
            "retries": self.retries,
            "batch": self.batch,
            "fallback": self.fallback,
            "token": self.token,
            "explains": self.explains,
        }

    def _place(self) -> Place:
        why = unreachable(self.url, self.private)
        if why is not None:
            hint = "correct its address, or allow its network with the setting private_targets"
            raise refusal("E875", f"the model {self.name} cannot be asked: {why}", hint)
        private = parse_networks(self.private) or Networks()
        token = None if self.token is None else os.environ.get(self.token)
        if self.token is not None and not token:
            hint = f"set it before Segue starts: export {self.token}=…"
            raise refusal("E875", f"the variable {self.token}, the token of {self.name}, is not set", hint)
        return Place(parse_target(self.url, private), private, self.timeout_ms / 1_000, self.retries, token)

    def _told(self, place: Place, values: Doubles) -> Drivers:
        """The drivers of some profiles; :class:`NoAnswerError` where it tells none that add up."""
        answer = self._answer(place, values, {"explain": True})
        try:
            scores = np.array([self._number(each) for each in self._scores(answer, len(values))])
            return told.read(answer, scores, len(self.features))
        except told.UntoldError as fault:
            raise self._untold(fault) from fault

    def _untold(self, fault: told.UntoldError) -> NoAnswerError:
        message = f"the drivers that the model {self.name} tells are not taken: {fault}"
        return NoAnswerError(Diagnostic("E874", message, told.HINT))

    def _said(self, place: Place, values: Doubles) -> list[Json]:
        return self._scores(self._answer(place, values), len(values))

    def _answer(self, place: Place, values: Doubles, more: Document = MappingProxyType({})) -> Json:
        """The JSON that it answers with; None for what is none."""
        rows = [[each if math.isfinite(each) else None for each in row] for row in values.tolist()]
        body = json.dumps({"model": self.name, "features": [*self.features], "rows": rows, **more}).encode()
        try:
            answer = ask(place, body)
        except UnansweredError as fault:
            hint = "look whether it is up; until it answers, its fallback counts"
            message = f"the model {self.name} gave no answer: {fault}"
            raise NoAnswerError(Diagnostic("E873", message, hint)) from fault
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            return None

    def _scores(self, answer: Json, count: int) -> list[Json]:
        found = answer.get("scores") if isinstance(answer, dict) else None
        if not isinstance(found, list) or len(found) != count:
            message = (
                f'the model {self.name} answered without "scores", or with fewer or more than were asked for'
            )
            hint = f'it is to answer {{"scores": […]}} with {count:,} numbers, null for missing'
            raise NoAnswerError(Diagnostic("E874", message, hint))
        return found

    def _number(self, said: Json) -> float:
        if said is None:
            return math.nan
        if self.labels:
            return float(self.labels.index(said)) if said in self.labels else math.nan
        if not told.is_number(said):
            hint = "a score is a finite number, or null for missing"
            message = f"the model {self.name} answered with something that is no number"
            raise NoAnswerError(Diagnostic("E874", message, hint))
        return float(said)


class Remote(ModelKind):
    """Nothing is learned: it is asked whether it answers, and judged like any other."""

    word = "remote"
    gives = "score"
    learns_from = "elsewhere"
    guards = Guards(users_min=0)
    metric = "spearman"

    def learn(self, spec: ModelSpec, table: Table, before: Model | None) -> Learned:
        """The model as the definition says it is asked; E873 to E875 when it cannot be."""
        model = _of(spec)
        some = table.values[: model.batch]
        said, notes = model.answers(some), list[str]()
        if spec.gives == "cluster":
            labels = tuple(sorted({each for each in model.answers(table.values) if isinstance(each, str)}))
            model = _of(spec, labels)
        elif len(some):
            untold = model.tells(some)
            model = replace(model, explains=untold is None)
            notes += [] if untold is None else [f"it is not told why it says so: {untold}"]
        missing = sum(each is None for each in said)
        return Learned(model, {"asked": float(len(said)), "missing": float(missing)}, notes)

    def read(self, document: Document) -> Model:
        """E865 for what does not say how a model is asked."""
        words: dict[str, Json] = {key: document.get(key) for key in ("name", "url", "private", "fallback")}
        numbers: dict[str, Json] = {key: document.get(key) for key in ("timeout_ms", "retries", "batch")}
        if not all(isinstance(each, str) for each in words.values()) or words["fallback"] not in FALLBACKS:
            raise broken("it does not say where the model is served")
        if not all(type(each) is int and each >= (key == "batch") for key, each in numbers.items()):
            raise broken("it does not say how the model is asked")
        token = document.get("token")
        if token is not None and (not isinstance(token, str) or not _TOKEN_NAME.fullmatch(token)):
            raise broken("its token is no name of a variable")
        explains = document.get("explains", False)
        if not isinstance(explains, bool):
            raise broken("it does not say whether the model explains itself")
        features, labels = texts(document, "features"), texts(document, "labels")
        return RemoteModel(
            **words, **numbers, token=token, features=features, labels=labels, explains=explains
        )


def _of(spec: ModelSpec, labels: tuple[str, ...] = ()) -> RemoteModel:
    options = spec.options
    return RemoteModel(
        name=spec.name,
        features=spec.feature_names,
        url=str(options["url"]),
        private=str(options.get("private_targets", "")),
        timeout_ms=parse_duration(str(options.get("timeout", ""))) or TIMEOUT_MS,
        retries=int(options.get("retries", RETRIES)),
        batch=int(options.get("batch", BATCH)),
        fallback=str(options.get("fallback", FALLBACKS[0])),
        token=options.get("token"),
        labels=labels,
    )

"""The lane is a twin of the careful road: whatever is sent, both make the same of it."""

from __future__ import annotations

import json
import os
from dataclasses import astuple
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from segue.domain.errors import SegueError
from segue.domain.event import TYPES
from segue.domain.limits import BATCH_EVENTS_MAX
from segue.ingest import decode
from segue.ingest.columns import NAMES_BYTES_MAX, Names
from segue.ingest.decode import Decoded, decode_batch, decode_events, decode_single, gathered, looked_at
from segue.ingest.dedupe import Seen
from segue.ingest.identity import Identity
from segue.ingest.intake import Intake, Taken
from segue.log.batch import EventBatch
from segue.log.body import context_json, decode_body, properties_json
from segue.log.lane.cuts import Cuts, cut_at, cut_lines, cut_texts
from segue.log.lane.event import CONTEXT, LABELLED, PROPERTIES
from segue.log.lane.octets import PAD
from segue.log.pack import pack_batch, unpack_batch
from tests.strategies import FRESH

NOW = 1_795_341_600_000

LAW = settings(deadline=None, backend=FRESH, max_examples=int(os.environ.get("SEGUE_CASES", "400")))

ids = st.sampled_from(
    [
        '"u1"',
        '"u2"',
        '"u3"',
        '"a1"',
        '"a2"',
        '"é"',
        '"日本"',
        '"\\u0075\\u0031"',
        '"u\\"1"',
        '""',
        '" "',
        '" u1"',
        '"u1 "',
        "null",
        "7",
        "7.0",
        "1.5",
        "true",
        "[]",
        "{}",
        '"forgotten:x"',
        '"' + "x" * 1_024 + '"',
        '"' + "é" * 1_025 + '"',
        '"\\ud83d"',
        '"u\t1"',
        '"forgotte"',
        '"\u00a0"',
    ]
)
names = st.sampled_from(
    [
        '"Login"',
        '"Login"',
        '"Order Completed"',
        '" Login"',
        '"Login "',
        '"\u00a0Login"',
        '"Login\u3000"',
        '"\u3000"',
        '"注文"',
        '"」"',
        '"é"',
        '"\u2003x"',
        '"x\u0085"',
        '"\\u0020x"',
        '""',
        "null",
        "5",
        '{"a":1}',
        '"' + "n" * 2_000 + '"',
        '"\x1cx"',
    ]
)
times = st.sampled_from(
    [
        '"2026-11-22T10:00:00Z"',
        '"2026-11-22T09:59:59.123Z"',
        '"2026-11-22T10:04:00.5+02:00"',
        '"2027-01-01T00:00:00Z"',
        '"2026-02-29T00:00:00Z"',
        '"2024-02-29T23:59:59.999999999-23:59"',
        '"2026-11-22T10:00:00.1234567890Z"',
        '"2026-11-22T10:00:60Z"',
        '"2026-11-22T24:00:00Z"',
        '"2026-11-22T10:00:00+99:99"',
        '"2026-11-22 10:00:00"',
        '"2026-11-22"',
        '"0000-01-01T00:00:00Z"',
        '"1969-12-31T23:59:59Z"',
        '"9999-12-31T23:59:59.999Z"',
        "1795341600",
        "1795341600000",
        '"1795341600"',
        "null",
        "true",
        '"soon"',
        '""',
        "-5",
        "NaN",
        '"2026-11-22T10:00:00.Z"',
        '"\\u0032026-11-22T10:00:00Z"',
        '"2026-11-22T10:00:00ZZ"',
        '"2026-13-22T10:00:00Z"',
        '"2026-04-31T10:00:00Z"',
    ]
)
message_ids = st.one_of(
    st.integers(0, 9).map(lambda at: f'"m{at}"'),
    st.sampled_from(
        ['"m1"', '" m1"', '"\\u006d1"', "1", "null", '""', '"' + "m" * 100 + '"', '"' + "m" * 101 + '"']
    ),
)
objects = st.sampled_from(
    [
        "{}",
        '{"a":1}',
        '{ "a" : [1, 2.5e3, {"b":null}] , "c":"\\u00e9\\n" }',
        '{"a":NaN}',
        '{"a":1,"a":2}',
        "null",
        "[]",
        "5",
        '"x"',
        '{"a":"\\ud800"}',
        '{"a":"\\ud83d\\ude00"}',
        '{"a":01}',
        '{"a":1.}',
        '{"a":-}',
        '{"a":1e999}',
        '{"a":12345678901234567890123}',
        '{"a":123456789012345678}',
        '{"a":1e5}',
        '{"a":tru}',
        '{"a":true,}',
        '{"a"}',
        '{"a":"\x01"}',
        '{"a":"\\x"}',
        '{"a":"\\u12"}',
        '{"a":{}}',
        "{" + '"a":{' * 70 + "}" * 71,
        '{"a":' + "[" * 70 + "]" * 70 + "}",
        '{"a":' + "[" * 300 + "]" * 300 + "}",
        '{"name":"n"}',
        '{"a":"日本"}',
        '{"writeKey":"w"}',
        '{"a":"' + "x" * 33_000 + '"}',
    ]
)
types = st.sampled_from(
    ['"track"'] * 8
    + [
        '"page"',
        '"screen"',
        '"identify"',
        '"group"',
        '"alias"',
        '"Track"',
        '" track "',
        '"purchase"',
        "null",
        "1",
        '"tr\\u0061ck"',
    ]
)
FIELDS: dict[str, st.SearchStrategy[str]] = {
    '"type"': types,
    '"event"': names,
    '"userId"': ids,
    '"anonymousId"': ids,
    '"previousId"': ids,
    '"groupId"': ids,
    '"messageId"': message_ids,
    '"timestamp"': times,
    '"originalTimestamp"': times,
    '"sentAt"': times,
    '"receivedAt"': times,
    '"properties"': objects,
    '"context"': objects,
    '"traits"': objects,
    '"name"': names,
    '"category"': names,
    '"writeKey"': ids,
    '"integrations"': objects,
    '"user\\u0049d"': ids,
    '"x"': objects,
    '"originalTimestamq"': times,
    '"userID"': ids,
    '"property"': objects,
    '""': objects,
}
blanks = st.sampled_from(["", "", "", "", " ", "\t", "\r", "  "])


@st.composite
def plain_events(draw: st.DrawFn) -> str:
    """Mostly what a browser sends."""
    event: dict[str, Any] = {
        "type": "track",
        "event": draw(st.sampled_from(["Login", "Order Completed", "Viewed"])),
        draw(st.sampled_from(["userId", "anonymousId"])): draw(st.sampled_from(["u1", "u2", "u3", "é"])),
        "messageId": f"m{draw(st.integers(0, 30))}",
        "timestamp": f"2026-11-22T{draw(st.integers(8, 11)):02}:00:00.{draw(st.integers(0, 999)):03}Z",
        "properties": {"a": draw(st.integers())},
    }
    if draw(st.booleans()):
        event["anonymousId"] = draw(st.sampled_from(["a1", "a2"]))
    return json.dumps(event, ensure_ascii=draw(st.booleans()))


GOOD = {
    '"type"': '"track"',
    '"event"': '"Login"',
    '"userId"': '"u1"',
    '"messageId"': '"m1"',
    '"timestamp"': '"2026-11-22T10:00:00Z"',
    '"properties"': '{"a":1}',
}


@st.composite
def nasty_events(draw: st.DrawFn) -> str:
    """A good event of which a few fields are otherwise, come twice or are missing; seldom broken."""
    fields = [(key, value) for key, value in GOOD.items() if draw(st.integers(0, 19))]
    for key in draw(st.lists(st.sampled_from(sorted(FIELDS)), min_size=1, max_size=3)):
        if draw(st.integers(0, 4)):
            fields = [each for each in fields if each[0] != key]
        fields.insert(draw(st.integers(0, len(fields))), (key, draw(FIELDS[key])))
    before, after = draw(blanks), draw(blanks)
    text = "{" + ",".join(f"{before}{key}{after}:{before}{value}{after}" for key, value in fields) + "}"
    if draw(st.integers(0, 9)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["", "}", ",", '"', "\x00", "\ufeff"])) + text[at + 1 :]
    return after + text + before


events = st.one_of(plain_events(), nasty_events(), st.sampled_from(["5", "null", "{}", "[", "x", '{"a":1}']))


def careful(cuts: Cuts) -> Decoded:
    """The same with nothing taken for plain."""
    return looked_at(cuts.all_odd())


def told(batch: EventBatch) -> list[object]:
    columns = [
        list(getattr(batch, name))
        for name in (
            "rows",
            "types",
            "names",
            "timestamps",
            "received",
            "message_ids",
            "group_ids",
            "raws",
            "created",
            "links",
            "aliases",
            "merges",
        )
    ]
    bodies = [
        (properties_json(body, kind), context_json(body))
        for body, kind in zip(batch.bodies, batch.types, strict=True)
    ]
    return [*columns, bodies]


def accepted(decoded: Decoded, door: Intake, at: int | None) -> tuple[object, ...]:
    taken: Taken = door.accept(decoded, "site", 1, at)
    batch = taken.batch
    again = unpack_batch(1, *pack_batch(batch)) if len(batch) else batch
    assert told(again)[:8] == told(batch)[:8]
    return (
        told(batch),
        taken.rejected,
        astuple(taken.tally),
        door.seen.saved().tolist(),
        door.identity.rows,
        door.identity.seen,
        door.identity.into,
        door.identity.ids,
    )


def aside(decoded: Decoded) -> tuple[object, ...]:
    return decoded.rejected, decoded.mended, decoded.write_key, decoded.places or list(range(len(decoded)))


def identified(cuts: Cuts, name: Any) -> Decoded:
    """Decoded with every missing message id given, as chance would give another one each time."""
    decoded: Decoded = name(cuts)
    decoded.name(decoded.nameless(), [f"given-{at}" for at in decoded.nameless()])
    return decoded


@given(
    st.lists(st.lists(events, max_size=8), min_size=1, max_size=3), st.sampled_from([None, NOW, NOW + 10**9])
)
@LAW
def test_both_roads_lead_to_the_same(requests: list[list[str]], at: int | None) -> None:
    fast, slow = Intake(Identity(), Seen()), Intake(Identity(), Seen())
    for request in requests:
        cuts = cut_texts([text.encode("utf-8", "surrogatepass") for text in request])
        by_lane, by_hand = identified(cuts, looked_at), identified(cuts, careful)
        assert aside(by_lane) == aside(by_hand)
        assert accepted(by_lane, fast, at) == accepted(by_hand, slow, at)
        if at is None:
            fast.take_back()
            slow.take_back()
            assert fast.identity.rows == slow.identity.rows


@given(st.lists(events, min_size=1, max_size=6), st.data())
@LAW
def test_a_posted_batch_is_its_events(texts: list[str], data: st.DataObject) -> None:
    rest = data.draw(
        st.sampled_from(
            [
                "",
                ',"sentAt":"2026-11-22T10:00:01Z"',
                ',"sentAt":5',
                ',"sentAt":""',
                ',"writeKey":"k"',
                ',"writeKey":""',
                ',"sentAt":null',
                ',"context":{"ip":"1"}',
                ',"context":{}',
                ',"x":[1,{"batch":[]}]',
                ',"batch":[]',
                ',"sentAt":"soon"',
                ',"integrations":{"All":true}',
                ',"a":NaN',
                ',"s\\u0065ntAt":1',
            ]
        )
    )
    space = data.draw(st.sampled_from(["", " ", "\n  "]))
    body = f'{space}{{"batch":{space}[{space}{f"{space},".join(texts)}{space}]{rest}}}{space}'.encode()
    plain, slow = tried(decode_batch, body), tried(decode._odd_batch, body)
    if isinstance(plain, Decoded) and isinstance(slow, Decoded):
        assert aside(plain) == aside(slow)
        for one in (plain, slow):
            one.name(one.nameless(), [f"given-{at}" for at in one.nameless()])
        assert accepted(plain, Intake(Identity(), Seen()), NOW) == accepted(
            slow, Intake(Identity(), Seen()), NOW
        )
    else:
        assert plain == slow


def tried(decoding: Any, body: bytes) -> Decoded | str:
    try:
        found: Decoded = decoding(body)
    except SegueError as error:
        return str(error)
    return found


@given(nasty_events() | plain_events(), st.sampled_from(TYPES))
@LAW
def test_a_single_event_is_the_same_by_both_roads(text: str, kind: str) -> None:
    fast = tried(lambda body: decode_single(body, kind), text.encode())
    slow = tried(lambda body: decode._single_by_hand(body, kind), text.encode())
    if isinstance(fast, Decoded) and isinstance(slow, Decoded):
        assert aside(fast) == aside(slow)
        for one in (fast, slow):
            one.name(one.nameless(), [f"given-{at}" for at in one.nameless()])
        assert accepted(fast, Intake(Identity(), Seen()), NOW) == accepted(
            slow, Intake(Identity(), Seen()), NOW
        )
    else:
        assert fast == slow


@given(st.lists(events | blanks, max_size=12), st.sampled_from([1, 2, 5]), st.booleans())
@LAW
def test_lines_are_cut_as_they_are_split(texts: list[str], most: int, ended: bool) -> None:
    text = "\n".join(texts).encode() + (b"\n" if ended else b"")
    expected = [(at, raw) for at, raw in enumerate(text.split(b"\n"), 1) if raw and not raw.isspace()]
    found, at, number = [], 0, 1
    while at < len(text):
        cuts, numbers, at, number = cut_lines(text + PAD, at, number, most)
        found += list(zip(numbers.tolist(), map(cuts.raw, range(len(cuts))), strict=True))
        alone = cut_texts([cuts.raw(place) for place in range(len(cuts))])
        same = cuts.plain
        assert not (same & ~alone.plain).any()
        assert (cuts.times[same] == alone.times[same]).all()
    assert found == expected


@given(events)
@LAW
def test_what_is_plain_decodes_to_its_parts(text: str) -> None:
    raw = text.encode("utf-8", "surrogatepass")
    cuts = cut_at(raw + PAD, np.zeros(1, np.int32), np.array([len(raw)], np.int32), np.full(1, -1))
    if not cuts.plain[0]:
        return
    body = decode_body(raw)
    for part, value in ((PROPERTIES, body.properties), (CONTEXT, body.context)):
        start, stop = cuts.spans[0, part].tolist()
        sent = bytes(value)
        assert raw[start:stop] == (b"" if sent == b"null" else sent)
    labelled = body.type in ("page", "screen") and (body.name is not None or body.category is not None)
    assert bool(cuts.flags[0] & LABELLED) == labelled


@pytest.mark.parametrize(
    "rest",
    [
        '"userId":"u","userId":null',
        '"userId":null,"userId":"u"',
        '"userId":"u","timestamp":"2026-11-22T10:00:00Z","timestamp":null',
        '"userId":"u","properties":{},"properties":null',
    ],
)
def test_a_key_that_comes_twice_is_not_plain(rest: str) -> None:
    """Strict readers take the last one, so that this is not for who reads from the front."""
    assert not cut_texts([f'{{"type":"track","event":"Login",{rest}}}'.encode()]).plain.any()


def test_a_usual_event_is_plain() -> None:
    """Else the law would say nothing."""
    event = (
        b'{"type":"track","event":"Login","userId":"u","messageId":"m","timestamp":"2026-11-22T10:00:00Z"}'
    )
    pretty = json.dumps(json.loads(event), indent=2).encode()
    assert cut_texts([event, b" " + event + b"\r", pretty]).plain.all()
    assert not decode_events([event]).bodies
    assert not decode_batch(b'{"batch":[' + event + b'],"sentAt":"2026-11-22T10:00:00Z"}').bodies
    assert not decode_single(b'{"event":"Login","anonymousId":"a"}', "track").bodies


def test_requests_are_gathered_in_their_order() -> None:
    sent = [{"event": f"E{at}", "userId": at if at % 2 else f"u{at}"} for at in range(5)]
    parts = [decode_single(json.dumps(each).encode(), "track") for each in sent]
    whole = Intake(Identity(), Seen()).accept(gathered(parts), "s", 1, NOW).batch
    assert whole.names == [f"E{at}" for at in range(5)]
    assert [created[2] for created in whole.created] == ["u0", "1", "u2", "3", "u4"]
    assert len(gathered([])) == 0


@pytest.mark.parametrize("count", [0, 1, BATCH_EVENTS_MAX])
def test_as_many_events_as_a_batch_may_have(count: int) -> None:
    event = b'{"type":"track","event":"Login","userId":"u"}'
    decoded = decode_batch(b'{"batch":[' + b",".join([event] * count) + b"]}")
    assert (len(decoded), decoded.bodies) == (count, {})


def test_names_without_end_are_forgotten_and_right() -> None:
    names = Names()
    for turn in range(3):
        sent = [f"{at}{turn}" * 4_000 for at in range(300)] + ["Login"]
        raws = [b'{"type":"track","userId":"u","event":"%s"}' % name.encode() for name in sent]
        found = names.of(cut_texts(raws))
        assert list(found) == sent
        assert sum(len(word or "") for word in found.words) <= 2 * NAMES_BYTES_MAX

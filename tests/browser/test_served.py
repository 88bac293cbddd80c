"""The modules as they are served: small, checked, held to their hashes, and built from their source."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

import segue
from segue.api.sdk import INSTALLED
from tests.api.serving import Running, eventually
from tests.browser.tracked import Shop, sends
from tests.sdk.driving import SDKS

ROOT = Path(__file__).parents[2]
SDK = ROOT / "sdk"
SERVED = SDK / "served"
TOOLS = SDKS / "tools" / "node_modules"
COMPRESSED_MAX = {"segue.js": 4_000, "personalize.js": 5_500}
"""Bytes of the tracker's core and of the personalizer, as they go over the wire."""


def compressed(text: bytes) -> int:
    return len(gzip.compress(text, mtime=0))


def assert_small(name: str, text: bytes) -> None:
    assert compressed(text) <= COMPRESSED_MAX[name]


def need_tools() -> None:
    """Skips with the reason why the tracker cannot be built on this machine."""
    note = SDKS / "tools.missing"
    if note.exists():
        pytest.skip(f"esbuild and typescript: {note.read_text(encoding='utf-8')}")
    if shutil.which("node") is None or not (TOOLS / "esbuild").is_dir():
        pytest.skip("esbuild and typescript are not set up: run python3 scripts/setup_sdks.py")


def built(source: Path, target: Path) -> str:
    """What the build says; it fails when a type is wrong."""
    need_tools()
    ended = subprocess.run(
        ["node", source / "build.cjs", target],
        capture_output=True,
        check=False,
        encoding="utf-8",
        env={**os.environ, "NODE_PATH": str(TOOLS)},
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_modules_are_small(server: Running, capsys: pytest.CaptureFixture[str]) -> None:
    """The size that is told is the size that is sent."""
    modules = server.http.get("/sdk").json()["modules"]
    with capsys.disabled():
        print("", *(f"/sdk/{name}: {each['compressed']} bytes" for name, each in modules.items()), sep="\n  ")
    for name in COMPRESSED_MAX:
        answer = server.http.get(f"/sdk/{name}")
        assert answer.headers["content-encoding"] == "gzip"
        assert int(answer.headers["content-length"]) == modules[name]["compressed"]
        assert len(answer.content) == modules[name]["bytes"]
        assert_small(name, answer.content)


@pytest.mark.parametrize("name", COMPRESSED_MAX)
def test_a_kilobyte_more_would_be_too_much(name: str) -> None:
    """The control."""
    with pytest.raises(AssertionError):
        assert_small(name, (SERVED / name).read_bytes() + os.urandom(1_000))


def test_what_is_served_is_what_the_source_says(tmp_path: Path) -> None:
    """The types hold, and the committed files are what the build makes of the source."""
    assert "segue.js" in built(SDK, tmp_path)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {path.name for path in SERVED.iterdir()}
    differing = [name for name in names if (tmp_path / name).read_bytes() != (SERVED / name).read_bytes()]
    assert differing == [], "run NODE_PATH=.sdks/tools/node_modules node sdk/build.cjs"


@pytest.mark.parametrize(
    "line",
    ["export const wrong = sampled(1, 'x');\n", "/** @type {number} */ export const wrong = newId();\n"],
)
def test_a_wrong_type_ends_the_build(tmp_path: Path, line: str) -> None:
    """The control."""
    copy = tmp_path / "sdk"
    shutil.copytree(SDK, copy)
    with (copy / "src" / "visitor.js").open("a", encoding="utf-8") as file:
        file.write(line)
    with pytest.raises(AssertionError, match=r"visitor\.js"):
        built(copy, tmp_path / "out")


USE = """import { load } from "./sdk/segue.js";
import { capture } from "./sdk/auto.js";
import { personalize } from "./sdk/personalize.js";
const tracker = load("k", { consent: "wait", sample: 0.5 });
const segue = personalize(tracker, { tokens: async ({ anonymousId }) => anonymousId });
capture(segue);
segue.track("a", { n: 1 });
const off: () => void = segue.on("entered", "vip", ({ segment, seq }) => console.log(segment, seq));
const hero: Promise<string | null> = segue.decide("hero", { mood: "good" }).then(({ variant }) => variant);
"""


def test_the_declarations_are_what_a_page_may_import(tmp_path: Path) -> None:
    """A program in TypeScript against the files as they are served; what is wrong with it is found."""
    need_tools()
    shutil.copytree(SERVED, tmp_path / "sdk")
    program = tmp_path / "shop.ts"

    def checked(text: str) -> subprocess.CompletedProcess[str]:
        program.write_text(text, encoding="utf-8")
        options = ["--noEmit", "--strict", "--target", "es2022", "--module", "es2022"]
        options += ["--moduleResolution", "bundler"]
        command = ["node", str(TOOLS / "typescript" / "bin" / "tsc"), *options, str(program)]
        return subprocess.run(command, capture_output=True, check=False, encoding="utf-8")

    found = checked(USE)
    assert found.returncode == 0, found.stdout
    assert "trak" in checked(USE.replace("track(", "trak(")).stdout
    assert "enters" in checked(USE.replace('"entered"', '"enters"')).stdout
    assert "decide" in checked(USE.replace("segue.decide", "tracker.decide")).stdout


def test_the_version_is_that_of_the_package() -> None:
    assert f'"{segue.__version__}"' in (SDK / "src" / "page.js").read_text(encoding="utf-8")


def test_the_modules_are_part_of_what_is_installed() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    included = project["tool"]["hatch"]["build"]["targets"]["wheel"]["force-include"]
    assert included[SERVED.relative_to(ROOT).as_posix()] == f"segue/{INSTALLED}"


def test_how_long_a_module_is_kept(server: Running) -> None:
    """For ever under its digest, for minutes under its name; whoever has it is not sent it again."""
    for name, each in server.http.get("/sdk").json()["modules"].items():
        fixed, plain = server.http.get(each["path"]), server.http.get(f"/sdk/{name}")
        assert fixed.content == plain.content
        assert fixed.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert plain.headers["cache-control"] == "public, max-age=300"
        for answer in (fixed, plain):
            assert answer.headers["content-type"] == "text/javascript; charset=utf-8"
            assert answer.headers["access-control-allow-origin"] == "*"
            assert answer.headers["vary"] == "Accept-Encoding"
            again = server.http.get(answer.url.path, headers={"If-None-Match": answer.headers["etag"]})
            assert (again.status_code, again.content) == (304, b"")
        other = server.http.get(f"/sdk/{name}", headers={"Accept-Encoding": "gzip;q=0, br"})
        assert "content-encoding" not in other.headers
        assert other.content == plain.content
        assert other.headers["etag"] != plain.headers["etag"]


@pytest.mark.parametrize("name", ["segue.0123456789abcdef.js", "tsconfig.json", "..%2Fpackage.json", "src"])
def test_nothing_else_is_served(server: Running, name: str) -> None:
    found = server.http.get(f"/sdk/{name}")
    assert (found.status_code, found.json()["code"]) == (404, "E772")


@pytest.mark.parametrize("right", [True, False])
def test_a_browser_holds_the_script_to_its_hash(shop: Shop, right: bool) -> None:
    """The control: with another hash the script does not run."""
    own = shop.server.http.get("/sdk").json()["modules"]["segue.js"]
    integrity = own["integrity"] if right else own["integrity"][:-4] + "AAAA"
    source = shop.modules.removesuffix("/sdk") + own["path"]
    shop.site.put(
        f'<script type="module" src="{source}" integrity="{integrity}" crossorigin data-write-key="wk_test"'
        f' data-host="{shop.host}" data-pages="off"></script>'
    )
    tab = shop.open()
    assert tab.run("typeof segue") == ("object" if right else "undefined")
    if right:
        tab.run(sends(0))
        shop.told({0})
        visitor = tab.run("segue.anonymousId")
        eventually(lambda: shop.events(visitor))

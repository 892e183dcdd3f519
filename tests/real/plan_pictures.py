"""The pictures of docs/plans: a study's page in a real Chromium, some layers on, with whom to name under the map.

``python -m tests.real.plan_pictures`` takes them again from the runs in ``RENXING_WORKSPACE``.
"""

from __future__ import annotations

import contextlib
import io
import os
import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from app.store import Workspace
from tests import shared_data
from tests.browser.conftest import ARGUMENTS, Served, serving
from tests.real import plans

FOLDER = shared_data.ROOT / "docs" / "plans"
SIZE = (1180, 640)
MOST_BYTES = 200_000
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
LANGUAGES = ("en", "zh")


def name(picture: Mapping[str, Any], lang: str) -> str:
    """The file of a picture."""
    return f"{picture['file']}-{lang}.png"


def taken(workspace: Path, studies: Mapping[str, Any] | None = None, folder: Path = FOLDER) -> None:
    """Take every picture that ``studies`` list (else ``plans.toml``) from the runs computed last."""
    browser_path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser_path is None:
        sys.exit(f"no browser: none of {', '.join(BROWSERS)} is on the path")
    folder.mkdir(exist_ok=True)
    with _service(workspace) as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path, args=list(ARGUMENTS))
        for study, about in (plans.listed()["plan"] if studies is None else studies).items():
            for picture in about.get("pictures", []):
                for lang in LANGUAGES:
                    page = browser.new_page(viewport=dict(zip(("width", "height"), SIZE, strict=True)))  # type: ignore[arg-type]
                    _keep(_drawn(page, service, study, picture, lang), folder / name(picture, lang))
                    page.close()
        browser.close()


@contextlib.contextmanager
def _service(workspace: Path) -> Iterator[Served]:
    serving_ = serving(Workspace.open(workspace))
    yield next(serving_)
    next(serving_, None)


def _drawn(page: Page, service: Served, study: str, picture: Mapping[str, Any], lang: str) -> bytes:
    """The page with exactly the picture's layers on, as PNG; faults of the page are told."""
    page.on("pageerror", lambda error: print(f"{study}: {error}", flush=True))
    page.goto(f"{service.address}/studies/{study}?scenario={picture['scenario']}&lang={lang}")
    page.wait_for_selector("html[data-ready]", timeout=120_000)
    page.evaluate("() => document.querySelectorAll('details.topic').forEach((topic) => { topic.open = true; })")
    lacking = page.evaluate(SHOW, picture["layers"])
    if lacking:
        print(f"{study}: no layer {', '.join(lacking)}", flush=True)
    south, west, north, east = picture["bounds"]
    page.evaluate(FIT, [[south, west], [north, east]])
    page.evaluate(TIDY)
    page.wait_for_timeout(3000)
    page.wait_for_load_state("networkidle")
    assert page.locator("#attribution").inner_text().strip(), f"{study}: the map names nobody whose data it shows"
    return page.locator("#stage").screenshot()


FIT = """(bounds) => {
  const right = document.getElementById("legend").offsetWidth + 16;
  map_plan.fitBounds(bounds, { paddingBottomRight: [right, 0], animate: false });
}"""
"""Shows the bounds beside the legend."""
TIDY = """() => {
  const on = ".layer[data-state=on]";
  document.querySelectorAll(`#legend .layer:not([data-state=on])`).forEach((row) => row.remove());
  document.querySelectorAll("#legend .topic, #legend .groups > section").forEach((part) => {
    if (!part.querySelector(on)) part.remove();
  });
  document.getElementById("buttons").remove();
}"""
"""Leaves of the legend only what is on."""


SHOW = """async (wanted) => {
  for (const [id, layer] of Renxing.layers) {
    if (wanted.includes(id)) await layer.show(); else layer.hide();
  }
  return wanted.filter((id) => !Renxing.layers.has(id));
}"""
"""Switches on the layers named and off all others; says which there are not."""


def _keep(png: bytes, file: Path) -> None:
    """Keep a picture in as many colours as fit into ``MOST_BYTES``."""
    image = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (256, 192, 128, 96, 64):
        few = io.BytesIO()
        # By the largest box of colours, not by how many have them: a legend's small symbol keeps its own.
        image.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(few, "PNG", optimize=True)
        if few.tell() <= MOST_BYTES:
            break
    file.write_bytes(few.getvalue())
    print(f"{file.name}: {few.tell() / 1000:.0f} kB in {colours} colours", flush=True)


if __name__ == "__main__":
    taken(Path(os.environ["RENXING_WORKSPACE"]))

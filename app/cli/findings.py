"""A report on the terminal: the verdict, what a plan is made from, the layers, then what was found, worst first."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.table import Table
from rich.text import Text

from app.checks.report import FindingModel, LayerCheck, Report
from app.checks.words import DASH, age, amount, content, covers, crs_code, held, measured, percent, place, told, word
from app.cli.options import Language
from app.cli.screen import out
from app.cli.tables import Column, dim, print_table
from geo.reasons import SEVERITIES, Severity

SIGNS: dict[str, tuple[str, str]] = {
    "error": ("✖", "bold red"), "warning": ("▲", "yellow"), "repaired": ("✚", "cyan"), "info": ("·", "dim"),
    "no": ("✖", "bold red"), "yes_with_warnings": ("▲", "bold yellow"), "yes": ("✔", "bold green"),
    "missing": ("✖", "red"), "assumed": ("▲", "yellow"), "there": ("✔", "green"),
}  # fmt: skip
"""What stands before a finding, a verdict and a need, and its colour."""
TOLD: tuple[Severity, ...] = ("error", "warning")
"""Severities that have a column of their own in the table of layers."""


def print_report(report: Report, lang: Language, *, least: Severity) -> None:
    """Everything a planner reads before trusting a plan; findings of at least this weight."""
    _print_verdict(report, lang)
    _print_needs(report, lang)
    _print_layers(report, lang)
    _print_completeness(report, lang)
    _print_scenarios(report, lang)
    _print_findings(report, lang, least)


def _sign(name: str) -> Text:
    sign, style = SIGNS[name]
    return Text(sign, style=style)


def _print_verdict(report: Report, lang: Language) -> None:
    chinese = lang is Language.zh
    area = DASH if report.area_km2 is None else word("area", lang, value=f"{report.area_km2:,.1f}")
    about = f" · {word('title', lang)} · {report.crs_name} ({report.crs}) · {area}"
    out().print(Text.assemble(((report.name_zh if chinese else None) or report.name, "bold"), (about, "dim")))
    answer = (f"{word(f'answer.{report.verdict}', lang)}  ", SIGNS[report.verdict][1])
    _print_row(_sign(report.verdict), Text.assemble(answer, report.verdict_zh if chinese else report.verdict_en))
    counts = [f"{word(f'severity.{name}', lang)} {n}" for name, n in report.counts.items() if n]
    dim("  " + " · ".join(counts or [word("nothing", lang)]))


def _print_row(sign: Text, text: Text) -> None:
    """A sign and text that hangs beside it."""
    row = Table.grid(padding=(0, 1))
    row.add_column(no_wrap=True)
    row.add_column(overflow="fold")
    row.add_row(sign, text)
    out().print(row)


def _print_needs(report: Report, lang: Language) -> None:
    """What there is, and what follows where it is not; sentences wrap, numbers do not."""
    out().print(Text(f"\n{word('needs', lang)}", style="bold"))
    drawn = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim")
    drawn.add_column("", no_wrap=True)
    drawn.add_column(word("needed", lang), no_wrap=True)
    drawn.add_column(word("there_is", lang), justify="right", no_wrap=True)
    drawn.add_column(word("from", lang), no_wrap=True)
    drawn.add_column(word("follows", lang), overflow="fold", style="dim")
    for need in report.needs:
        name, follows = (need.name_zh, need.zh) if lang is Language.zh else (need.name_en, need.en)
        source = word(f"comes_from.{need.source}", lang)
        sign = _sign(need.state) if need.essential or need.state != "missing" else Text(DASH, style="dim")
        drawn.add_row(sign, Text(name), amount(need, lang), source, Text(follows))
    out().print(drawn)


def _print_layers(report: Report, lang: Language) -> None:
    if not report.layers:
        return
    words = [Column(word(name, lang), number=False) for name in ("layer", "content", "crs")]
    numbers = [Column(word(name, lang)) for name in (*(f"severity.{name}" for name in TOLD), "covers", "age")]
    out().print()
    print_table(word("layers", lang), [*words, *numbers], [_layer_row(layer, lang) for layer in report.layers], lang)


def _layer_row(layer: LayerCheck, lang: Language) -> list[object]:
    named = Text.assemble(layer.called, (f" {word(f'kind.{layer.kind}', lang)}", "dim"))
    what = _most(layer, lang) if layer.readable else word("not_readable", lang)
    counts = [_count(sum(f.severity == name for f in layer.findings), name) for name in TOLD]
    return [named, what, crs_code(layer), *counts, covers(layer, lang), age(layer.age_days, lang)]


def _most(layer: LayerCheck, lang: Language) -> str:
    """What is in a layer; of a map what it holds most of."""
    if not layer.contents:
        return content(layer, lang)
    most = max(layer.contents, key=lambda name: layer.contents[name])
    return held(layer.model_copy(update={"contents": {most: layer.contents[most]}}), lang)[0]


def _count(n: int, severity: str) -> Text:
    return Text(str(n), style=SIGNS[severity][1]) if n else Text(DASH, style="dim")


def _print_completeness(report: Report, lang: Language) -> None:
    rows = [
        [one.zh if lang is Language.zh else one.en, percent(one.share), measured(one, lang)] for one in told(report)
    ]
    columns = [
        Column(word("measured", lang), number=False),
        Column(word("share", lang)),
        Column(word("there_is", lang)),
    ]
    if rows:
        out().print()
        print_table(word("complete", lang), columns, rows, lang)


def _print_scenarios(report: Report, lang: Language) -> None:
    words = [Column(word(name, lang), number=False) for name in ("scenario", "hazard")]
    numbers = [Column(word(name, lang)) for name in ("return_period", "known", "affected")]
    rows: list[list[object]] = []
    for one in report.scenarios:
        name = (one.name_zh if lang is Language.zh else None) or one.name
        if not one.hazards:
            rows.append([name, word("no_hazard", lang), DASH, DASH, DASH])
        for hazard in one.hazards:
            years = DASH if hazard.return_period_y is None else word("years", lang, value=f"{hazard.return_period_y:g}")
            rows.append([name, hazard.called, years, percent(hazard.known_share), percent(hazard.affected_share)])
    if rows:
        out().print()
        print_table(word("scenarios", lang), [*words, *numbers], rows, lang)


def _print_findings(report: Report, lang: Language, least: Severity) -> None:
    """Group by group, the one with the worst finding first."""
    wanted = SEVERITIES[: SEVERITIES.index(least) + 1]
    groups = [(word("whole", lang), "", report.findings)]
    groups += [(one.called, f"{word(f'kind.{one.kind}', lang)} · {one.file}", one.findings) for one in report.layers]
    shown = [(name, about, [f for f in found if f.severity in wanted]) for name, about, found in groups]
    shown = sorted((group for group in shown if group[2]), key=lambda group: SEVERITIES.index(group[2][0].severity))
    out().print(Text(f"\n{word('findings', lang)}", style="bold"))
    for name, about, found in shown:
        out().print(Text.assemble((f"\n{name}", "bold"), (f"  {about}", "dim")))
        _print_group(found, lang)
    if rest := sum(report.counts.values()) - sum(len(found) for _, _, found in shown):
        dim("\n" + word("and_more", lang, value=rest))
    elif not shown:
        dim(word("nothing", lang))


def _print_group(findings: Sequence[FindingModel], lang: Language) -> None:
    for finding in findings:
        said, cure = (finding.zh, finding.do_zh) if lang is Language.zh else (finding.en, finding.do_en)
        at = place(finding, lang)
        _print_row(_sign(finding.severity), Text.assemble(said, (f" ({at})" if at else "", "dim")))
        if cure:
            _print_row(Text(" "), Text.assemble(("→ ", "green"), cure))

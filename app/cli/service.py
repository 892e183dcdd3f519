"""The command that serves a workspace to browsers and other systems."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.options import WORKSPACE, WorkspacePath


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve)


def serve(
    host: Annotated[
        str, typer.Option("--host", envvar="RENXING_HOST", help="Address to serve on (IP address or host name).")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option("--port", envvar="RENXING_PORT", min=0, max=65535, help="TCP port to serve on (0: any free one)."),
    ] = 8000,
    workers: Annotated[
        int, typer.Option("--workers", envvar="RENXING_WORKERS", min=1, max=64, help="Server processes (count).")
    ] = 1,
    job_workers: Annotated[
        int,
        typer.Option(
            "--job-workers",
            envvar="RENXING_JOB_WORKERS",
            min=0,
            max=64,
            help="Worker processes that compute what is submitted (count; 0: they run elsewhere).",
        ),
    ] = 1,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Serve the studies of a workspace: pages for people, an API for other systems."""
    from app.serving import serve as start
    from app.settings import Settings

    given = {"workspace": workspace, "host": host, "port": port, "workers": workers, "job_workers": job_workers}
    if code := start(Settings.read(**given)):
        raise typer.Exit(code)

"""The commands ``cascadence weights ...``: the store of model weights."""

from __future__ import annotations

import json
from typing import Annotated

import typer

weights_app = typer.Typer(help="Fetch, check and list model weights.", no_args_is_help=True)

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]


@weights_app.command("list")
def weights_list(as_json: AsJson = False) -> int:
    """List every artefact with size, licence and whether it is here."""
    from cascadence.weights import artefacts, locate

    rows = [
        {
            "name": entry.name,
            "kind": entry.kind,
            "megabytes": round(entry.size / 1e6, 1),
            "licence": " + ".join(str(licence) for licence in entry.licences),
            "here": locate(entry.name) is not None,
        }
        for entry in artefacts()
    ]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return 0
    for row in rows:
        here = "here" if row["here"] else "-"
        typer.echo(f"{row['name']:28} {row['megabytes']:>8} MB {here:5} {row['licence']}")
    return 0


@weights_app.command("fetch")
def weights_fetch(names: Annotated[list[str], typer.Argument(help="Artefacts.")]) -> int:
    """Fetch artefacts into the store."""
    from cascadence.progress import TerminalProgress
    from cascadence.weights import fetch

    with TerminalProgress() as progress:
        for name in names:
            typer.echo(str(fetch(name, progress=progress.fetching)))
    return 0


@weights_app.command("verify")
def weights_verify(names: Annotated[list[str], typer.Argument(help="Artefacts.")]) -> int:
    """Hash artefacts in the store again."""
    from cascadence.weights import verify

    for name in names:
        typer.echo(f"{name}: {verify(name)}")
    return 0


@weights_app.command("remove")
def weights_remove(names: Annotated[list[str], typer.Argument(help="Artefacts.")]) -> int:
    """Delete artefacts from the store."""
    from cascadence.weights import remove

    for name in names:
        typer.echo(f"{name}: {remove(name) / 1e6:.0f} MB removed")
    return 0

"""The command line: data to standard output, progress to standard error.

Exit codes: 0 all went well, 1 failures are recorded, 2 wrong use, 130 stopped. Nothing heavy is
imported before a command needs it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from cascadence.cli_weights import weights_app
from cascadence.errors import CascadenceError

app = typer.Typer(
    name="cascadence",
    help="Play the same spoken conversations to cascaded and end-to-end systems, and measure both.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.add_typer(weights_app, name="weights")

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Runs = Annotated[Path, typer.Option(help="Where run directories are made.")]


def main() -> NoReturn:
    """Run the command line, and turn problems into one line and an exit code."""
    try:
        code = app(standalone_mode=False)
    except CascadenceError as error:
        _say(f"error: {error}")
        sys.exit(2)
    except KeyboardInterrupt:
        _say("stopped; the same command goes on where this one ended")
        sys.exit(130)
    except typer.Abort:
        sys.exit(130)
    except Exception as error:
        show = getattr(error, "show", None)
        if show is None:
            raise
        show()
        sys.exit(getattr(error, "exit_code", 2))
    sys.exit(code if isinstance(code, int) else 0)


@app.command()
def run(
    sweep: Annotated[str, typer.Argument(help="A sweep file, or the name of a bundled one.")],
    runs: Runs = Path("runs"),
    name: Annotated[str | None, typer.Option(help="Name of the run directory.")] = None,
    dry_run: Annotated[bool, typer.Option(help="Show what would be played, and why not.")] = False,
    replace: Annotated[
        bool, typer.Option(help="Throw away results of another configuration.")
    ] = False,
    only_play: Annotated[bool, typer.Option(help="Do not measure, do not report.")] = False,
) -> int:
    """Play a sweep, measure it, and write its report; done work is kept."""
    from cascadence.experiment import run_experiment
    from cascadence.progress import TerminalProgress
    from cascadence.sweep import read_sweep

    asked, folder = read_sweep(sweep)
    if name is not None:
        asked = asked.model_copy(update={"name": name})
    if dry_run:
        return _show_plan(asked, folder)
    with TerminalProgress() as progress:
        finished = run_experiment(
            asked, folder, runs, progress, replace=replace, measure=not only_play
        )
    if finished.report is not None:
        _print_headline(finished.directory)
        typer.echo(f"report: {finished.report}")
    if finished.failed:
        _say(f"{finished.failed} conversations have no result; see {finished.directory}")
    return 1 if finished.failed or finished.problems else 0


@app.command()
def score(
    run_directory: Annotated[Path, typer.Argument(help="A run directory.")],
    metric: Annotated[list[str] | None, typer.Option(help="Only these metrics.")] = None,
) -> int:
    """Measure a run again, without the systems."""
    from cascadence.experiment import score_run
    from cascadence.progress import TerminalProgress

    with TerminalProgress() as progress:
        score_run(run_directory, metric or [], progress)
    _print_headline(run_directory)
    return 0


@app.command()
def report(
    run_directory: Annotated[Path, typer.Argument(help="A run directory.")],
    kind: Annotated[str, typer.Option(help="Which report.")] = "html",
) -> int:
    """Write the report of a run."""
    from cascadence.experiment import write_report

    typer.echo(str(write_report(run_directory, kind)))
    return 0


@app.command()
def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Run directories; each is compared with the first.")
    ],
    system: Annotated[
        list[str] | None,
        typer.Option(help="Only this one; ONE=OTHER: ONE in the first run, OTHER in the others."),
    ] = None,
    metric: Annotated[list[str] | None, typer.Option(help="Only these metrics.")] = None,
    allow_different_versions: Annotated[
        bool, typer.Option(help="Compare metrics of different versions too, and mark them.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Compare runs on the conversations that they share, system by system."""
    from cascadence.comparing import Asked, compare_runs, to_json
    from cascadence.registry import load

    named = [name.partition("=") for name in system or ()]
    pairs = tuple((one, other or one) for one, _, other in named)
    found = compare_runs(runs, Asked(pairs, tuple(metric or ()), allow_different_versions))
    if as_json:
        typer.echo(json.dumps(to_json(found), indent=2, allow_nan=False))
    else:
        # By its place: entry points of this group take one run.
        typer.echo(load("reports", "cascadence.reports.compared_runs:to_text")(found))
    return 0


@app.command()
def breakdown(
    run_directory: Annotated[Path, typer.Argument(help="A run directory.")],
    metric: Annotated[str, typer.Argument(help="Which metric.")] = "task_success",
    by: Annotated[str, typer.Option(help="tag, turn, speaker, style, slot or split.")] = "tag",
    as_json: AsJson = False,
) -> int:
    """Show one metric part by part: by tag, turn, speaker, style ..."""
    from cascadence.registry import load
    from cascadence.results import load_run

    run = load_run(run_directory)
    # By its place: entry points of this group take one run.
    table = load("reports", "cascadence.reports.breakdown:breakdown")(run, metric, by)
    if as_json:
        typer.echo(table.to_json(orient="records", indent=2))
    else:
        title = f"{metric} by {by}: {run.about.get('name', '')}"
        typer.echo(load("reports", "cascadence.reports.breakdown:to_text")(table, title))
    return 0


@app.command("list")
def list_names(
    what: Annotated[
        str, typer.Argument(help="systems, asr, llm, tts, metrics, corpora, sweeps ...")
    ],
    as_json: AsJson = False,
) -> int:
    """List what is registered or bundled."""
    from typing import get_args

    from cascadence.registry import Group, registered

    if what in get_args(Group):
        rows = {name: point.value for name, point in sorted(registered(what).items())}  # type: ignore[arg-type]
    elif what == "sweeps":
        from cascadence.sweep import bundled_sweeps

        rows = dict.fromkeys(bundled_sweeps(), "bundled")
    elif what == "corpora":
        from cascadence.corpus import bundled_corpora

        rows = {name: str(path) for name, path in bundled_corpora().items()}
    else:
        known = ", ".join((*get_args(Group), "corpora", "sweeps"))
        raise CascadenceError(f"nothing is listed under {what!r}", mend=f"one of {known}")
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    else:
        for name, where in rows.items():
            typer.echo(f"{name:28} {where}")
    return 0


@app.command()
def describe(
    name: Annotated[str, typer.Argument(help="A metric, system, part or bundled corpus.")],
) -> int:
    """Say what a registered thing is."""
    from cascadence.describing import describe as describe_name

    typer.echo(describe_name(name))
    return 0


@app.command()
def validate(
    corpus: Annotated[str, typer.Argument(help="A corpus folder, or the name of a bundled one.")],
    audio: Annotated[bool, typer.Option(help="Read and hash every file too.")] = False,
    as_json: AsJson = False,
) -> int:
    """Check a corpus: every problem with file, line and field."""
    import dataclasses

    from cascadence.corpus import open_corpus
    from cascadence.validation import validate as find_problems

    errors = 0
    for problem in find_problems(open_corpus(corpus), audio=audio):
        errors += problem.severity == "error"
        line = json.dumps(dataclasses.asdict(problem)) if as_json else str(problem)
        typer.echo(line)
    _say(f"{errors} errors" if errors else "no errors")
    return 1 if errors else 0


@app.command("import")
def import_dataset(
    dataset: Annotated[str, typer.Argument(help="A dataset's name: `list importers`.")],
    source: Annotated[Path, typer.Argument(help="Its folder, laid out as published.")],
    out: Annotated[
        Path | None,
        typer.Option(help="The corpus's folder; by default the dataset's own, with no copies."),
    ] = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many.")] = None,
    replace: Annotated[bool, typer.Option(help="Overwrite an earlier import.")] = False,
    as_json: AsJson = False,
) -> int:
    """Make a corpus, or recordings to score, out of a dataset on disk."""
    from cascadence.importing import import_named

    imported = import_named(dataset, source, out, replace=replace, limit=limit)
    for problem in imported.problems:
        _say(str(problem))
    what = {"folder": str(imported.folder), "kind": imported.kind, "count": imported.count}
    left_out = len(imported.problems)
    typer.echo(
        json.dumps({**what, "left_out": left_out})
        if as_json
        else f"{imported.folder}: {imported.count} {imported.kind}, {left_out} left out"
    )
    return 1 if left_out else 0


@app.command()
def export(
    source: Annotated[str, typer.Argument(help="A corpus (name or folder), or a run directory.")],
    kind: Annotated[str, typer.Argument(help="A format: `list exporters`.")],
    out: Annotated[Path, typer.Argument(help="A new folder.")],
) -> int:
    """Write a corpus or a run's recordings in another tool's format."""
    from cascadence.exporting import export_named

    typer.echo(str(export_named(kind, source, out)))
    return 0


@app.command()
def schema(
    name: Annotated[
        str, typer.Argument(help="conversation (a line of the manifest), or corpus (corpus.toml).")
    ] = "conversation",
) -> int:
    """Write the JSON Schema of a corpus's files."""
    from cascadence.schema import schema_text

    typer.echo(schema_text(name), nl=False)
    return 0


@app.command()
def train(
    system: Annotated[str, typer.Argument(help="What to train: cadence.")],
    config: Annotated[Path | None, typer.Option(help="Training configuration.")] = None,
    out: Annotated[Path, typer.Option(help="Where stages, logs and weights go.")] = Path(
        "training"
    ),
    smoke: Annotated[bool, typer.Option(help="The small size: a few minutes.")] = False,
) -> int:
    """Train the built-in end-to-end model; each stage is cached and can be resumed."""
    from cascadence.registry import load

    load("trainers", system)(config, out, smoke=smoke)
    return 0


@app.command()
def new(
    kind: Annotated[str, typer.Argument(help="system, metric or corpus.")],
    name: Annotated[str, typer.Argument(help="Its name, in snake case.")],
    folder: Annotated[Path, typer.Option(help="Where the files go.")] = Path(),
) -> int:
    """Write a small working example to start from, with a sweep that uses it."""
    from cascadence.scaffold import write_example

    for path in write_example(kind, name, folder):
        typer.echo(str(path))
    return 0


@app.command()
def doctor() -> int:
    """Say what works here, and what to do about what does not."""
    from cascadence.doctor import examine

    findings = examine()
    for finding in findings:
        typer.echo(f"{'ok     ' if finding.ok else 'missing'} {finding.what}: {finding.detail}")
    return 0 if all(finding.ok or finding.optional for finding in findings) else 1


def _show_plan(sweep: Any, folder: Path) -> int:
    from cascadence.planning import plan, plan_table

    for line in plan_table(plan(sweep, folder)):
        typer.echo(line)
    return 0


def _print_headline(directory: Path) -> None:
    from cascadence.registry import load
    from cascadence.results import load_run

    typer.echo(load("reports", "text")(load_run(directory)))


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


if __name__ == "__main__":
    main()

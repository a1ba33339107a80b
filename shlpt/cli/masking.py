"""The command `masking`."""

from typing import Annotated, Any

import typer

from shlpt.cli.options import AnyMatrix, Csv, Device, Home, Json, Threads, set_threads
from shlpt.cli.report import Bar, show
from shlpt.spec import read_seeds

NAMES = {
    "lost": "points of accuracy lost",
    "beyond_random": "more than with random neurons",
    "beyond_matched": "more than with random active neurons",
    "with_overlap": "ρ of overlap and loss",
    "with_transfer": "ρ of loss and transfer",
}


def masking(
    experiment: AnyMatrix = None,
    seeds: Annotated[str, typer.Option(help="Seeds of the matrix, separated by commas, or all.")] = "all",
    draws: Annotated[int, typer.Option(min=1, max=100, help="Random masks to compare with, for each pair.")] = 2,
    device: Device = "cpu",
    threads: Threads = None,
    home: Home = None,
    json: Json = False,
    csv: Csv = False,
) -> None:
    """Measure what a task loses without the neurons that another task's prompt switches on.

    For each pair of a matrix, the neurons of the decoder that the source's prompt switches on are turned off while the
    target answers its test texts with its own prompt. Compared with as many random neurons of the same layers. Nothing
    is retrained; what was measured once is reused.
    """
    from shlpt.analysis import masking as pure
    from shlpt.analysis.transfer import gains
    from shlpt.results import masking as measured
    from shlpt.results.experiments import locate_matrix, pairs
    from shlpt.results.export import rows_of_frame

    chosen = None if seeds.strip() == "all" else read_seeds(seeds)
    set_threads(threads)
    store, found = locate_matrix(home, experiment)
    with Bar("masking") as bar:
        frame = measured.measure(store, found["id"], chosen, draws, device, bar)
    answer = pure.answer(frame, gains(pairs(store, found["id"])))
    each = rows_of_frame(frame)
    parts: dict[str, Any] = dict(answer)
    rows = [
        {"what": title, "mean": parts[name]["mean"]}
        | dict(zip(("low", "high"), parts[name]["ci95"] or (None, None), strict=True))
        for name, title in NAMES.items()
    ]
    document = {"experiment": found["id"], **answer, "rows": each, "notes": pure.sentences(answer)}
    title = f"neurons that the source's prompt switches on: {found['name']} ({found['id']})"
    show(each if csv else rows, title, as_json=json, as_csv=csv, document=document)

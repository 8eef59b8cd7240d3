"""The command import: snapshots from other repositories' generators. It imports what it needs when called."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.parameters import UsageError

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(
    "import",
    epilog="Example: seg2real import --from pytorch-cyclegan latest_net_G_A.pth latest_net_G_B.pth "
    "--palette configs/palettes/nubots.yaml --out my.safetensors",
)
def import_generators(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="The generator that draws photographs, and the one that draws labels if it is there; of "
            "ugatit the one file with both.",
            show_default=False,
        ),
    ],
    *,
    repository: Annotated[
        Literal["pytorch-cyclegan", "nugan", "attentiongan", "ugatit"],
        typer.Option("--from", help="The repository that trained them."),
    ],
    palette: Annotated[Path, typer.Option(help="Palette YAML of the labels that they were trained with.")],
    out: Annotated[Path, typer.Option(help="The snapshot to write, such as my.safetensors.")],
    noise: Annotated[
        float, typer.Option(help="Saturation noise that the labels had, 0 to 1; 0 = none.")
    ] = 0.0,
    reversed_: Annotated[
        bool, typer.Option("--reversed", help="Their domain A was the photographs: swap the two generators.")
    ] = False,
) -> None:
    """Make a snapshot of generators trained elsewhere.

    It draws what they draw. With nugan labels keep their background, as its training composites them. A
    single generator of pytorch-cyclegan or attentiongan makes a snapshot that draws photographs only.
    """
    missing = [path for path in files if not path.is_file()]
    if missing:
        raise UsageError(f"There is no file {missing[0]}; a generator's weights were wanted.")
    if out.exists():
        raise UsageError(f"{out} is there already and is not replaced; choose another --out.")
    from manifests.durable import create_durable, make_folders
    from pipeline.importing.snapshot import import_snapshot
    from pipeline.starting_config import read_palette

    snapshot = import_snapshot(
        repository, files, read_palette(palette), noise_amount=noise, is_reversed=reversed_
    )
    make_folders(out.parent)
    create_durable(out, snapshot.to_bytes())
    train = snapshot.info.train
    typer.echo(
        f"Snapshot: {out}\n"
        f"Method:   {train.method}, {train.generator.width} channels, {train.generator.num_blocks} blocks"
    )

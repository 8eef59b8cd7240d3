"""The command that translates a user's own files by a snapshot: translate. It imports what it needs when
called."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from flows.parameters import UsageError

__all__ = ["commands"]

commands = typer.Typer()


@commands.command(epilog="Example: seg2real translate labels drawn --snapshot snapshot-00200000.safetensors")
def translate(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="INPUT", help="Image, video, or folder of them; left out with --camera."),
    ] = None,
    out: Annotated[
        Path | None, typer.Argument(metavar="OUT", help="Folder to write to; for one input also a file.")
    ] = None,
    *,
    snapshot: Annotated[Path, typer.Option(help="What translates; it brings its own palette.")],
    direction: Annotated[
        Literal["ab", "ba"],
        typer.Option(help="ab = segmentation images to pictures, ba = photographs to segmentation images."),
    ] = "ab",
    camera: Annotated[
        int | None, typer.Option(min=0, help="Number of a camera to translate until Ctrl-C or --seconds.")
    ] = None,
    seconds: Annotated[float | None, typer.Option(min=0.01, help="Of the camera or of each video.")] = None,
    variants: Annotated[
        int, typer.Option(min=1, max=1000, help="Pictures per segmentation image, named -v0, -v1, ...")
    ] = 1,
    seed: Annotated[
        int, typer.Option(min=0, max=2**32 - 1, help="Of the noise; same seed, same pictures.")
    ] = 0,
    photos: Annotated[
        Path | None, typer.Option(help="Folder of backgrounds, for a snapshot that pastes them.")
    ] = None,
    max_side: Annotated[
        int | None, typer.Option(min=1, help="Scale larger images down to this side, px.")
    ] = None,
    image_format: Annotated[
        Literal["png", "jpg"], typer.Option("--format", help="Of pictures; segmentation images are PNG.")
    ] = "png",
    antialiased_edges: Annotated[
        bool, typer.Option("--antialiased-edges", help="Accept blended class borders in INPUT.")
    ] = False,
    max_bad: Annotated[
        float, typer.Option(min=0, max=1, help="Share of bad files above which the exit code is 3.")
    ] = 0.2,
    device: Annotated[str, typer.Option(help="As torch names it; auto = cuda where there is one.")] = "auto",
    precision: Annotated[
        Literal["auto", "bf16", "fp32"], typer.Option(help="auto = bf16 where the device computes in it.")
    ] = "auto",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="List what would be done and stop.")] = False,
) -> None:
    """Translate images, videos or a camera by a snapshot.

    In either direction: segmentation images to pictures, or photographs to segmentation images; a snapshot
    trained on renders takes pictures instead of segmentation images. Images keep their size and name. Videos
    come out as MP4 without sound, all frames under the same noise. A camera is shown in a window where there
    is a display, and written to OUT if it is named.
    """
    if direction == "ba" and variants > 1:
        raise UsageError(f"--variants {variants} does not fit --direction ba: what is read has one reading.")
    from pipeline.translation.settings import TranslationSettings

    settings = TranslationSettings(
        direction=direction,
        seconds=seconds,
        variants=variants,
        seed=seed,
        photos=photos,
        image_format=image_format,
        max_side=max_side,
        antialiased_edges=antialiased_edges,
        device=device,
        precision=precision,
    )
    if camera is None:
        _translate_files(source, out, snapshot, settings, max_bad=max_bad, dry_run=dry_run)
    elif source is not None and out is not None:
        raise UsageError(f"--camera {camera} takes the place of INPUT; leave out {source}.")
    else:
        _translate_camera(camera, source, snapshot, settings, dry_run=dry_run)


def _translate_files(
    source: Path | None, out: Path | None, snapshot: Path, settings: Any, *, max_bad: float, dry_run: bool
) -> None:
    if source is None or out is None:
        missing = "INPUT and OUT are" if source is None else "OUT is"
        raise UsageError(f"{missing} missing; name what to translate, and a file or folder to write to.")
    from pipeline.translation.drawing import Drawing
    from pipeline.translation.jobs import plan_jobs
    from pipeline.translation.translate import require_enough, translate_files

    drawing = Drawing(snapshot, settings)
    jobs = plan_jobs(source, out, settings, from_renders=drawing.from_renders)
    if dry_run:
        for job in jobs:
            typer.echo(f"{job.source} -> {', '.join(map(str, job.outputs))}")
        return
    result = translate_files(drawing, jobs, settings)
    if len(jobs) > 1:
        for error in result.bad:
            typer.echo(f"Skipped {error}", err=True)
    if result.written:
        num_good = len(jobs) - len(result.bad)
        typer.echo(f"Written to {out}: {num_good} of {len(jobs)} inputs, as {len(result.written)} files.")
    require_enough(result, len(jobs), max_bad)


def _translate_camera(number: int, out: Path | None, snapshot: Path, settings: Any, *, dry_run: bool) -> None:
    from pipeline.translation.camera import Camera, has_display
    from pipeline.translation.drawing import Drawing
    from pipeline.translation.jobs import plan_outputs
    from pipeline.translation.translate import translate_camera

    if out is None and not has_display():
        raise UsageError("There is no display to show the camera on; name a file to write, such as live.mp4.")
    outputs = plan_outputs(out, f"camera-{number}", settings, is_video=True) if out is not None else ()
    drawing = Drawing(snapshot, settings)
    if dry_run:
        typer.echo(f"camera {number} -> {', '.join(map(str, outputs)) or 'window'}")
        return
    num = translate_camera(drawing, Camera(number), outputs, settings)
    typer.echo(f"{num} frames translated{''.join(f', {output}' for output in outputs)}.")

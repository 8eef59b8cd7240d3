"""The command scenes: drawn segmentation images, without a config. It imports what it needs when called."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["commands"]

commands = typer.Typer()

Range = tuple[float, float]
CountRange = tuple[int, int]


def _low_high(what: str) -> typer.models.OptionInfo:
    return typer.Option(metavar="LOW HIGH", help=what)


@commands.command(
    epilog="Example: seg2real scenes datasets/msl --num 500 --pitch robocup-msl --lens fisheye --fov 105 115"
)
def scenes(
    out: Annotated[Path, typer.Argument(help="Folder to draw into.", show_default=False)],
    *,
    num: Annotated[int, typer.Option(help="Segmentation images.")] = 500,
    photos: Annotated[int, typer.Option(help="Photo-like pictures, of other scenes.")] = 0,
    pitch: Annotated[
        str,
        typer.Option(help="robocup-humanoid, robocup-humanoid-adult, robocup-spl, robocup-msl or fifa."),
    ] = "robocup-humanoid",
    lens: Annotated[
        str, typer.Option(help="rectilinear, equidistant (also called fisheye) or equisolid.")
    ] = "rectilinear",
    width: Annotated[int, typer.Option(help="Of the pictures, px.")] = 384,
    height: Annotated[int, typer.Option(help="Of the pictures, px.")] = 288,
    fov: Annotated[Range, _low_high("Angle of view across the width, degrees.")] = (60, 90),
    camera_height: Annotated[Range, _low_high("Height of the lens above the ground, m.")] = (0.4, 1.2),
    pitch_angle: Annotated[Range, _low_high("Tilt of the camera below the horizon, degrees.")] = (0, 35),
    roll: Annotated[Range, _low_high("Roll about the optical axis, degrees.")] = (-4, 4),
    image_circle: Annotated[
        Range | None, _low_high("Diameter of the image circle, in widths; without it the lens fills all.")
    ] = None,
    centre_offset: Annotated[Range, _low_high("Optical axis off the picture's middle, in widths.")] = (0, 0),
    balls: Annotated[CountRange, _low_high("Balls on the pitch.")] = (0, 2),
    robots: Annotated[CountRange, _low_high("Robots on the pitch; players where it is fifa.")] = (0, 6),
    people: Annotated[CountRange, _low_high("People, who are labelled as environment.")] = (0, 3),
    renders: Annotated[
        bool, typer.Option("--renders", help="Draw a picture of each label's own scene beside it, too.")
    ] = False,
    label_ball: Annotated[bool, typer.Option(help="Whether labels show balls.")] = True,
    label_goal: Annotated[bool, typer.Option(help="Whether labels show goals.")] = True,
    label_robot: Annotated[bool, typer.Option(help="Whether labels show robots.")] = True,
    border: Annotated[
        Range | None, _low_high("Green outside the touch lines, m; without it as usual for the pitch.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    palette: Annotated[
        Path | None, typer.Option(help="Palette YAML; without it that of the NUbots.", show_default=False)
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace scenes of other settings in the folder.")
    ] = False,
) -> None:
    """Draw segmentation images of a pitch as a camera sees it.

    Camera metadata lies beside each; photo-like pictures show other scenes: nothing is paired. Each LOW HIGH
    is a range that every scene draws its own value from. What is there already stays.
    """
    from pydantic import ValidationError

    from pipeline.config import ConfigError
    from pipeline.progress import show_progress
    from pipeline.scenes.config import ScenesConfig
    from pipeline.scenes.drawing import draw_scenes
    from pipeline.starting_config import read_palette, shipped_palette

    try:
        config = ScenesConfig(
            num=num,
            num_photos=photos,
            renders=renders,
            pitch=pitch,
            width=width,
            height=height,
            lens=lens,
            fov_degrees=fov,
            camera_height_m=camera_height,
            pitch_degrees=pitch_angle,
            roll_degrees=roll,
            image_circle=image_circle,
            centre_offset=centre_offset,
            num_balls=balls,
            num_robots=robots,
            num_people=people,
            label_ball=label_ball,
            label_goal=label_goal,
            label_robot=label_robot,
            border_m=border,
            seed=seed,
        )
    except ValidationError as error:
        faults = (
            f"{'.'.join(map(str, item['loc'])) or 'scenes'}: {item['msg'].removeprefix('Value error, ')}"
            for item in error.errors()
        )
        raise ConfigError(f"Such scenes cannot be drawn: {'; '.join(faults)}.") from None
    colors = read_palette(palette or shipped_palette("nubots"))
    with show_progress("draw scenes", "pictures") as progress:
        draw_scenes(out, config, colors, overwrite=overwrite, progress=progress)
    typer.echo(f"Labels and pictures: {out}")

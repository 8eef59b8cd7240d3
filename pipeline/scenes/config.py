"""Configuration of drawn scenes."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from gan.config import StrictModel

__all__ = ["PitchName", "ScenesConfig"]


def _ordered(bounds: tuple[float, float]) -> tuple[float, float]:
    low, high = bounds
    if low > high:
        raise ValueError(f"range ({low}, {high}) runs backwards; (low, high) was wanted")
    return bounds


def _lens_name(value: Any) -> Any:
    return "equidistant" if value == "fisheye" else value


Range = Annotated[tuple[float, float], AfterValidator(_ordered)]
"""(low, high), both ends included; every scene draws its own value."""
CountRange = Annotated[tuple[int, int], AfterValidator(_ordered)]
"""(fewest, most), both ends included."""
LensName = Annotated[Literal["rectilinear", "equidistant", "equisolid"], BeforeValidator(_lens_name)]
"""Projection of the lens; "fisheye" is read as "equidistant"."""
PitchName = Literal["robocup-humanoid", "robocup-humanoid-adult", "robocup-spl", "robocup-msl", "fifa"]
"""KidSize and AdultSize pitches of the humanoid league, the others by their league."""


class ScenesConfig(StrictModel):
    """Segmentation images and photo-like pictures of a pitch; scene i depends on this section and i only."""

    num: int = Field(500, ge=0, le=1_000_000)
    """Segmentation images to draw."""
    renders: bool = False
    """Draw a photo-like picture beside each segmentation image, of the same scene: a render, for
    `train.conditioning` "render"."""
    num_photos: int = Field(0, ge=0, le=1_000_000)
    """Photo-like pictures to draw, of other scenes than the segmentation images: nothing is paired."""
    pitch: PitchName = "robocup-humanoid"
    """League whose rule book gives the pitch, the goals and the ball."""
    width: int = Field(384, ge=16, le=8192)
    """Width of the pictures in px."""
    height: int = Field(288, ge=16, le=8192)
    """Height of the pictures in px."""
    lens: LensName = "rectilinear"
    """Projection: rectilinear r = f tan(theta), equidistant r = f theta, equisolid r = 2 f sin(theta / 2)."""
    fov_degrees: Range = (60, 90)
    """Angle of view across the picture's width."""
    camera_height_m: Range = (0.4, 1.2)
    """Height of the lens above the ground."""
    pitch_degrees: Range = (0, 35)
    """Tilt of the camera below the horizon; 90 = straight down."""
    roll_degrees: Range = (-4, 4)
    """Roll about the optical axis; positive = clockwise as seen from behind the camera."""
    image_circle: Range | None = None
    """Diameter of the lens's image circle as a multiple of the picture's width; black, labelled environment,
    outside it. None = the lens fills the picture."""
    centre_offset: Range = (0, 0)
    """Distance of the optical axis from the middle of the picture, as a fraction of the picture's width; one
    value is drawn for right and one for down."""
    num_balls: CountRange = (0, 2)
    """Balls on the pitch."""
    num_robots: CountRange = (0, 6)
    """Robots on the pitch; human players where the pitch is fifa."""
    num_people: CountRange = (0, 3)
    """People on and beside the pitch. They hide what is behind them and are labelled as environment."""
    label_ball: bool = True
    """False = balls are left out of the labels, as is everything whose class the palette lacks: the label
    shows what is behind them. Photo-like pictures show them all the same."""
    label_goal: bool = True
    """False = goals are left out of the labels."""
    label_robot: bool = True
    """False = robots are left out of the labels."""
    border_m: Range | None = None
    """Width of the green outside the touch lines; None = what is usual for the pitch."""
    seed: int = Field(0, ge=0, lt=2**32)

    @model_validator(mode="after")
    def _possible(self) -> "ScenesConfig":
        limits = {
            "fov_degrees": (1, 170 if self.lens == "rectilinear" else 300),
            "camera_height_m": (0.05, 100),
            "pitch_degrees": (-90, 90),
            "roll_degrees": (-180, 180),
            "centre_offset": (-0.5, 0.5),
            "num_balls": (0, 100),
            "num_robots": (0, 100),
            "num_people": (0, 100),
        }
        limits |= {"image_circle": (0.1, 10), "border_m": (0, 20)}
        for name, (lowest, highest) in limits.items():
            if getattr(self, name) is None:
                continue
            low, high = getattr(self, name)
            if low < lowest or high > highest:
                raise ValueError(
                    f"{name} = ({low:g}, {high:g}); values from {lowest} to {highest} were wanted"
                    + (f" for a {self.lens} lens" if name == "fov_degrees" else "")
                )
        return self

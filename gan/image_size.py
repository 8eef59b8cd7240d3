"""The rule of networks that draw images of one size alone. Imports no torch."""

__all__ = ["ImageSizeError", "require_size"]


class ImageSizeError(ValueError):
    """An image of another size than the one that networks draw; the message is a clause about the image.

    Args:
        what: is wrong: a clause.
        fix: what to do: a clause.
    """

    def __init__(self, what: str, fix: str):
        super().__init__(f"{what}; {fix}")
        self.what = what
        self.fix = fix


def require_size(size: tuple[int, int], only_size: tuple[int, int] | None) -> None:
    """Refuse images that networks cannot draw.

    Args:
        size: height and width of an image in px.
        only_size: those that alone can be drawn (`TrainConfig.only_size`); None = any can.

    Raises:
        ImageSizeError: the size is another.
    """
    if only_size is not None and tuple(size) != only_size:
        raise ImageSizeError(
            f"it has {size[1]} x {size[0]} px, but a full UGATIT draws only its training crop, "
            f"{only_size[1]} x {only_size[0]} px",
            "crop or resize it to that, or train with ugatit.light true",
        )

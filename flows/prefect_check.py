"""Whether Prefect is installed so that it works, and which server a flow would use."""

from collections.abc import Iterator

from pipeline.doctor import Check, version_of

__all__ = ["check_prefect"]

FASTAPI_BELOW = (0, 151)
"""From here on the server of Prefect 3.8 fails at import, though the packages' own demands are met."""


def check_prefect() -> Iterator[Check]:
    """Prefect's version with fastapi's, and its server; takes two seconds to import it."""
    found = f"prefect {version_of('prefect')}, fastapi {version_of('fastapi')}"
    fits = _numbers(version_of("prefect")) >= (3, 8, 8) and _numbers(version_of("fastapi")) < FASTAPI_BELOW
    yield Check("Prefect", fits, found, "install the versions that requirements.lock names: run make")
    if version_of("prefect") == "missing":
        return

    from prefect.settings import PREFECT_API_URL, PREFECT_HOME

    url = PREFECT_API_URL.value()
    if url is None:
        yield Check("server", True, f"one for each run, with its database in {PREFECT_HOME.value()}")
        return
    what_to_do = "start it with: prefect server start; or unset PREFECT_API_URL to have one for each run"
    yield Check("server", _answers(url), url, what_to_do)


def _answers(url: str) -> bool:
    from prefect import get_client

    with get_client(sync_client=True) as client:
        return client.api_healthcheck() is None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())

"""Prefect's settings for this project, wherever it is started; imports no Prefect.

Prefect reads `prefect.toml` from the current directory only, and its environment when it is imported. So the
same settings are put into the environment as soon as anything of `flows` is imported; what the user has set
there stays.
"""

import logging
import os

__all__ = ["PACKAGES", "hear_packages", "set_defaults"]

PACKAGES = ("flows", "pipeline", "gan", "manifests")
"""The loggers whose lines are ours."""

DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
    # A machine that trains is slow to start a server; Prefect gives up after 20 s.
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "120",
    # The server then sees within minutes that a run's process is gone; see `flows.deployments`.
    "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
    # A run that waits for another of its deployment to end begins within seconds of that.
    "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "5",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_LOGGING_EXTRA_LOGGERS": ",".join(PACKAGES),
    # Threads that decode and encode know no run; their lines go to the console only.
    "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
}


def set_defaults() -> None:
    """Put the settings into the environment, where nothing else is set."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)


def hear_packages(level: int = logging.INFO) -> None:
    """Let the packages' lines pass from `level` on, where no level is set.

    Prefect takes up the loggers that its settings name, but leaves them at Python's WARNING.
    """
    for package in PACKAGES:
        logger = logging.getLogger(package)
        if logger.level == logging.NOTSET:
            logger.setLevel(level)

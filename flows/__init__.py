"""The command line and the Prefect flows. The only importer of typer and prefect."""

from flows.prefect_settings import set_defaults

set_defaults()

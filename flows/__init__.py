"""The command line and the Prefect flows. The only importer of typer and prefect."""

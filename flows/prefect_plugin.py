"""What this project adds to Prefect's own commands, where `prefect.toml` turns plugins on.

Prefect calls `setup_environment` as it is imported, before it does anything else.
"""

import os
import sys
from typing import Any

from prefect.plugins import HookContext, SetupResult, register_hook

from flows.server_file import running_server

__all__ = ["accept_short_names", "setup_environment"]


@register_hook
def setup_environment(*, ctx: HookContext) -> SetupResult | None:
    """Let `prefect deployment` take a flow's name alone, and find the server of `seg2real up`."""
    if sys.argv[1:2] == ["deployment"]:
        accept_short_names()
    url = None if ctx.api_url or "PREFECT_API_URL" in os.environ else running_server()
    return SetupResult({"PREFECT_API_URL": url}, note="the server of seg2real up") if url else None


def accept_short_names() -> None:
    """Have a flow's name alone stand for its deployment, where it has only one.

    Prefect wants "<flow>/<deployment>". A name with "/" goes through as it is; where Prefect's own method is
    another one day, nothing is changed, and its own message says what it wants.
    """
    from prefect.client.orchestration import PrefectClient

    read = getattr(PrefectClient, "read_deployment_by_name", None)
    if read is None or not hasattr(PrefectClient, "read_deployments"):
        return

    async def read_deployment_by_name(self: Any, name: str) -> Any:
        return await read(self, name if "/" in name else await _full_name(self, name))

    PrefectClient.read_deployment_by_name = read_deployment_by_name


async def _full_name(client: Any, flow_name: str) -> str:
    from prefect.client.schemas.filters import FlowFilter, FlowFilterName

    found = await client.read_deployments(flow_filter=FlowFilter(name=FlowFilterName(any_=[flow_name])))
    names = sorted(f"{flow_name}/{deployment.name}" for deployment in found)
    if not names:
        raise SystemExit(
            f"Error: flow '{flow_name}' has no deployment on this server; make one with seg2real up or "
            "seg2real deploy."
        )
    if len(names) > 1:
        raise SystemExit(f"Error: flow '{flow_name}' has several deployments; name one: {', '.join(names)}.")
    return names[0]

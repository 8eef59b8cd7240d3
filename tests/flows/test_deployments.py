"""Deployments: what a config asks of Prefect, and prefect.yaml, which says the same."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from prefect import get_client
from prefect.client.schemas.actions import WorkPoolCreate

from flows.deployments import (
    LANDED_EVENT,
    ZOMBIES,
    deploy_to_pool,
    deployment_of,
    landing_resource,
    prepare_server,
)
from flows.device_slots import slot_name
from flows.parameters import UsageError
from pipeline.config import load_config

ROOT = Path(__file__).parent.parent.parent


def test_a_deployment_comes_by_its_schedule_and_when_a_set_lands(
    tiny_file: Callable[..., Path], tmp_path: Path
) -> None:
    config = tiny_file(tmp_path, flow={"every_minutes": 7})
    deployment = deployment_of(config)
    assert deployment.full_name == "generate-soccer-dataset/tiny"
    assert deployment.parameters == {"config": str(config)}
    assert [each.schedule.interval for each in deployment.schedules] == [timedelta(minutes=7)]
    [trigger] = deployment.triggers
    assert trigger.expect == {LANDED_EVENT}
    assert trigger.match.root == {"prefect.resource.id": landing_resource("tiny")}
    assert deployment.concurrency_limit == 1


def test_a_cron_line_takes_the_place_of_the_interval(tiny_file: Callable[..., Path], tmp_path: Path) -> None:
    deployment = deployment_of(tiny_file(tmp_path, flow={"cron": "0 3 * * *"}))
    assert [each.schedule.cron for each in deployment.schedules] == ["0 3 * * *"]


@pytest.fixture(scope="module")
def project_file() -> dict:
    return yaml.safe_load((ROOT / "prefect.yaml").read_text())


def test_prefect_yaml_deploys_what_the_config_asks_for(project_file: dict) -> None:
    [written] = project_file["deployments"]
    path = ROOT / written["parameters"]["config"]
    wanted = deployment_of(path)
    assert written["name"] == wanted.name == load_config(path).name
    assert written["entrypoint"] == wanted.entrypoint
    assert written["tags"] == wanted.tags
    [schedule], [wanted_schedule] = written["schedules"], wanted.schedules
    assert timedelta(seconds=schedule["interval"]) == wanted_schedule.schedule.interval
    assert written["concurrency_limit"] == {
        "limit": wanted.concurrency_limit,
        "collision_strategy": wanted.concurrency_options.collision_strategy,
    }
    [trigger], [wanted_trigger] = written["triggers"], wanted.triggers
    assert trigger["enabled"] and trigger["name"] == wanted_trigger.name
    assert set(trigger["expect"]) == wanted_trigger.expect
    assert trigger["match"] == wanted_trigger.match.root


def test_prefect_yaml_names_no_folder_of_a_machine(project_file: dict) -> None:
    [step] = project_file["pull"]
    assert step == {"prefect.deployments.steps.set_working_directory": {"directory": "{{ $PWD }}"}}


@pytest.mark.usefixtures("prefect_server")
def test_a_pool_is_wanted_and_gets_the_job_variables(tiny_file: Callable[..., Path], tmp_path: Path) -> None:
    config = tiny_file(tmp_path)
    with pytest.raises(UsageError, match="prefect work-pool create nothing --type process"):
        deploy_to_pool(config, "nothing", {})
    with get_client(sync_client=True) as client:
        client.create_work_pool(WorkPoolCreate(name="workers", type="process"))
        for level in (1, 2):  # the second time it is brought to what it shall be
            deploy_to_pool(config, "workers", {"env": {"LEVEL": level}})
            made = client.read_deployment_by_name("generate-soccer-dataset/tiny")
            assert made.job_variables == {"env": {"LEVEL": level}}
            assert made.work_pool_name == "workers"
            assert made.parameters == {"config": str(config)}
        assert len(client.read_deployments()) == 1


@pytest.mark.usefixtures("prefect_server")
def test_a_server_is_prepared_once_however_often_it_is_asked() -> None:
    for number in (1, 3):
        prepare_server({"cuda": number})
    with get_client(sync_client=True) as client:
        assert client.read_global_concurrency_limit_by_name(slot_name("cuda")).limit == 3
        assert [each.name for each in client.read_automations()].count(ZOMBIES) == 1

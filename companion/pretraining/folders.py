"""Folders of pre-trained models: read and written with the names of the transformers library.

A folder holds ``config.json``, ``model.safetensors`` and often ``tokenizer.json``. What is
``d_model`` here is ``hidden_size`` there, and ``body.blocks.0.attention.query.weight`` here is
``encoder.layer.0.attention.self.query.weight`` there. A `Layout` is the dictionary between the two,
one for each kind of model. Nothing is guessed: a setting that our model cannot follow, a weight
that is missing, left over or of another shape is refused by its name.

Used first in book/pretraining/bert.ipynb.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, ClassVar, Self

from torch import Tensor, nn

from companion import weights
from companion.arguments import instance


@dataclass(frozen=True)
class Layout:
    """How one kind of model is written down in a folder."""

    model_type: str  # as config.json names it: "bert"
    architecture: str  # the class of the transformers library: "BertModel"
    settings: Mapping[str, str]  # field of our configuration -> name in config.json
    names: Mapping[str, str]  # our module or parameter -> theirs; {n} is the number of a block
    fixed: Mapping[str, Any]  # settings that our model cannot vary: name -> the value it stands for
    defaults: Mapping[str, Any]  # what a config.json that is silent means, field -> value
    optional: tuple[str, ...] = ()  # beginnings of names that other heads add; they are left out


class Pretrained(nn.Module):
    """A model with a configuration, which can be read from a folder and written to one.

    A subclass names its `layout` and its `config_class`, and takes its configuration as its only
    argument. `theirs` and `ours` are the places to change numbers on the way, such as a transposed
    matrix.
    """

    layout: ClassVar[Layout]
    config_class: ClassVar[type]
    config: Any

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Self:
        """Read a model from a folder in the layout of the transformers library.

        Parameters
        ----------
        folder : str or Path
            With ``config.json`` and ``model.safetensors``, as from `companion.weights.find`.

        Returns
        -------
        The model, in evaluation mode, in the type of the weights in the folder

        Raises
        ------
        FileNotFoundError
            If a file is missing.
        ValueError
            If the folder holds another kind of model, a setting that this one cannot follow, or not
            exactly its weights.
        """
        tensors, settings = weights.load(folder)
        model = cls(cls.read_config(settings))
        kinds = {value.dtype for value in tensors.values() if value.is_floating_point()}
        if len(kinds) == 1:
            model = model.to(kinds.pop())
        weights.fill(model, cls.ours(_without(tensors, cls.layout.optional), model.config))
        return model.eval()

    def save_pretrained(
        self, folder: str | Path, *, tokenizer: Any = None, card: Any = None
    ) -> None:
        """Write the model as `from_pretrained`, and the transformers library, read it.

        Parameters
        ----------
        folder : str or Path
            Made if it is not there.
        tokenizer, card : optional
            What else goes into the folder, see `companion.weights.save`.
        """
        extra = {
            name: x for name, x in {"tokenizer": tokenizer, "card": card}.items() if x is not None
        }
        weights.save(folder, self.theirs(), self.write_config(), **extra)

    @classmethod
    def read_config(cls, settings: Mapping[str, Any]) -> Any:
        """Return our configuration for the settings of a ``config.json``."""
        layout, found = cls.layout, settings.get("model_type")
        if found != layout.model_type:
            raise ValueError(f"model_type must be {layout.model_type!r}, got {found!r}")
        for name, value in layout.fixed.items():
            if settings.get(name, value) != value:
                raise ValueError(
                    f"{name} must be {value!r} for {cls.__name__}, got {settings[name]!r}"
                )
        values = dict(layout.defaults)
        for field, name in layout.settings.items():
            if settings.get(name) is not None:
                values[field] = settings[name]
        needed = {field.name for field in fields(cls.config_class) if field.name in layout.settings}
        if missing := sorted(layout.settings[name] for name in needed - values.keys()):
            raise ValueError(f"config.json must say {', '.join(missing)}: it does not")
        return cls.config_class(**values)

    def write_config(self) -> dict[str, Any]:
        """Return the settings of ``config.json``."""
        layout = self.layout
        named = {name: getattr(self.config, field) for field, name in layout.settings.items()}
        first = {"model_type": layout.model_type, "architectures": [layout.architecture]}
        dtype = str(next(self.parameters()).dtype).removeprefix("torch.")
        return {**first, **named, **layout.fixed, "torch_dtype": dtype}

    @classmethod
    def ours(cls, tensors: Mapping[str, Tensor], config: Any) -> dict[str, Tensor]:
        """Return tensors of the library under our names."""
        instance(tensors, "tensors", Mapping)
        names = {theirs: ours for ours, theirs in _pairs(cls.layout, config.n_layers)}
        return {_renamed(name, names): value for name, value in tensors.items()}

    def theirs(self) -> dict[str, Tensor]:
        """Return our tensors under the names of the library."""
        names = dict(_pairs(self.layout, self.config.n_layers))
        return {_renamed(name, names): value for name, value in self.state_dict().items()}


def _pairs(layout: Layout, n_layers: int) -> list[tuple[str, str]]:
    """Return our name and theirs, for every module that the layout names."""
    return [
        (ours.format(n=n), theirs.format(n=n))
        for ours, theirs in layout.names.items()
        for n in range(n_layers if "{n}" in ours else 1)
    ]


def _renamed(name: str, names: Mapping[str, str]) -> str:
    """Translate the longest beginning of a name that is known; what is not known stays."""
    parts = name.split(".")
    for end in range(len(parts), 0, -1):
        if (start := ".".join(parts[:end])) in names:
            return ".".join([names[start], *parts[end:]])
    return name


def _without(tensors: Mapping[str, Tensor], beginnings: tuple[str, ...]) -> dict[str, Tensor]:
    return {
        name: value for name, value in tensors.items() if not name.startswith(beginnings or ("\0",))
    }

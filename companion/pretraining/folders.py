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
from torch.overrides import TorchFunctionMode

from companion import weights
from companion.arguments import instance


@dataclass(frozen=True)
class Layout:
    """How one kind of model is written down in a folder."""

    model_type: str  # as config.json names it: "bert"
    architecture: str  # the class of the transformers library: "BertModel"
    settings: Mapping[str, str | tuple[str, ...]]  # field of ours -> name, or names, in config.json
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
        config = cls.fit_config(cls.read_config(settings), tensors)
        with _Unset():
            model = cls(config)
        kept = {name: x for name, x in tensors.items() if not name.startswith(cls.layout.optional)}
        found = cls.ours(kept, config)
        kinds = {value.dtype for value in found.values() if value.is_floating_point()}
        if len(kinds) == 1:
            model = model.to(kinds.pop())
        weights.fill(model, found)
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
        for field, names in layout.settings.items():
            said = {name: settings[name] for name in _all(names) if settings.get(name) is not None}
            if len(set(map(repr, said.values()))) > 1:
                raise ValueError(
                    f"{' and '.join(said)} must be the same for {cls.__name__}: {said}"
                )
            if said:
                values[field] = next(iter(said.values()))
        needed = {field.name for field in fields(cls.config_class) if field.name in layout.settings}
        if missing := sorted(_all(layout.settings[name])[0] for name in needed - values.keys()):
            raise ValueError(f"config.json must say {', '.join(missing)}: it does not")
        return cls.config_class(**values)

    @classmethod
    def fit_config(cls, config: Any, tensors: Mapping[str, Tensor]) -> Any:
        """Return the configuration with what the settings do not say, and only the weights show."""
        return config

    def write_config(self) -> dict[str, Any]:
        """Return the settings of ``config.json``."""
        layout = self.layout
        named = {
            name: getattr(self.config, field)
            for field, names in layout.settings.items()
            for name in _all(names)
        }
        first = {"model_type": layout.model_type, "architectures": [layout.architecture]}
        dtype = str(next(self.parameters()).dtype).removeprefix("torch.")
        return {**first, **named, **layout.fixed, "torch_dtype": dtype}

    @classmethod
    def ours(cls, tensors: Mapping[str, Tensor], config: Any) -> dict[str, Tensor]:
        """Return tensors of the library under our names."""
        instance(tensors, "tensors", Mapping)
        pairs = _pairs(cls.layout, config.n_layers)
        there, back = {theirs: ours for ours, theirs in pairs}, dict(pairs)
        for name in tensors:  # there and back, else two names could stand for one place
            if _renamed(_renamed(name, there), back) != name:
                wanted = f"the names of {cls.layout.architecture}"
                raise ValueError(f"tensors must have {wanted}, got {name!r}")
        return {_renamed(name, there): value for name, value in tensors.items()}

    def theirs(self) -> dict[str, Tensor]:
        """Return our tensors under the names of the library."""
        names = dict(_pairs(self.layout, self.config.n_layers))
        return {_renamed(name, names): value for name, value in self.state_dict().items()}


class _Unset(TorchFunctionMode):
    """Draw no first weights for a new model: they are overwritten, and drawing takes seconds."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        given = kwargs or {}
        if getattr(func, "__module__", None) == nn.init.__name__:
            return given["tensor"] if "tensor" in given else args[0]
        return func(*args, **given)


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


def _all(names: str | tuple[str, ...]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else names

"""Every public callable, with one argument at a time replaced by something odd.

Whatever comes in, there comes out a result without NaN, or a ValueError or TypeError that this
package raised itself and that names the argument or says what came: never another exception, never
one from deep in a library, never a hang, never a warning of an overflow.

The table below has valid arguments for each callable. A chosen part is tried here; all of it, and
what it finds in each module, with ``python -m tests.test_fuzz [part of a name]``.
"""

import contextlib
import importlib
import inspect
import io
import itertools
import linecache
import math
import os
import pkgutil
import re
import signal
import struct
import sys
import tempfile
import traceback
import warnings
from dataclasses import is_dataclass
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from matplotlib import pyplot

import companion

mpl.use("agg")
SECONDS = 5.0  # for one call
TABLE = {}  # module: function that returns, for each callable, how to make it and its arguments


def valid(module):
    def keep(make):
        TABLE[f"companion.{module}"] = make
        return make

    return keep


# --- What is public -------------------------------------------------------------------------------

# What stands behind the doors (its callers have checked), what needs a network, what has no
# arguments, the checks themselves (tested one by one), and what is a list of the town's words.
BEHIND = {
    "companion.arguments": "tests/test_arguments.py tries each of them",
    "companion.runs.batches": "called by fit alone",
    "companion.runs.checkpoints": "called by fit alone",
    "companion.runs.measures": "called by fit alone",
    "companion.runs.processes": "called by fit alone",
    "companion.runs.run": "called by fit alone",
    "companion.pretraining.folders": "the models call it; tests/pretraining/test_folders.py",
    "companion.progress": "passes its arguments on to tqdm",
    "companion.data.public": "needs a network; tests/data/test_public.py has a server",
    "companion.data.town.choices": "the town's words",
    "companion.data.town.endings": "the town's words",
    "companion.data.town.grammar": "the town's words",
    "companion.data.town.korean": "the town's words",
    "companion.data.town.nouns": "the town's words",
    "companion.data.town.people": "the town's words",
    "companion.data.town.verbs": "the town's words",
}
NO_ARGUMENTS = {"use_style", "every_exercise", "LanguageModel", "KeyValueCache", "Weights", "State"}
NO_ARGUMENTS |= {"held_out"}
# Not tried: parts of others that are in the table, and what needs a trained model.
PARTS = {
    "companion.data.town.dialogue": {
        "address",
        "english_name",
        "is_child",
        "is_old",
        "phrase",
        "speech_name",
    },
    "companion.data.corpus": {"ask", "document_of", "text_of"},
    "companion.data.episodes": {"label", "label_split", "word_split"},
    "companion.data.town.stories": {"World"},
    "companion.data.town.tasks": {
        "split_of",
        "adjective_split",
        "collect",
        "draw_sentence",
        "balanced",
    },
    "companion.sequences.vocabulary": {"Role", "among", "by_frequency", "distinct", "ordered"},
    "companion.sequences.tokenization": {"Tokenizer"},
    "companion.sequences.recurrent": {"RecurrentNetwork"},
    "companion.sequences.generation": {"evaluating", "write"},  # the loop behind the doors
    "companion.sequences.seq2seq": {"Hypothesis", "exact_match", "train_seq2seq"},
    "companion.transformer.attention": {"heads"},
    "companion.pretraining.finetuning": {"fine_tune", "head_loss"},  # fit is behind them
    "companion.pretraining.gpt": {"CausalModel"},
    "companion.transformer.stack": {"Caches"},
    "companion.transformer.translation": {"Packed", "rate_level", "train_translator"},
    # `fetch` needs a registry; tests/test_weights_published.py has one.
    "companion.weights": {"GGUF", "Packed", "Stored", "fetch"},
}


def doors():
    """Yield each module with the names of what readers call; a package speaks for its parts."""
    for info in pkgutil.walk_packages(companion.__path__, "companion."):
        parts = info.name.split(".")
        if "exercises" in parts or "models" in parts or parts[-1].startswith("_"):
            continue
        parent = importlib.import_module(info.name.rpartition(".")[0])
        if parent is not companion and public(parent):
            continue
        module = importlib.import_module(info.name)
        if info.name not in BEHIND and (names := public(module)):
            yield info.name, names


def public(module):
    names = []
    for name, thing in vars(module).items():
        own = getattr(thing, "__module__", None) or ""
        here = own == module.__name__ or (
            hasattr(module, "__path__") and own.startswith(f"{module.__name__}.")
        )
        if name.startswith("_") or not here or name in NO_ARGUMENTS:
            continue
        if inspect.isfunction(thing) or (inspect.isclass(thing) and not is_record(thing)):
            names.append(name)
    return names


def is_record(kind):
    """Tell whether a class only holds what others have checked."""
    checked = hasattr(kind, "__post_init__")
    abstract = inspect.isabstract(kind) or getattr(kind, "_is_protocol", False)
    return (
        issubclass(kind, tuple | BaseException) or (is_dataclass(kind) and not checked) or abstract
    )


def test_every_public_callable_has_valid_arguments():
    missing = {}
    for module, names in doors():
        make = TABLE.get(module)
        known = {} if make is None else make(importlib.import_module(module))
        lacking = set(names) - PARTS.get(module, set()) - {name.partition(".")[0] for name in known}
        if lacking:
            missing[module] = sorted(lacking)
    assert not missing


# --- What is odd ----------------------------------------------------------------------------------

ODD = {
    "None": None,
    "empty text": "",
    "text": "odd",
    "blank": " ",
    "surrogate": "\ud800",
    "bytes": b"odd",
    "empty list": [],
    "empty dict": {},
    "empty set": set(),
    "nan": math.nan,
    "inf": math.inf,
    "-inf": -math.inf,
    "-1": -1,
    "0": 0,
    "1": 1,
    "2**63": 2**63,
    "10**400": 10**400,
    "10**5000": 10**5000,
    "True": True,
    "1.5": 1.5,
    "1e308": 1e308,
    "complex": 1j,
    "numpy number": np.float32(2.5),
    "object": object(),
    "class": type("Odd", (), {"__init__": lambda self, *arguments, **options: None}),
    "function": lambda *arguments, **options: None,
    "[None]": [None],
    "[nan]": [math.nan],
    "[text, number]": ["a", 1],
    "ragged": [[1.0], [2.0, 3.0]],
    "list of lists": [[]],
    "[huge]": [10**400],
    "dict": {"odd": 1},
    "set": {1, 2},
    "range": range(3),
    "array without axes": np.array(3.0),
    "empty array": np.array([]),
    "array (2, 0)": np.zeros((2, 0)),
    "array of objects": np.array([None, "a"], dtype=object),
    "array of texts": np.array(["a", "b"]),
    "array of dates": np.array([0], "datetime64[s]"),
    "array of five axes": np.zeros((1, 1, 1, 1, 1)),
    "tensor without axes": torch.tensor(3.0),
    "empty tensor": torch.tensor([]),
    "tensor (2, 0)": torch.zeros(2, 0),
    "tensor of five axes": torch.zeros(1, 1, 1, 1, 1),
    "tensor with gradient": torch.ones(2, 2, requires_grad=True),
    "sparse tensor": torch.eye(2).to_sparse(),
    "generator": "generator",  # made anew for each call
}
LOOPS = re.compile(
    "steps|epochs|max_epochs|n_resamples|repeats|passes|max_length|n|length|limit|time_limit"
)


def odd_values(value):
    """Return what to put in the place of a valid argument: name to value."""
    odd = dict(ODD)
    if isinstance(value, np.ndarray | torch.Tensor) and not isinstance(value, mpl.artist.Artist):
        odd |= odd_arrays(value)
    elif isinstance(value, str):
        odd |= {"longer": value + " 가" * 3000, "in a list": [value], "capitals": value.upper()}
    elif isinstance(value, list | tuple):
        odd |= {
            "first": value[:1],
            "twice": list(value) * 2,
            "one axis more": [value],
            "with None": [*value, None],
            "with nan": [*value, math.nan],
            "with a text": [*value, "odd"],
            "with -1": [*value, -1],
            "as a dict": dict(enumerate(value)),
            "as a text": "".join(map(str, value)),
        }
        with contextlib.suppress(TypeError):
            odd["as a set"] = set(value)
        with contextlib.suppress(ValueError, RuntimeError):
            odd["as objects"] = np.array(value, dtype=object)
    elif isinstance(value, dict):
        odd |= {
            "keys": list(value),
            "None as a key": {None: 1},
            "None as values": dict.fromkeys(value),
        }
    elif isinstance(value, int | float) and not isinstance(value, bool):
        odd |= {"negative": -value, "as a text": str(value), "in a list": [value]}
        odd |= {"as an array": np.array([value]), "as a tensor": torch.tensor(value)}
    return odd


def odd_arrays(value):
    odd = {}
    for kind in ("int64", "uint8", "float16", "float64", "bool", "complex64"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tensor = isinstance(value, torch.Tensor)
            odd[kind] = value.to(getattr(torch, kind)) if tensor else value.astype(kind)
    odd |= {
        "one axis more": value[None],
        "negative": ~value if value.dtype == torch.bool else -1 * value,
    }
    if value.ndim:
        odd |= {"first": value[0], "none": value[:0], "one": value[:1], "flat": value.reshape(-1)}
        odd |= {
            "last axis empty": value[..., :0],
            "reversed axes": value.T if value.ndim == 2 else value,
        }
        odd["as a list"] = value.tolist()
    for name, number in (("nan", math.nan), ("inf", math.inf), ("1e30", 1e30), ("2**40", 2**40)):
        if value.ndim and 0 not in value.shape:
            with contextlib.suppress(ValueError, OverflowError, RuntimeError):
                changed = value.clone() if isinstance(value, torch.Tensor) else value.copy()
                changed[(0,) * value.ndim] = number
                odd[f"{name} in it"] = changed
    return odd


# --- What may come out ----------------------------------------------------------------------------


class TooSlow(BaseException):
    """A call took more than its time."""


@contextlib.contextmanager
def limited(seconds):
    def stop(*_):
        raise TooSlow

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def fault(function, arguments, changed=None):
    """Call; return what is wrong with what came out, or None."""
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            limited(SECONDS),
        ):
            warnings.simplefilter("error")
            result = function(**arguments)
            if inspect.isgenerator(result):
                result = list(itertools.islice(result, 3))
    except TooSlow:
        return f"took more than {SECONDS:g} s"
    except (ValueError, TypeError) as error:
        return None if is_named(error, arguments, changed) else described(error)
    except Exception as error:
        return described(error)
    finally:
        pyplot.close("all")
    return "a silent nan" if has_nan(result) else None


def described(error):
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if "companion" in Path(frame.filename).parts]
    place = f"{Path(ours[-1].filename).name}:{ours[-1].lineno}" if ours else "outside"
    try:
        text = f"{type(error).__name__}: {' '.join(str(error).split())[:110]}"
    except ValueError:
        text = type(error).__name__
    return f"{text} [{place}]"


def is_named(error, arguments, changed):
    """Tell whether this package raised an error on purpose, and says of what."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    ours = "companion" in Path(last.filename).parts
    if not ours or "raise" not in linecache.getline(last.filename, last.lineno):
        return False
    words = [*arguments, changed or ""]
    text = str(error).replace("_", " ")
    said = (
        " got " in text
        or " of the shapes " in text
        or "divisor" in text
        or " to the power " in text
    )
    return said or any(word and word.replace("_", " ") in text for word in words)


def has_nan(value, depth=4):
    if isinstance(value, float | np.floating):
        return math.isnan(value)
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fc" and bool(np.isnan(value).any())
    if isinstance(value, torch.Tensor):
        return bool(value.dtype.is_floating_point and value.detach().to_dense().isnan().any())
    if isinstance(value, dict):
        value = list(value.values())
    return (
        isinstance(value, list | tuple)
        and depth > 0
        and any(has_nan(part, depth - 1) for part in value)
    )


NAN_IS_RIGHT = {  # where nan is what the documentation promises
    ("evaluation", "ConfusionMatrix"),
    ("evaluation", "ConfusionMatrix.from_predictions"),
    ("generative", "best_discriminator"),
    ("challenges", "gradient_norms"),
    ("checks", "check"),
}


# A layer hands NaN on, as PyTorch's do: a search for it would cost as much as the layer.
PASSES_NAN_ON = ("companion.sequences", "companion.transformer", "companion.pretraining")
LAYERS = (
    r".*\.forward.*|.*_step|.*_norm|rotate|reverse_within|scaled_dot.*|trace|adjust|smooth_cross.*"
    r"|.*pool|.*\.score|to_patches|to_images"
)


def is_expected(module, name, argument, odd, found):
    """Tell whether what was found is what the documentation promises."""
    if found == "a silent nan":
        if module.startswith(PASSES_NAN_ON) and re.fullmatch(LAYERS, name):
            return True
        return (module.rpartition(".")[2], name) in NAN_IS_RIGHT
    if found.startswith("RuntimeWarning"):  # NumPy's arithmetic, and NumPy's warning
        return module.endswith("backpropagation")
    places = ("path", "folder")
    if argument in places and found.startswith(("OSError", "FileNotFound", "IsADirectory")):
        return True  # the system's word on a file, with its name
    # Whoever asks for 2**63 rounds gets them.
    return found.startswith("took more") and LOOPS.fullmatch(argument) and odd == "2**63"


def try_one(module, name, argument, odd, value):
    make = TABLE[module](importlib.import_module(module))[name]
    function, arguments = make()
    if odd == "generator":
        value = (part for part in (1, 2))
    found = fault(function, arguments | {argument: value}, argument)
    return None if found is None or is_expected(module, name, argument, odd, found) else found


def slots():
    """Return all (module, callable, argument) with the valid value of the argument."""
    found = []
    for module, make in TABLE.items():
        for name, ready in make(importlib.import_module(module)).items():
            found += [(module, name, argument, value) for argument, value in ready()[1].items()]
    return found


# --- The table: valid arguments -------------------------------------------------------------------


@valid("basics.perceptron")
def _(m):
    x, y = [[0.0, 1.0], [1.0, 0.0]], [0, 1]
    return {
        "Perceptron": lambda: (m.Perceptron, {"n_inputs": 2}),
        "Perceptron.predict": lambda: (m.Perceptron(2).predict, {"x": x}),
        "Perceptron.fit": lambda: (
            m.Perceptron(2).fit,
            {"x": np.array(x), "y": y, "learning_rate": 0.5, "max_epochs": 3},
        ),
        "Perceptron.weights": lambda: (
            lambda weights: setattr(m.Perceptron(2), "weights", weights),
            {"weights": [1.0, 2.0]},
        ),
        "Perceptron.bias": lambda: (
            lambda bias: setattr(m.Perceptron(2), "bias", bias),
            {"bias": 1.0},
        ),
    }


@valid("basics.networks")
def _(m):
    x = np.array([[0.5, -1.0], [2.0, 0.0]])
    return {
        **{n: lambda n=n: (getattr(m, n), {"x": x}) for n in ("sigmoid", "tanh", "relu")},
        "leaky_relu": lambda: (m.leaky_relu, {"x": [1.0, -2.0], "negative_slope": 0.1}),
        "elu": lambda: (m.elu, {"x": x, "alpha": 2.0}),
        "softmax": lambda: (m.softmax, {"x": x, "axis": 0}),
        "Dense": lambda: (m.Dense, {"n_inputs": 2, "n_outputs": 3, "seed": 1}),
        "Dense.forward": lambda: (m.Dense(2, 3, seed=0).forward, {"x": x}),
        "MLP": lambda: (m.MLP, {"sizes": (2, 3, 1), "activation": m.tanh, "seed": 1}),
        "MLP.forward": lambda: (m.MLP((2, 3, 1), seed=0).forward, {"x": x}),
    }


@valid("basics.backpropagation")
def _(m):
    def tensor():
        return m.Tensor([[0.5, -1.0], [2.0, 1.0]])

    def operations():
        x = tensor()
        unary = ("__add__", "__sub__", "__mul__", "__truediv__", "__matmul__", "__rmatmul__")
        cases = {f"Tensor.{name}": (getattr(x, name), {"other": tensor().data}) for name in unary}
        cases |= {"Tensor.__pow__": (x.__pow__, {"exponent": 2.0})}
        for name in ("sum", "mean", "max"):
            cases[f"Tensor.{name}"] = (getattr(x, name), {"axis": 0, "keepdims": True})
        cases["Tensor.backward"] = (x.backward, {"gradient": np.ones((2, 2))})
        cases["Tensor.reshape"] = (lambda shape: x.reshape(shape), {"shape": (4, 1)})
        cases["Tensor.transpose"] = (lambda axes: x.transpose(axes), {"axes": (1, 0)})
        cases["Tensor.data"] = (lambda data: setattr(x, "data", data), {"data": np.ones((2, 2))})
        cases["Tensor.grad"] = (lambda grad: setattr(x, "grad", grad), {"grad": np.ones((2, 2))})
        return cases

    return {
        "Value": lambda: (lambda data: m.Value(data) * 2.0 + data, {"data": 2.5}),
        "Tensor": lambda: (m.Tensor, {"data": np.array([[0.5, -1.0], [2.0, 1.0]])}),
        **{name: lambda name=name: operations()[name] for name in operations()},
        "softmax": lambda: (m.softmax, {"x": tensor(), "axis": -1}),
        "cross_entropy": lambda: (m.cross_entropy, {"logits": tensor(), "targets": [0, 1]}),
    }


@valid("basics.training")
def _(m):
    def training():
        model = torch.nn.Linear(2, 1)
        pair = torch.ones(4, 2), torch.ones(4, 1)
        options = {"loss": torch.nn.functional.mse_loss, "epochs": 1, "batch_size": 2}
        options |= {"optimizer": torch.optim.SGD(model.parameters(), 0.1), "validation": pair}
        options |= {"metrics": {"error": torch.nn.functional.mse_loss}, "clip_norm": 1.0}
        options |= {"schedule": lambda step: 0.5, "accumulate": 2, "keep_best": True}
        options |= {"patience": 1, "seed": 0, "device": "cpu", "checkpoint": None, "resume": True}
        return m.fit, {"model": model, "data": pair, **options}

    def training_of_a_source():
        model = torch.nn.Linear(2, 1)
        options = {"optimizer": m.SGD(model.parameters(), 0.1), "steps": 2}
        data = lambda generator: [{"x": torch.ones(3, 2)}]  # noqa: E731
        loss = lambda model, batch: ((model(batch["x"]) ** 2).sum(), 3)  # noqa: E731
        return m.fit, {"model": model, "data": data, "loss": loss, **options}

    def parameters():
        return list(torch.nn.Linear(2, 1).parameters())

    return {
        "split": lambda: (
            m.split,
            {"n": 10, "fractions": (0.5, 0.5), "seed": 0, "stratify": [0, 1] * 5},
        ),
        "iterations_per_epoch": lambda: (
            m.iterations_per_epoch,
            {"n_samples": 10, "batch_size": 3, "drop_last": True},
        ),
        "SGD": lambda: (m.SGD, {"params": parameters(), "lr": 0.1, "momentum": 0.5}),
        "Adam": lambda: (
            m.Adam,
            {"params": parameters(), "lr": 0.1, "betas": (0.9, 0.99), "eps": 1e-8},
        ),
        "AdamW": lambda: (m.AdamW, {"params": parameters(), "lr": 0.1, "weight_decay": 0.1}),
        "fit": training,
        "fit.source": training_of_a_source,
    }


@valid("basics.evaluation")
def _(m):
    return {
        "ConfusionMatrix": lambda: (
            m.ConfusionMatrix,
            {"matrix": np.array([[3, 1], [2, 4]]), "labels": ["a", "b"], "zero_division": 0},
        ),
        "ConfusionMatrix.from_predictions": lambda: (
            m.ConfusionMatrix.from_predictions,
            {
                "y_true": [0, 1, 1],
                "y_pred": np.array([0, 1, 0]),
                "labels": [0, 1],
                "zero_division": 1,
            },
        ),
        "roc_curve": lambda: (m.roc_curve, {"y_true": [0, 1, 0], "y_score": [0.1, 0.4, 0.6]}),
        "precision_recall_curve": lambda: (
            m.precision_recall_curve,
            {"y_true": np.array([0, 1, 0]), "y_score": np.array([0.1, 0.4, 0.6])},
        ),
        "bootstrap_interval": lambda: (
            lambda statistic, samples, n_resamples, level, seed: m.bootstrap_interval(
                statistic, samples, n_resamples=n_resamples, level=level, seed=seed
            ),
            {
                "statistic": lambda sample: float(len(sample)),
                "samples": [0.0, 1.0],
                "n_resamples": 9,
                "level": 0.5,
                "seed": 1,
            },
        ),
        "calibration_curve": lambda: (
            m.calibration_curve,
            {"y_true": [0, 1, 1], "y_prob": np.array([0.1, 0.4, 0.6]), "n_bins": 3},
        ),
    }


@valid("basics.convolution")
def _(m):
    x, weight = torch.ones(2, 3, 5, 4), torch.ones(2, 3, 2, 2)
    both = {"x": x, "weight": weight, "bias": torch.ones(2), "stride": (1, 2), "padding": 1}
    return {
        "output_size": lambda: (
            m.output_size,
            {"size": 8, "kernel_size": 3, "stride": 2, "padding": 1},
        ),
        "receptive_field": lambda: (
            m.receptive_field,
            {"kernel_sizes": [3, 3], "strides": [1, 2], "dilations": [2, 1]},
        ),
        "conv2d_by_loops": lambda: (m.conv2d_by_loops, dict(both)),
        "conv2d": lambda: (m.conv2d, dict(both)),
        "max_pool2d": lambda: (m.max_pool2d, {"x": x, "size": (2, 1), "stride": 2}),
        "ConvNet": lambda: (
            m.ConvNet,
            {
                "channels": (2, 3),
                "kernel_size": 3,
                "n_classes": 2,
                "in_channels": 1,
                "image_size": 8,
            },
        ),
        "ConvNet.forward": lambda: (m.ConvNet((2,), in_channels=3), {"x": x}),
        "ConvNet.features": lambda: (
            m.ConvNet((2,), in_channels=3, image_size=(5, 4)).features,
            {"x": x},
        ),
    }


@valid("basics.generative")
def _(m):
    scores = torch.tensor([0.5, -1.0])
    return {
        "Autoencoder": lambda: (
            m.Autoencoder,
            {"n_inputs": 3, "n_code": 2, "hidden": (4,), "decoder_hidden": [4]},
        ),
        "Autoencoder.encode": lambda: (m.Autoencoder(3, 2).encode, {"x": torch.ones(2, 3)}),
        "Autoencoder.decode": lambda: (m.Autoencoder(3, 2).decode, {"code": torch.ones(2, 2)}),
        "Generator": lambda: (
            m.Generator,
            {"n_noise": 2, "n_outputs": 3, "hidden": (4,), "bounded": True},
        ),
        "Generator.forward": lambda: (m.Generator(2, 3), {"z": torch.ones(2, 2)}),
        "Generator.sample": lambda: (m.Generator(2, 3).sample, {"n": 2, "seed": 1}),
        "Discriminator": lambda: (
            m.Discriminator,
            {"n_inputs": 3, "hidden": (4,), "sees_spread": True},
        ),
        "Discriminator.forward": lambda: (
            m.Discriminator(3, sees_spread=True),
            {"x": torch.ones(2, 3)},
        ),
        "discriminator_loss": lambda: (
            m.discriminator_loss,
            {"real_scores": scores, "fake_scores": scores},
        ),
        "generator_loss": lambda: (m.generator_loss, {"fake_scores": scores, "loss": "minimax"}),
        "best_discriminator": lambda: (m.best_discriminator, {"p": [0.5, 0.5], "q": [0.2, 0.8]}),
        "game_value": lambda: (
            m.game_value,
            {"p": [0.5, 0.5], "q": np.array([0.2, 0.8]), "d": [0.5, 0.1]},
        ),
        "train_gan": lambda: (
            m.train_gan,
            {
                "generator": m.Generator(2, 3, hidden=(4,)),
                "discriminator": m.Discriminator(3, hidden=(4,)),
                "data": torch.ones(5, 3),
                "steps": 2,
                "batch_size": 2,
                "learning_rate": 0.01,
                "discriminator_learning_rate": 0.01,
                "loss": "minimax",
                "noise": 0.1,
                "seed": 1,
            },
        ),
    }


@valid("basics.challenges")
def _(m):
    def trained():
        model = torch.nn.Linear(2, 1)
        model(torch.ones(1, 2)).sum().backward()
        return model

    x, y = np.array([[0.0, 5.0], [1.0, 4.0]]), np.array([0.0, 1.0])
    return {
        "DeepNetwork": lambda: (
            m.DeepNetwork,
            {
                "n_inputs": 2,
                "n_outputs": 1,
                "depth": 2,
                "width": 3,
                "activation": torch.relu,
                "residual": True,
                "normalise": True,
                "seed": 1,
            },
        ),
        "DeepNetwork.forward": lambda: (m.DeepNetwork(2, 1, depth=2), {"x": torch.ones(3, 2)}),
        "gradient_norms": lambda: (m.gradient_norms, {"model": trained()}),
        "learning_curve": lambda: (
            m.learning_curve,
            {
                "measure": lambda samples: (1.0, len(samples) / 4),
                "n_samples": 4,
                "sizes": [1, 4],
                "repeats": 2,
                "seed": 1,
            },
        ),
        "saliency": lambda: (
            m.saliency,
            {
                "model": torch.nn.Linear(2, 2),
                "x": torch.ones(3, 2),
                "target": torch.tensor([0, 1, 0]),
            },
        ),
        "permutation_importance": lambda: (
            m.permutation_importance,
            {
                "score": lambda x, y: float(x[0, 0]),
                "x": x,
                "y": y,
                "repeats": 2,
                "seed": 1,
            },
        ),
        "standardise": lambda: (
            lambda train, others: m.standardise(train, others),
            {"train": x, "others": [[1.0, 2.0]]},
        ),
    }


@valid("checks")
def _(m):
    name = "basics.perceptron.and_by_hand"

    def exercise():
        m.every_exercise()
        return next(iter(m.every_exercise()))

    return {
        "check": lambda: (m.check, {"exercise": exercise(), "answer": len}),
        "Exercise": lambda: (
            m.Exercise,
            {
                "reference": len,
                "cases": (([],), ([1],)),
                "generate": lambda rng: ([1],),
                "run": lambda answer, x: answer(x),
                "tolerance": (1e-6, 1e-8),
                "hints": (),
                "time_limit": 5.0,
            },
        ),
        "Verdict": lambda: (m.Verdict, {"passed": True, "message": name}),
    }


@valid("data.corpus")
def _(m):
    return {
        "sentences": lambda: (
            m.sentences,
            {"n": 2, "seed": 1, "split": "train", "level": "plain"},
        ),
        "documents": lambda: (m.documents, {"kind": "town", "seed": 1, "split": "train"}),
    }


@valid("data.episodes")
def _(m):
    return {
        "episodes": lambda: (
            m.episodes,
            {
                "n": 2,
                "kind": "plural",
                "shots": 2,
                "words": "train",
                "labels": "train",
                "control": "none",
                "with_task": False,
                "even": False,
                "seed": 1,
            },
        ),
    }


@valid("data.docstrings")
def _(m):
    return {
        "read": lambda: (m.read, {"packages": ["tqdm"]}),
        "sentences": lambda: (m.sentences, {"packages": ["tqdm"], "limit": 3}),
        "documents": lambda: (m.documents, {"packages": ["tqdm"]}),
        "clean": lambda: (m.clean, {"docstring": "Adds :class:`int`."}),
        "split_sentences": lambda: (m.split_sentences, {"paragraph": "It works. Why?"}),
    }


@valid("explorer")
def _(m):
    def draw(slope):
        _, ax = pyplot.subplots(figsize=(1, 1))
        ax.set_title(str(slope)[:9])
        return f"Slope {str(slope)[:9]}."

    return {
        "Explorer": lambda: (m.explore, {"draw": draw, "start": {"slope": 1}, "slope": [0, 1]}),
        "explore": lambda: (m.explore, {"draw": draw, "slope": ["a", "b"]}),
    }


@valid("figures")
def _(m):
    def ax():
        return mpl.figure.Figure(figsize=(1, 1)).subplots()

    return {
        "draw_network": lambda: (
            m.draw_network,
            {
                "ax": ax(),
                "sizes": (2, 1),
                "layer_names": ["in", "out"],
                "neuron_labels": [["a", "b"], ["c"]],
                "weights": [np.ones((1, 2))],
            },
        ),
        "draw_matrix": lambda: (
            m.draw_matrix,
            {
                "ax": ax(),
                "matrix": np.ones((2, 2)),
                "row_labels": ["a", "b"],
                "column_labels": ["c", "d"],
                "digits": 1,
            },
        ),
        "draw_curves": lambda: (
            m.draw_curves,
            {"ax": ax(), "x": [0.0, 1.0], "curves": {"one": np.array([0.0, 1.0])}},
        ),
        "draw_regions": lambda: (
            m.draw_regions,
            {
                "ax": ax(),
                "predict": lambda points: (points[:, 0] > 0).astype(int),
                "x_range": (-1.0, 1.0),
                "y_range": (0.0, 1.0),
                "resolution": 5,
            },
        ),
        "draw_points": lambda: (
            m.draw_points,
            {
                "ax": ax(),
                "points": np.ones((2, 2)),
                "labels": np.array([0, 1]),
                "names": ["a", "b"],
            },
        ),
        "pale": lambda: (m.pale, {"colour": "#000000"}),
    }


SENTENCES = [["the", "cat", "sat"], ["the", "dog", "sat"], ["a", "cat", "ran"]]
TEXTS = ["the cat sat", "the dog sat", "a cat ran"]


@valid("data.town.hangul")
def _(m):
    return {
        "split_syllable": lambda: (m.split_syllable, {"syllable": "한"}),
        "join_syllable": lambda: (m.join_syllable, {"lead": "ㅎ", "vowel": "ㅏ", "tail": "ㄴ"}),
        "final_consonant": lambda: (m.final_consonant, {"word": "한"}),
        "particle": lambda: (m.particle, {"word": "한", "name": "은"}),
    }


def town(m, names, **more):
    options = {"n": 2, "seed": 1, "split": "train", **more}
    return {name: lambda name=name: (getattr(m, name), dict(options)) for name in names}


@valid("data.town.dialogue")
def _(m):
    return {**town(m, ["exchanges", "commands"], level="plain"), **town(m, ["preferences"])}


@valid("data.town.inference")
def _(m):
    return town(m, ["entailment"], words="core")


@valid("data.town.news")
def _(m):
    return town(m, ["articles", "attributions"])


@valid("data.town.stories")
def _(m):
    return {
        **town(m, ["questions"], length=4),
        **town(m, ["stories"], length=4, level="plain"),
        **town(m, ["quizzes"], length=4, level="plain", n_questions=2),
    }


@valid("data.town.tasks")
def _(m):
    return {
        **town(m, ["sentiment"], words="core", held_out="combinations"),
        **town(m, ["parallel"], level="plain", words="core"),
        **town(m, ["tagged"], level="plain", words="core", language="ko"),
        "running_text": lambda: (
            m.running_text,
            {"seed": 1, "language": "en", "level": "plain", "words": "core"},
        ),
    }


@valid("sequences.vocabulary")
def _(m):
    def vocabulary():
        return m.Vocabulary(["[PAD]", "[UNK]", "a", "b"], special=["[PAD]", "[UNK]"])

    return {
        "Vocabulary": lambda: (
            m.Vocabulary,
            {
                "tokens": ["[PAD]", "?", "b"],
                "counts": np.array([0, 2, 1]),
                "special": ["[PAD]"],
                "unknown": "?",
            },
        ),
        "Vocabulary.count": lambda: (
            m.Vocabulary.count,
            {"sentences": SENTENCES, "special": ["[UNK]"], "min_count": 1, "size": 4},
        ),
        "Vocabulary.encode": lambda: (vocabulary().encode, {"tokens": ["a", "c"]}),
        "Vocabulary.decode": lambda: (vocabulary().decode, {"ids": [2, 3]}),
        "Vocabulary.has": lambda: (vocabulary().has, {"role": "pad"}),
    }


@valid("sequences.tokenization")
def _(m):
    cases = {
        "apply_merges": lambda: (m.apply_merges, {"word": "ab", "ranks": {("a", "b"): 0}}),
        "learn_merges": lambda: (
            m.learn_merges,
            {"words": {"ab": 2}, "vocab_size": 3, "alphabet": ["a", "b"], "special_tokens": []},
        ),
        "merge_pairs": lambda: (m.merge_pairs, {"text": "aaabdaaabac", "merges": {"Z": "aa"}}),
        "PairScores": lambda: (
            m.PairScores,
            {"words": {"ab": 2}, "score": "likelihood", "min_count": 1},
        ),
        "WordTokenizer": lambda: (
            m.WordTokenizer,
            {
                "vocabulary": {"[UNK]": 0, "a": 1},
                "special_tokens": ["[UNK]"],
                "unknown": "[UNK]",
                "punctuation": True,
            },
        ),
        "CharacterTokenizer": lambda: (
            m.CharacterTokenizer,
            {"vocabulary": {"[UNK]": 0, "a": 1}, "special_tokens": ["[UNK]"], "unknown": "[UNK]"},
        ),
        "BytePairTokenizer": lambda: (
            m.BytePairTokenizer,
            {
                "vocabulary": dict(m.BytePairTokenizer.train(TEXTS, 256).vocabulary),
                "merges": [],
                "special_tokens": [],
            },
        ),
        "WordPieceTokenizer": lambda: (
            m.WordPieceTokenizer,
            {
                "vocabulary": {"[UNK]": 0, "a": 1, "##b": 2},
                "special_tokens": ["[UNK]"],
                "unknown": "[UNK]",
                "lowercase": True,
                "around": ("a", "[UNK]"),
                "max_letters": 5,
            },
        ),
        "UnigramTokenizer": lambda: (
            m.UnigramTokenizer,
            {"scores": {"[UNK]": 0.0, "a": -1.0}, "special_tokens": ["[UNK]"], "unknown": "[UNK]"},
        ),
    }
    for name, size, more in (
        ("WordTokenizer", 12, {"unknown": "[UNK]", "punctuation": True}),
        ("CharacterTokenizer", 20, {"unknown": "[UNK]"}),
        ("BytePairTokenizer", 270, {}),
        ("WordPieceTokenizer", 40, {"lowercase": True, "score": "ratio", "min_count": 1}),
        ("UnigramTokenizer", 30, {"unknown": "[UNK]"}),
    ):
        kind = getattr(m, name)

        def trained(kind=kind, size=size):
            return kind.train(TEXTS, size)

        cases |= {
            f"{name}.train": lambda kind=kind, size=size, more=more: (
                kind.train,
                {"texts": TEXTS, "vocab_size": size, "special_tokens": ["[UNK]"], **more},
            ),
            f"{name}.tokenize": lambda t=trained: (t().tokenize, {"text": "the cat"}),
            f"{name}.encode": lambda t=trained: (t().encode, {"text": "the cat", "pair": "a mat"}),
            f"{name}.encode_pair": lambda t=trained: (
                t().encode_pair,
                {"text": "the cat", "pair": "a mat"},
            ),
            f"{name}.decode": lambda t=trained: (
                t().decode,
                {"ids": [1, 2], "skip_special_tokens": True},
            ),
            f"{name}.save": lambda t=trained: (t().save, {"path": "tokenizer.json"}),
            f"{name}.load": lambda t=trained, kind=kind: (
                kind.load,
                {"path": saved(t())},
            ),
        }
    return cases


def saved(thing, name="saved"):
    thing.save(name)
    return name


@valid("sequences.embeddings")
def _(m):
    def vectors():
        return m.WordVectors(["a", "b", "c"], np.eye(3))

    small = {"size": 2, "epochs": 1, "learning_rate": 0.1, "min_count": 1, "seed": 1}
    return {
        "one_hot": lambda: (m.one_hot, {"ids": np.array([0, 2]), "size": 3}),
        "context_pairs": lambda: (m.context_pairs, {"tokens": ["a", "b"], "window": 1}),
        "character_ngrams": lambda: (
            m.character_ngrams,
            {"word": "cat", "shortest": 2, "longest": 3},
        ),
        "cooccurrences": lambda: (
            m.cooccurrences,
            {"sentences": SENTENCES, "window": 2, "min_count": 1},
        ),
        "train_word2vec": lambda: (
            m.train_word2vec,
            {
                "sentences": SENTENCES,
                "objective": "cbow",
                "window": 1,
                "negatives": 2,
                "subsample": 0.1,
                **small,
            },
        ),
        "train_glove": lambda: (
            m.train_glove,
            {"sentences": SENTENCES, "window": 1, "x_max": 5.0, **small},
        ),
        "train_fasttext": lambda: (
            m.train_fasttext,
            {
                "sentences": SENTENCES,
                "window": 1,
                "negatives": 2,
                "subsample": 0.1,
                "shortest": 2,
                "longest": 3,
                **small,
            },
        ),
        "held_out_loss": lambda: (
            m.held_out_loss,
            {
                "vectors": m.train_word2vec(SENTENCES, size=2, epochs=1, min_count=1),
                "sentences": SENTENCES,
                "objective": "skip-gram",
                "window": 1,
                "negatives": 1,
                "seed": 1,
            },
        ),
        "WordVectors": lambda: (
            m.WordVectors,
            {
                "words": ["a", "b"],
                "vectors": np.eye(2),
                "counts": np.array([2, 1]),
                "contexts": np.eye(2),
            },
        ),
        "WordVectors.__getitem__": lambda: (vectors().__getitem__, {"word": "a"}),
        "SubwordVectors": lambda: (
            m.SubwordVectors,
            {
                "words": ["a", "b"],
                "vectors": np.eye(2),
                "pieces": {"<a": [1.0, 2.0]},
                "shortest": 2,
                "longest": 3,
            },
        ),
        "WordVectors.similarity": lambda: (vectors().similarity, {"a": "a", "b": "b"}),
        "WordVectors.most_similar": lambda: (
            vectors().most_similar,
            {"word": "a", "n": 2, "exclude": ["b"]},
        ),
        "WordVectors.analogy": lambda: (
            vectors().analogy,
            {"a": "a", "b": "b", "c": "c", "n": 1, "exclude_query": True},
        ),
        "WordVectors.save": lambda: (vectors().save, {"path": "vectors.txt"}),
        "WordVectors.load": lambda: (m.WordVectors.load, {"path": saved(vectors())}),
    }


@valid("sequences.language_models")
def _(m):
    def model():
        return m.NGramModel(2).fit(SENTENCES)

    return {
        "NGramModel": lambda: (
            m.NGramModel,
            {"order": 2, "smoothing": "add-k", "k": 0.5, "min_count": 1},
        ),
        "NGramModel.fit": lambda: (m.NGramModel(2).fit, {"sentences": SENTENCES}),
        "NGramModel.distribution": lambda: (model().distribution, {"context": ["the"]}),
        "NGramModel.probability": lambda: (
            model().probability,
            {"token": "cat", "context": ["the"]},
        ),
        "NGramModel.log_probability": lambda: (
            model().log_probability,
            {"sentence": ["the", "cat"]},
        ),
        "NGramModel.perplexity": lambda: (model().perplexity, {"sentences": SENTENCES}),
        "NGramModel.token_log_probabilities": lambda: (
            model().token_log_probabilities,
            {"sentences": SENTENCES},
        ),
        "NGramModel.sample": lambda: (
            model().sample,
            {
                "context": ["the"],
                "temperature": 1.0,
                "top_k": 3,
                "top_p": 0.9,
                "max_length": 5,
                "seed": 1,
            },
        ),
        "NeuralLanguageModel": lambda: (
            m.NeuralLanguageModel,
            {
                "vocabulary": model().vocabulary,
                "order": 3,
                "embedding_size": 5,
                "hidden_size": 7,
                "direct": True,
                "dropout": 0.1,
            },
        ),
        "NeuralLanguageModel.forward": lambda: (
            m.NeuralLanguageModel(model().vocabulary, 3),
            {"contexts": torch.tensor([[2, 2], [2, 3]])},
        ),
        "NeuralLanguageModel.examples": lambda: (
            m.NeuralLanguageModel(model().vocabulary, 3).examples,
            {"sentences": SENTENCES},
        ),
    }


def recurrent(m, name):
    def network():
        return getattr(m, name)(3, 5, 2)

    return {
        name: lambda: (
            getattr(m, name),
            {
                "input_size": 3,
                "hidden_size": 5,
                "num_layers": 2,
                "bidirectional": True,
                "bias": True,
                "dropout": 0.1,
            },
        ),
        f"{name}.forward": lambda: (
            network(),
            {"x": torch.ones(2, 7, 3), "lengths": torch.tensor([7, 4])},
        ),
    }


@valid("sequences.recurrent")
def _(m):
    return {
        **recurrent(m, "RNN"),
        "RNN.forward with a state": lambda: (
            m.RNN(3, 5),
            {"x": torch.ones(2, 7, 3), "state": torch.zeros(1, 2, 5)},
        ),
        "rnn_step": lambda: (
            m.rnn_step,
            {
                "x": torch.ones(2, 3),
                "hidden": torch.ones(2, 5),
                "weight_ih": torch.ones(5, 3),
                "weight_hh": torch.ones(5, 5),
                "bias": torch.ones(5),
            },
        ),
        "state_jacobians": lambda: (
            m.state_jacobians,
            {"states": torch.ones(7, 5), "weight_hh": torch.ones(5, 5)},
        ),
        "bptt_terms": lambda: (
            m.bptt_terms,
            {
                "states": torch.ones(7, 5) / 2,
                "weight_hh": torch.ones(5, 5),
                "gradient": torch.ones(5),
            },
        ),
    }


@valid("sequences.gated")
def _(m):
    gates = {"x": torch.ones(2, 3), "hidden": torch.ones(2, 5)}

    def weights(n):
        sizes = {"weight_ih": (n, 3), "weight_hh": (n, 5), "bias_ih": (n,), "bias_hh": (n,)}
        return {name: torch.ones(size) for name, size in sizes.items()}

    return {
        **recurrent(m, "LSTM"),
        **recurrent(m, "GRU"),
        "lstm_step": lambda: (m.lstm_step, {**gates, "cell": torch.ones(2, 5), **weights(20)}),
        "gru_step": lambda: (m.gru_step, {**gates, **weights(15)}),
        "set_memory_span": lambda: (
            m.set_memory_span,
            {"network": m.LSTM(3, 5), "spans": 10.0, "close_input": True},
        ),
        "trace": lambda: (m.trace, {"network": m.LSTM(3, 5), "x": torch.ones(2, 7, 3)}),
    }


def translators():
    """Return a model that was not trained, and the tokenizer of both of its languages."""
    from companion.sequences.seq2seq import SPECIAL_TOKENS, Seq2Seq
    from companion.sequences.tokenization import WordTokenizer

    torch.manual_seed(0)
    words = WordTokenizer.train(TEXTS, special_tokens=list(SPECIAL_TOKENS))
    return Seq2Seq(len(words), len(words), embedding_size=3, hidden_size=6), words


@valid("sequences.generation")
def _(m):
    def written(**options):
        model, words = translators()
        source = torch.tensor([[4, 5], [5, 4]])
        shared = {"model": model, "source": source, "vocabulary": words.vocabulary}
        return shared | {"max_length": 3} | options

    draws = {"temperature": 0.5, "top_k": 3, "top_p": 0.9}
    return {
        "greedy_decode": lambda: (m.greedy_decode, written()),
        "sample": lambda: (m.sample, written(**draws, generator=torch.Generator())),
        "beam_search": lambda: (m.beam_search, written(beam_width=2, length_penalty=0.5)),
        "complete": lambda: (
            m.complete,
            {
                "model": language_model(),
                "prompts": [[2, 3], [2]],
                "n_tokens": 3,
                "stop": [1],
                "generator": torch.Generator(),
                **draws,
            },
        ),
        "adjust": lambda: (m.adjust, {"scores": torch.ones(2, 5), **draws}),
        "log_probability": lambda: (
            m.log_probability,
            {
                "model": translators()[0],
                "source": torch.tensor([[4, 5]]),
                "target": torch.tensor([[2, 4, 3]]),
            },
        ),
    }


def language_model():
    from companion.sequences.language_models import NGramModel

    return NGramModel(2).fit(SENTENCES)


@valid("sequences.seq2seq")
def _(m):
    ids = torch.tensor([[4, 5, 3]])
    pairs = [([4, 5], [2, 4, 3]), ([5], [2, 5, 3])]

    def model():
        torch.manual_seed(0)
        return m.Seq2Seq(7, 8, embedding_size=3, hidden_size=6)

    return {
        "Seq2Seq": lambda: (
            m.Seq2Seq,
            {
                "source_vocab_size": 7,
                "target_vocab_size": 8,
                "embedding_size": 3,
                "hidden_size": 6,
                "attention": True,
            },
        ),
        "Seq2Seq.forward": lambda: (model(), {"source": ids, "target": ids}),
        "WordEmbedding": lambda: (
            m.WordEmbedding,
            {"vocabulary": {"[PAD]": 0, "ab": 1, "b": 2}, "embedding_size": 3},
        ),
        "WordEmbedding.forward": lambda: (
            m.WordEmbedding({"[PAD]": 0, "ab": 1, "b": 2}, 3),
            {"ids": torch.tensor([[1, 2, 0]])},
        ),
        "encode_pairs": lambda: (
            m.encode_pairs,
            {
                "pairs": [(TEXTS[0], TEXTS[0])],
                "source_tokenizer": translators()[1],
                "target_tokenizer": translators()[1],
            },
        ),
        "pad": lambda: (m.pad, {"sequences": [[5, 6], [7]], "padding": 0}),
        "batches": lambda: (
            m.batches,
            {"pairs": pairs, "batch_size": 2, "padding": 0, "seed": 1},
        ),
        "translate": lambda: (
            m.translate,
            {
                "model": translators()[0],
                "texts": [TEXTS[0]],
                "source_tokenizer": translators()[1],
                "target_tokenizer": translators()[1],
                "beam_width": 2,
                "max_length": 3,
                "batch_size": 2,
            },
        ),
        "exactly_right": lambda: (
            m.exactly_right,
            {
                "model": translators()[0],
                "pairs": [(TEXTS[0], TEXTS[0])],
                "source_tokenizer": translators()[1],
                "target_tokenizer": translators()[1],
                "beam_width": 2,
                "max_length": 3,
                "batch_size": 2,
            },
        ),
        "AdditiveAttention": lambda: (
            m.AdditiveAttention,
            {"query_size": 3, "memory_size": 4, "hidden_size": 5},
        ),
        "AdditiveAttention.forward": lambda: (
            m.AdditiveAttention(3, 4, 5),
            {
                "query": torch.ones(2, 3, 3),
                "memory": torch.ones(2, 7, 4),
                "mask": torch.ones(2, 7, dtype=torch.bool),
            },
        ),
        "reverse_within": lambda: (
            m.reverse_within,
            {"x": torch.ones(2, 3, 1), "lengths": torch.tensor([3, 2])},
        ),
    }


@valid("transformer.attention")
def _(m):
    q = torch.ones(2, 3, 5)
    mask = torch.ones(3, 3, dtype=torch.bool)
    return {
        "scaled_dot_product_attention": lambda: (
            m.scaled_dot_product_attention,
            {
                "query": q,
                "key": q,
                "value": q,
                "mask": mask,
                "biases": torch.zeros(3, 3),
                "dropout": 0.0,
            },
        ),
        "causal_mask": lambda: (m.causal_mask, {"length": 3, "past": 1}),
        "padding_mask": lambda: (
            m.padding_mask,
            {"lengths": torch.tensor([3, 2]), "length": 3, "left": True},
        ),
        "MultiHeadAttention": lambda: (
            m.MultiHeadAttention,
            {"d_model": 6, "n_heads": 2, "n_kv_heads": 1, "dropout": 0.1, "bias": True},
        ),
        "MultiHeadAttention.forward to itself": lambda: (
            m.MultiHeadAttention(6, 2),
            {"x": torch.ones(2, 3, 6), "biases": torch.zeros(2, 3, 3), "causal": True},
        ),
        "MultiHeadAttention.forward": lambda: (
            m.MultiHeadAttention(6, 2),
            {
                "x": torch.ones(2, 3, 6),
                "context": torch.ones(2, 3, 6),
                "mask": mask,
                "need_weights": True,
            },
        ),
    }


def attention():
    return importlib.import_module("companion.transformer.attention").MultiHeadAttention(6, 2)


@valid("transformer.blocks")
def _(m):
    x = torch.ones(2, 3, 6)
    mask = torch.ones(3, 3, dtype=torch.bool)
    return {
        **{
            name: lambda name=name: (getattr(m, name), {"d_model": 6, "eps": 1e-5})
            for name in ("LayerNorm", "RMSNorm")
        },
        **{
            name: lambda name=name: (
                getattr(m, name),
                {
                    "d_model": 6,
                    "d_hidden": 7,
                    "activation": "gelu",
                    "dropout": 0.1,
                    "bias": True,
                },
            )
            for name in ("FeedForward", "GatedFeedForward")
        },
        **{
            f"{name}.forward": lambda name=name: (getattr(m, name)(6), {"x": x})
            for name in ("LayerNorm", "RMSNorm", "FeedForward", "GatedFeedForward")
        },
        "layer_norm": lambda: (
            m.layer_norm,
            {"x": x, "weight": torch.ones(6), "bias": torch.ones(6), "eps": 1e-5},
        ),
        "rms_norm": lambda: (m.rms_norm, {"x": x, "weight": torch.ones(6), "eps": 1e-5}),
        "RotaryPositions": lambda: (
            m.RotaryPositions,
            {"max_length": 5, "d": 6, "base": 100.0, "halves": True},
        ),
        "RotaryPositions.forward": lambda: (
            m.RotaryPositions(5, 6),
            {"x": x[:, None], "positions": torch.arange(3)},
        ),
        "count_positions": lambda: (m.count_positions, {"mask": mask}),
        "Block": lambda: (
            m.Block,
            {
                "attention": attention(),
                "feed_forward": m.FeedForward(6),
                "cross_attention": attention(),
                "norm_first": True,
                "dropout": 0.1,
            },
        ),
        **{
            name: lambda name=name: (getattr(m, name), {"max_length": 5, "d_model": 6})
            for name in ("SinusoidalPositions", "PositionEmbedding")
        },
        **{
            f"{name}.forward": lambda name=name: (getattr(m, name)(5, 6), {"x": x, "start": 1})
            for name in ("SinusoidalPositions", "PositionEmbedding")
        },
        "sinusoidal_positions": lambda: (
            m.sinusoidal_positions,
            {"length": 3, "d_model": 6, "start": 1, "base": 100.0},
        ),
        "rotate": lambda: (m.rotate, {"x": x, "start": 1, "base": 100.0}),
        "linear_biases": lambda: (m.linear_biases, {"length": 3, "n_heads": 2, "past": 1}),
        "EncoderBlock": lambda: (
            m.EncoderBlock,
            {"d_model": 6, "n_heads": 2, "d_hidden": 7, "norm_first": True, "dropout": 0.1},
        ),
        "EncoderBlock.forward": lambda: (m.EncoderBlock(6, 2), {"x": x, "mask": mask}),
        "DecoderBlock": lambda: (
            m.DecoderBlock,
            {"d_model": 6, "n_heads": 2, "d_hidden": 7, "norm_first": True, "dropout": 0.1},
        ),
        "DecoderBlock.forward": lambda: (
            m.DecoderBlock(6, 2),
            {"x": x, "context": x, "mask": mask, "context_mask": mask},
        ),
    }


@valid("transformer.stack")
def _(m):
    sizes = {"d_model": 6, "n_layers": 1, "n_heads": 2, "d_hidden": 7, "max_length": 9}
    x = torch.ones(2, 3, 6)
    mask = torch.ones(3, 3, dtype=torch.bool)
    return {
        "Config": lambda: (
            m.Config,
            sizes
            | {
                "n_kv_heads": 1,
                "positions": "learned",
                "rotary_base": 1e4,
                "rotary_halves": False,
                "causal": True,
                "cross_attention": True,
                "norm": "rms",
                "norm_first": True,
                "norm_embeddings": True,
                "eps": 1e-5,
                "activation": "silu",
                "gated": True,
                "bias": True,
                "dropout": 0.1,
            },
        ),
        "Stack": lambda: (m.Stack, {"config": m.Config(**sizes)}),
        "Stack.forward": lambda: (
            m.Stack(m.Config(**sizes)),
            {
                "x": x,
                "mask": mask,
                "positions": torch.arange(3),
                "need_weights": True,
                "all_layers": True,
            },
        ),
        "Stack.forward to a context": lambda: (
            m.Stack(m.Config(**sizes, cross_attention=True, positions="linear")),
            {"x": x, "context": x, "mask": mask, "context_mask": mask},
        ),
    }


@valid("pretraining.bert")
def _(m):
    sizes = {"vocab_size": 8, "d_model": 6, "n_layers": 1, "n_heads": 2, "d_hidden": 7}
    sizes |= {"max_length": 9}
    ids = torch.tensor([[2, 5, 3], [2, 6, 3]])
    row = {"ids": ids, "segments": ids * 0, "mask": ids > 0}
    hidden = torch.ones(2, 3, 6)

    def model(kind):
        torch.manual_seed(0)
        return kind(m.BertConfig(**sizes))

    return {
        "BertConfig": lambda: (
            m.BertConfig,
            sizes | {"n_segments": 2, "eps": 1e-12, "dropout": 0.1, "pooler": True},
        ),
        "Bert": lambda: (m.Bert, {"config": m.BertConfig(**sizes)}),
        "Bert.forward": lambda: (
            model(m.Bert),
            row | {"need_weights": True, "all_layers": True},
        ),
        "Bert.pool": lambda: (model(m.Bert).pool, {"hidden": hidden}),
        "MaskedLanguageModel": lambda: (m.MaskedLanguageModel, {"bert": m.BertConfig(**sizes)}),
        "MaskedLanguageModel.forward": lambda: (
            model(m.MaskedLanguageModel),
            row | {"chosen": ids == 5},
        ),
        "MaskedLanguageModel.score": lambda: (
            model(m.MaskedLanguageModel).score,
            {"hidden": hidden},
        ),
        "masked_loss": lambda: (
            m.masked_loss,
            {
                "model": model(m.MaskedLanguageModel),
                "batch": {"inputs": ids, "targets": ids, "segments": ids * 0, "mask": ids > 0},
            },
        ),
        "mask_tokens": lambda: (
            m.mask_tokens,
            {
                "ids": ids,
                "mask_id": 4,
                "vocab_size": 8,
                "special_ids": [0, 1, 2, 3, 4],
                "rate": 0.15,
                "shares": (0.8, 0.1, 0.1),
                "generator": torch.Generator(),
            },
        ),
        "mean_pool": lambda: (m.mean_pool, {"hidden": hidden, "mask": ids > 0}),
    }


@valid("pretraining.finetuning")
def _(m):
    bert = importlib.import_module("companion.pretraining.bert")
    tokenization = importlib.import_module("companion.sequences.tokenization")
    tokens = ["[UNK]", "[CLS]", "[SEP]", "so", "good", "bad", "."]
    tokenizer = tokenization.WordPieceTokenizer(tokens, around=("[CLS]", "[SEP]"))
    ids = torch.tensor([[1, 3, 2], [1, 4, 2]])
    row = {"ids": ids, "segments": ids * 0, "mask": ids > 0}
    scores = torch.tensor([0.5, 2.0, 1.0])

    def body():
        torch.manual_seed(0)
        sizes = {"d_model": 6, "n_layers": 2, "n_heads": 2, "d_hidden": 7, "max_length": 9}
        return bert.Bert(bert.BertConfig(8, **sizes))

    def examples():
        return [m.judged(tokenizer, text, label) for label, text in enumerate(["so", "bad ."])]

    return {
        "SequenceClassifier": lambda: (
            m.SequenceClassifier,
            {"body": body(), "n_classes": 3, "pooling": "mean"},
        ),
        "SequenceClassifier.forward": lambda: (m.SequenceClassifier(body(), 3), row),
        "TokenClassifier": lambda: (m.TokenClassifier, {"body": body(), "n_tags": 3}),
        "TokenClassifier.forward": lambda: (m.TokenClassifier(body(), 3), row),
        "SpanReader": lambda: (m.SpanReader, {"body": body()}),
        "SpanReader.forward": lambda: (m.SpanReader(body()), row),
        "best_span": lambda: (
            m.best_span,
            {"start_scores": scores, "end_scores": scores, "max_length": 2},
        ),
        "judged": lambda: (
            m.judged,
            {"tokenizer": tokenizer, "text": "so good", "label": 1, "pair": "bad"},
        ),
        "tagged": lambda: (
            m.tagged,
            {"tokenizer": tokenizer, "words": ["so", "good"], "tags": [0, 2]},
        ),
        "asked": lambda: (
            m.asked,
            {"tokenizer": tokenizer, "question": "so", "passage": "so good", "start": 3, "end": 7},
        ),
        "source": lambda: (m.source, {"examples": examples(), "batch_size": 2, "pad": 0}),
        "collate": lambda: (m.collate, {"examples": examples(), "pad": 0}),
        "freeze": lambda: (m.freeze, {"body": body(), "n_blocks": 1}),
        "layer_rates": lambda: (
            m.layer_rates,
            {
                "model": m.SpanReader(body()),
                "lr": 0.1,
                "decay": 0.5,
                "head_lr": 0.2,
            },
        ),
        "entities": lambda: (m.entities, {"tags": ["B-A", "I-A", "O"]}),
        "entity_scores": lambda: (
            m.entity_scores,
            {"true": [["B-A", "O"]], "predicted": [["B-A", "I-A"]]},
        ),
        "answer_scores": lambda: (
            m.answer_scores,
            {"true": ["town hall"], "predicted": ["the hall"]},
        ),
    }


@valid("pretraining.vit")
def _(m):
    sizes = {"d_model": 6, "n_layers": 1, "n_heads": 2, "d_hidden": 7, "eps": 1e-6, "dropout": 0.1}
    sizes |= {"image_size": (4, 6), "patch_size": 2, "n_channels": 1, "n_classes": 3}
    images = torch.ones(2, 1, 4, 6)
    model = m.ViT(m.ViTConfig(**sizes)).eval()

    def written():
        model.save_pretrained("model")
        return "model"

    return {
        "ViTConfig": lambda: (m.ViTConfig, sizes),
        "ViT": lambda: (m.ViT, {"config": m.ViTConfig(**sizes)}),
        "ViT.forward": lambda: (model, {"images": images, "need_weights": True}),
        "ViT.features.forward": lambda: (
            model.features,
            {"images": images, "need_weights": False},
        ),
        "ViT.from_pretrained": lambda: (m.ViT.from_pretrained, {"folder": written()}),
        "ViT.save_pretrained": lambda: (model.save_pretrained, {"folder": "model"}),
        "to_patches": lambda: (m.to_patches, {"images": images, "patch_size": 2}),
        "to_images": lambda: (
            m.to_images,
            {"patches": torch.ones(2, 6, 4), "patch_size": 2, "image_size": (4, 6)},
        ),
    }


@valid("pretraining.self_supervision")
def _(m):
    images, tokens = torch.ones(2, 1, 4, 4), torch.tensor([[1, 2, 3], [3, 1, 0]])
    pieces = torch.ones(2, 4, 1, 2, 2)
    vectors = {"first": torch.eye(3), "second": torch.eye(3), "temperature": 0.5}
    shown = {"images": images, "generator": torch.Generator()}
    changes = {"turn": 0.3, "zoom": 0.15, "shear": 0.3, "shift": 0.1}
    orders = torch.tensor([[0, 1, 2, 3], [3, 2, 1, 0]])
    chosen = {"n_pieces": 4, "count": 3, "generator": torch.Generator(), "tries": 5}
    words = {"tokens": tokens, "generator": torch.Generator(), "vocab_size": 4}
    words |= {"before": 2, "after": 1, "pad_id": 0}
    encoder = {"n_features": 3, "image_size": 4, "in_channels": 1, "channels": (2,)}
    reader = {"vocab_size": 4, "n_features": 3, "pad_id": 0}
    return {
        "hide_square": lambda: (m.hide_square, shown | {"size": 2}),
        "hide_patches": lambda: (m.hide_patches, shown | {"patch_size": 2, "share": 0.5}),
        "hide_word": lambda: (m.hide_word, dict(words)),
        "rotate_quarter": lambda: (m.rotate_quarter, dict(shown)),
        "cut": lambda: (m.cut, {"images": images, "n": 2}),
        "put_together": lambda: (m.put_together, {"pieces": pieces}),
        "jigsaw": lambda: (m.jigsaw, shown | {"orders": orders, "gap": 1}),
        "distant_orders": lambda: (m.distant_orders, dict(chosen)),
        "augment": lambda: (m.augment, shown | changes),
        "contrastive_loss": lambda: (m.contrastive_loss, dict(vectors)),
        "ImageEncoder": lambda: (m.ImageEncoder, dict(encoder)),
        "ImageEncoder.forward": lambda: (m.ImageEncoder(**encoder), {"images": images}),
        "TextEncoder": lambda: (m.TextEncoder, dict(reader)),
        "TextEncoder.forward": lambda: (m.TextEncoder(**reader), {"tokens": tokens}),
        "freeze": lambda: (m.freeze, {"module": torch.nn.Linear(2, 2)}),
    }


@valid("weights")
def _(m):
    tensors = {"weight": torch.ones(2, 3), "bias": torch.ones(2)}

    def written():
        m.save("model", tensors, {"a": 1})
        return "model"

    def file():
        head = b"GGUF" + struct.pack("<IQQQ", 3, 1, 0, 1) + b"a"
        Path("a.gguf").write_bytes(head + struct.pack("<IQIQ", 1, 2, 0, 0) + bytes(15 + 8))
        return "a.gguf"

    return {
        "save": lambda: (
            m.save,
            {
                "folder": "model",
                "tensors": tensors,
                "config": {"a": 1},
                "tokenizer": "{}",
                "card": "# Card",
            },
        ),
        "find": lambda: (m.find, {"name": "minilm"}),
        "read_gguf": lambda: (m.read_gguf, {"path": file()}),
        "dequantize": lambda: (m.dequantize, {"stored": m.read_gguf(file()).tensors["a"]}),
        "load": lambda: (m.load, {"folder": written()}),
        "fill": lambda: (m.fill, {"model": torch.nn.Linear(3, 2), "tensors": dict(tensors)}),
        "pack": lambda: (m.pack, {"tensors": dict(tensors)}),
        "unpack": lambda: (m.unpack, {"packed": m.pack(tensors)}),
    }


@valid("pages")
def _(m):
    return {
        "as_json": lambda: (m.as_json, {"data": {"a": [1, "b"]}}),
        "publish": lambda: (m.publish, {"html": "<p>a</p>", "name": "b"}),
    }


@valid("transformer.translation")
def _(m):
    ids = torch.tensor([[4, 5, 3]])
    small = {
        "source_vocab_size": 7,
        "target_vocab_size": 8,
        "d_model": 6,
        "n_heads": 2,
        "n_encoder_layers": 1,
        "n_decoder_layers": 1,
        "d_hidden": 7,
        "dropout": 0.0,
        "max_length": 9,
    }

    def model():
        torch.manual_seed(0)
        return m.Transformer(m.TransformerConfig(**small))

    def packable():
        words = translators()[1]
        sizes = small | {"source_vocab_size": len(words), "target_vocab_size": len(words)}
        return m.Transformer(m.TransformerConfig(**sizes)), words

    def packed():
        model, words = packable()
        return m.pack(model, words, words, TEXTS, languages=("English", "Korean"))

    tokens = ["the", "cat", "sat"]
    return {
        "TransformerConfig": lambda: (m.TransformerConfig, dict(small)),
        "Transformer": lambda: (m.Transformer, {"config": m.TransformerConfig(**small)}),
        "Transformer.forward": lambda: (model(), {"source": ids, "target": ids}),
        "pack": lambda: (
            m.pack,
            {
                "model": packable()[0],
                "source_tokenizer": packable()[1],
                "target_tokenizer": packable()[1],
                "sentences": TEXTS,
                "languages": ("English", "Korean"),
                "examples": TEXTS[:1],
            },
        ),
        "unpack": lambda: (m.unpack, {"packed": packed()}),
        "translator_html": lambda: (
            m.translator_html,
            {"models": {"there": packed()}, "limit": 9},
        ),
        "bleu": lambda: (
            m.bleu,
            {"translations": [tokens], "references": [[tokens]], "max_order": 2, "smooth": True},
        ),
        "n_grams": lambda: (m.n_grams, {"tokens": tokens, "order": 2}),
        "smooth_cross_entropy": lambda: (
            m.smooth_cross_entropy,
            {
                "logits": torch.ones(2, 3, 8),
                "targets": torch.tensor([[1, 2, 3], [4, 5, 6]]),
                "smoothing": 0.1,
            },
        ),
        "warm_up_rate": lambda: (m.warm_up_rate, {"step": 3, "d_model": 6, "warm_up": 10}),
    }


@valid("pretraining.llama")
def _(m):
    sizes = {"vocab_size": 9, "d_model": 12, "n_layers": 1, "n_heads": 3, "d_hidden": 7}
    more = {"n_kv_heads": 1, "max_length": 19, "rotary_base": 50.0, "eps": 1e-5, "dropout": 0.1}

    def model():
        torch.manual_seed(0)
        return m.Llama(m.LlamaConfig(**sizes, n_kv_heads=1, max_length=19))

    def folder():
        model().save_pretrained("model")
        return "model"

    return {
        "LlamaConfig": lambda: (m.LlamaConfig, {**sizes, **more, "tied": False}),
        "Llama": lambda: (m.Llama, {"config": m.LlamaConfig(**sizes)}),
        "Llama.forward": lambda: (
            model(),
            {
                "ids": torch.tensor([[1, 2, 3], [4, 5, 6]]),
                "mask": torch.ones(2, 3, dtype=torch.bool),
                "positions": torch.arange(3),
                "caches": model().body.caches(),
            },
        ),
        "Llama.from_pretrained": lambda: (m.Llama.from_pretrained, {"folder": folder()}),
        "Llama.save_pretrained": lambda: (model().save_pretrained, {"folder": "model"}),
        "chat": lambda: (
            m.chat,
            {"messages": [{"role": "user", "content": "Hello"}], "system": "Be brief."},
        ),
    }


@valid("pretraining.gpt")
def _(m):
    sizes = {"vocab_size": 9, "d_model": 6, "n_layers": 1, "n_heads": 2, "d_hidden": 7}
    ids = torch.tensor([[1, 2, 3], [4, 5, 6]])

    def model():
        torch.manual_seed(0)
        return m.GPT(m.GPTConfig(**sizes, max_length=19))

    def folder():
        model().save_pretrained("model")
        return "model"

    return {
        "GPTConfig": lambda: (
            m.GPTConfig,
            {**sizes, "max_length": 19, "eps": 1e-5, "dropout": 0.1, "tied": False},
        ),
        "GPT": lambda: (m.GPT, {"config": m.GPTConfig(**sizes)}),
        "GPT.forward": lambda: (
            model(),
            {
                "ids": ids,
                "mask": torch.ones(2, 3, dtype=torch.bool),
                "positions": torch.arange(3),
                "caches": model().body.caches(),
            },
        ),
        "GPT.from_pretrained": lambda: (m.GPT.from_pretrained, {"folder": folder()}),
        "GPT.save_pretrained": lambda: (model().save_pretrained, {"folder": "model"}),
        "generate": lambda: (
            m.generate,
            {
                "model": model(),
                "ids": ids,
                "n_tokens": 4,
                "temperature": 0.7,
                "top_k": 3,
                "top_p": 0.9,
                "stop": [2],
                "generator": torch.Generator(),
            },
        ),
        "text_windows": lambda: (
            m.text_windows,
            {"ids": torch.arange(9), "length": 3, "batch_size": 2, "n_batches": 1},
        ),
        "next_token_loss": lambda: (
            m.next_token_loss,
            {"model": model(), "batch": {"inputs": ids, "targets": ids}},
        ),
        "token_log_probabilities": lambda: (
            m.token_log_probabilities,
            {"model": model(), "ids": torch.arange(8), "length": 5, "stride": 2},
        ),
        "language_model_html": lambda: (
            m.language_model_html,
            {
                "model": m.GPT(m.GPTConfig(**{**sizes, "vocab_size": 257})),
                "tokenizer": byte_tokenizer(),
                "examples": ["소년은"],
                "begin": [3],
            },
        ),
    }


def byte_tokenizer():
    from companion.sequences.tokenization import BytePairTokenizer

    return BytePairTokenizer.train(["aa"], 257)


# --- The tests -----------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # a path that is odd leads to a file that nobody misses


@pytest.mark.parametrize("module", sorted(TABLE))
def test_valid_arguments_are_valid(module):
    for name, make in TABLE[module](importlib.import_module(module)).items():
        function, arguments = make()
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            result = function(**arguments)
        assert not has_nan(result) or (module.rpartition(".")[2], name) in NAN_IS_RIGHT, name


arrays = hnp.arrays(
    st.sampled_from(["float64", "float32", "float16", "int64", "int8", "bool", "complex64", "U2"]),
    hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
nested = st.recursive(scalars, lambda part: st.lists(part, max_size=3), max_leaves=6)


@pytest.mark.parametrize(
    "module",
    sorted(TABLE),
)
@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_only_named_errors_or_right_results(module, data):
    ready = TABLE[module](importlib.import_module(module))
    name = data.draw(st.sampled_from(sorted(ready)))
    argument, value = data.draw(st.sampled_from(list(ready[name]()[1].items())))
    fixed = odd_values(value)
    odd = data.draw(st.sampled_from([*fixed, "drawn array", "drawn tensor", "drawn list"]))
    if odd == "drawn array":
        fixed[odd] = data.draw(arrays)
    elif odd == "drawn tensor":
        fixed[odd] = torch.tensor(data.draw(arrays.filter(lambda x: x.dtype.kind != "U")))
    elif odd == "drawn list":
        fixed[odd] = data.draw(nested)
    found = try_one(module, name, argument, odd, fixed[odd])
    assert found is None, f"{name}, {argument} = {odd} ({fixed[odd]!r:.80}): {found}"


def main(part):
    """Try all odd values everywhere; print what is found, and the number of calls."""
    calls, findings = 0, {}
    for module, name, argument, value in slots():
        if part not in f"{module}.{name}":
            continue
        for odd, put in odd_values(value).items():
            calls += 1
            found = try_one(module, name, argument, odd, put)
            if found is not None:
                kind = (module, name, argument, found.partition(":")[0])
                findings.setdefault(kind, []).append(f"{odd}: {found}")
    for (module, name, argument, _), found in findings.items():
        place = f"{module.removeprefix('companion.')} {name} {argument}"
        print(ascii(f"{place}, {len(found)} times, such as {found[0]}"))
    total = sum(map(len, findings.values()))
    print(f"{calls} calls, {total} findings of {len(findings)} kinds")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        main("".join(sys.argv[1:]))

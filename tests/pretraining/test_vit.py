"""Tests of companion.pretraining.vit: the library's ViT, and an image in patches and back."""

import json

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from companion import weights
from companion.basics.convolution import conv2d
from companion.basics.training import fit
from companion.pretraining.vit import ViT, ViTConfig, to_images, to_patches

from ..twins import F64, close, disturb, draw

B, C, D, H, HIDDEN, LAYERS = 3, 2, 30, 3, 37, 2  # heads of ten numbers
SIZES = {"d_model": D, "n_layers": LAYERS, "n_heads": H, "d_hidden": HIDDEN}
# Image, patch, classes: oblong patches in an oblong grid, one row, one patch, one class, pixels.
SHAPES = [
    ((10, 21), (5, 7), 5),
    ((3, 15), (3, 5), 2),
    ((7, 7), (7, 7), 3),
    ((6, 4), (2, 2), 1),
    ((3, 2), (1, 1), 11),
]


def model_of(image=(10, 21), patch=(5, 7), classes=5, **options):
    torch.manual_seed(0)
    model = ViT(ViTConfig(image, patch, C, classes, **{**SIZES, **options})).double()
    disturb(model)
    return model.eval()


def library(kind, image, patch, classes, **options):
    """Return a small ViT of the transformers library, all its numbers away from 0 and 1."""
    transformers = pytest.importorskip("transformers")
    config = transformers.ViTConfig(
        hidden_size=D,
        num_hidden_layers=LAYERS,
        num_attention_heads=H,
        intermediate_size=HIDDEN,
        num_channels=C,
        image_size=list(image) if image[0] != image[1] else image[0],
        patch_size=list(patch) if patch[0] != patch[1] else patch[0],
        num_labels=classes,
        layer_norm_eps=1e-3,  # so large that it counts
        **options,
    )
    torch.manual_seed(0)
    model = getattr(transformers, kind)(config).double().eval()
    disturb(model)
    return model


# --- as in the transformers library --------------------------------------------------------------


@pytest.mark.parametrize(("image", "patch", "classes"), SHAPES)
def test_a_classifier_of_the_library_is_read_and_written(tmp_path, image, patch, classes):
    theirs = library("ViTForImageClassification", image, patch, classes)
    theirs.save_pretrained(tmp_path / "theirs")
    ours = ViT.from_pretrained(tmp_path / "theirs")
    sizes = {**SIZES, "n_channels": C, "n_classes": classes, "eps": 1e-3}
    assert ours.config == ViTConfig(image, patch, **sizes)
    assert not ours.training
    images = draw(B, C, *image)
    expected = theirs(images, output_attentions=False).logits
    close(ours(images), expected, 1e-9)
    close(ours.features(images), theirs.vit(images).last_hidden_state, 1e-9)
    ours.save_pretrained(tmp_path / "ours")
    again, found = type(theirs).from_pretrained(tmp_path / "ours", output_loading_info=True)
    assert not any(found.values())
    assert again.dtype == F64
    assert again.config.num_labels == classes
    assert again.config.layer_norm_eps == 1e-3
    close(again.eval()(images).logits, expected, 1e-9)
    close(ViT.from_pretrained(tmp_path / "ours")(images), expected, 1e-9)


def test_gradients_are_those_of_the_library(tmp_path):
    theirs = library("ViTForImageClassification", (10, 21), (5, 7), 5)
    theirs.save_pretrained(tmp_path)
    ours = ViT.from_pretrained(tmp_path)
    images = [draw(B, C, 10, 21).requires_grad_() for _ in range(2)]
    target = torch.tensor([4, 0, 1])
    functional.cross_entropy(ours(images[0]), target).backward()
    functional.cross_entropy(theirs(images[1]).logits, target).backward()
    close(images[0].grad, images[1].grad, 1e-9)
    close(ours.class_token.grad, theirs.vit.embeddings.cls_token.grad, 1e-9)
    close(ours.body.positions.weight.grad, theirs.vit.embeddings.position_embeddings.grad[0], 1e-9)
    close(ours.patches.weight.grad, theirs.vit.embeddings.patch_embeddings.projection.weight.grad)
    inner = theirs.vit.layers[1].mlp.fc1.weight.grad
    close(ours.body.blocks[1].feed_forward.inner.weight.grad, inner, 1e-9)


@pytest.mark.parametrize("pooler", [True, False])
def test_a_body_of_the_library_is_read_and_written(tmp_path, pooler):
    theirs = library("ViTModel", (10, 21), (5, 7), 5)
    if not pooler:
        theirs.pooler = None
    theirs.save_pretrained(tmp_path / "theirs")
    ours = ViT.from_pretrained(tmp_path / "theirs")
    assert ours.config.n_classes is None
    images = draw(B, C, 10, 21)
    expected = theirs(images).last_hidden_state
    close(ours.features(images), expected, 1e-9)
    close(ours(images), expected[:, 0], 1e-9)
    ours.save_pretrained(tmp_path / "ours")
    again, found = type(theirs).from_pretrained(
        tmp_path / "ours", output_loading_info=True, add_pooling_layer=False
    )
    assert not any(found.values())
    close(again.eval()(images).last_hidden_state, expected, 1e-9)


def test_attention_is_that_of_the_library(tmp_path):
    theirs = library("ViTModel", (10, 21), (5, 7), 5, attn_implementation="eager")
    theirs.save_pretrained(tmp_path)
    ours, images = ViT.from_pretrained(tmp_path), draw(B, C, 10, 21)
    scores, found = ours(images, need_weights=True)
    expected = theirs(images, output_attentions=True).attentions
    assert len(found) == len(expected) == LAYERS
    for own, its in zip(found, expected, strict=True):
        assert own.shape == (B, H, 7, 7)
        close(own, its, 1e-6)  # theirs takes the softmax in float32
        close(own.sum(dim=-1), torch.ones(B, H, 7, dtype=F64))
    close(scores, ours(images), 1e-9)


def test_settings_of_a_folder(tmp_path):
    model_of(dropout=0.25).save_pretrained(tmp_path)
    tensors, config = weights.load(tmp_path)
    assert ViT.from_pretrained(tmp_path).config.dropout == 0.25

    def read(**changes):
        changed = {name: value for name, value in (config | changes).items() if value != "left out"}
        weights.save(tmp_path, tensors, changed)
        return ViT.from_pretrained(tmp_path)

    assert config["image_size"] == [10, 21]
    assert list(config["id2label"]) == list("01234")
    with pytest.raises(ValueError, match="hidden_dropout_prob and attention_probs_dropout"):
        read(attention_probs_dropout_prob=0.5)
    with pytest.raises(ValueError, match="hidden_act must be 'gelu' for ViT, got 'relu'"):
        read(hidden_act="relu")
    with pytest.raises(ValueError, match="qkv_bias must be True for ViT, got False"):
        read(qkv_bias=False)
    with pytest.raises(ValueError, match="model_type must be 'vit', got 'deit'"):
        read(model_type="deit")
    with pytest.raises(ValueError, match=r"config\.json must say hidden_size"):
        read(hidden_size="left out")
    with pytest.raises(TypeError, match="id2label must be a Mapping, got int"):
        read(id2label=5)
    with pytest.raises(ValueError, match=r"head.weight'\] must have the shape \(2, 30\)"):
        read(id2label="left out")  # as in the library: two classes
    with pytest.raises(ValueError, match=r"body\.blocks\.2"):
        read(num_hidden_layers=3)
    silent = {**config, "architectures": ["ViTForImageClassification"]}
    for name in ("image_size", "patch_size", "num_channels", "layer_norm_eps"):
        del silent[name]
    meant = ViT.read_config(silent)
    assert (meant.image_size, meant.patch_size, meant.n_channels) == ((224, 224), (16, 16), 3)
    assert meant.eps == 1e-12
    tensors.pop("vit.embeddings.cls_token")
    with pytest.raises(ValueError, match="class_token missing"):
        read()


def test_square_sizes_are_one_number_in_a_folder(tmp_path):
    model_of((4, 4), (2, 2)).save_pretrained(tmp_path)
    written = json.loads((tmp_path / "config.json").read_text("utf-8"))
    assert (written["image_size"], written["patch_size"]) == (4, 2)


def test_the_base_model_has_the_published_number_of_parameters():
    with torch.device("meta"):
        model = ViT(ViTConfig())
    counts = {name: part.numel() for name, part in model.named_parameters()}
    assert sum(counts.values()) == 86_567_656
    assert counts["patches.weight"] + counts["patches.bias"] == 16 * 16 * 3 * 768 + 768
    assert counts["body.positions.weight"] == 197 * 768
    assert model.config.n_patches == 196


# --- what a ViT does ------------------------------------------------------------------------------


def test_the_convolution_is_a_linear_map_of_patches():
    model, images = model_of(), draw(B, C, 10, 21)
    weight, bias = model.patches.weight, model.patches.bias
    rows = to_patches(images, (5, 7)) @ weight.flatten(1).T + bias  # (B, N, D)
    convolved = model.patches(images)
    close(rows, convolved.flatten(2).transpose(1, 2), 1e-10)
    close(conv2d(images, weight, bias, stride=(5, 7)), convolved, 1e-10)


def test_by_hand():
    """One patch, no attention worth the name: the class token and the patch, normalised."""
    model = ViT(ViTConfig(1, 1, 1, 2, 2, 1, 1, 1)).double().eval()
    for parameter in model.parameters():
        torch.nn.init.zeros_(parameter)
    with torch.no_grad():
        model.patches.weight[:, 0, 0, 0] = torch.tensor([3.0, -3.0])
        model.class_token += torch.tensor([1.0, 3.0])
        model.body.positions.weight[0] = torch.tensor([4.0, 0.0])
        model.body.norm.weight += 1
        model.head.weight += torch.tensor([[1.0, 0.0], [10.0, 1.0]])
        model.head.bias[1] += 0.5
    z = model.features(torch.tensor([[[[2.0]]]], dtype=F64))
    close(z, torch.tensor([[[1.0, -1.0], [1.0, -1.0]]], dtype=F64))  # of (5, 3), and of (6, -6)
    close(model(torch.tensor([[[[2.0]]]], dtype=F64)), torch.tensor([[1.0, 9.5]], dtype=F64))


def test_without_positions_the_order_of_the_patches_does_not_matter():
    model, images = model_of(), draw(B, C, 10, 21)
    order = torch.tensor([3, 5, 0, 4, 2, 1])
    shuffled = to_images(to_patches(images, (5, 7))[:, order], (5, 7), (10, 21))
    assert not torch.allclose(model(shuffled), model(images), atol=1e-3)
    torch.nn.init.zeros_(model.body.positions.weight)
    close(model(shuffled), model(images), 1e-9)
    close(model.features(shuffled)[:, 1:], model.features(images)[:, 1 + order], 1e-9)


def test_images_do_not_see_each_other_and_a_batch_may_be_empty():
    model, images = model_of(), draw(B, C, 10, 21)
    close(torch.cat([model(image[None]) for image in images]), model(images), 1e-9)
    assert model(images[:0]).shape == (0, 5)
    assert model_of(classes=None)(images).shape == (B, D)


def test_dropout_works_in_training_only():
    model, images = model_of(dropout=0.5).train(), draw(B, C, 10, 21)
    assert not torch.equal(model(images), model(images))
    assert torch.equal(model.eval()(images), model(images))


def test_it_learns():
    """Which of the two halves is bright?"""
    torch.manual_seed(0)
    images, labels = 0.1 * torch.rand(64, 1, 4, 4), torch.arange(64) % 2
    images[labels == 1, :, :2] += 1
    images[labels == 0, :, 2:] += 1
    model = ViT(ViTConfig(4, 2, 1, 2, 8, 1, 2, 16))
    adam = torch.optim.Adam(model.parameters(), lr=0.01)
    fit(model, (images, labels), loss=functional.cross_entropy, optimizer=adam, epochs=30)
    assert (model(images).argmax(dim=1) == labels).all()


# --- patches --------------------------------------------------------------------------------------


def test_patches_by_hand():
    images = torch.arange(24.0).reshape(1, 2, 2, 6)  # 0 ... 11 in one channel, 12 ... in the other
    found = to_patches(images, (2, 3))
    first = [0, 1, 2, 6, 7, 8, 12, 13, 14, 18, 19, 20]
    assert found.tolist() == [[first, [number + 3 for number in first]]]
    assert to_patches(torch.zeros(1, 3, 224, 224), 16).shape == (1, 196, 768)


@given(numbers=st.lists(st.integers(1, 4), min_size=6, max_size=6))
@settings(deadline=None, max_examples=30)
def test_patches_and_back(numbers):
    n, channels, rows, columns, down, right = numbers
    images = draw(n, channels, rows * down, columns * right)
    patches = to_patches(images, (down, right))
    assert patches.shape == (n, rows * columns, channels * down * right)
    assert torch.equal(to_images(patches, (down, right), images.shape[2:]), images)
    unfolded = functional.unfold(images, (down, right), stride=(down, right))
    assert torch.equal(patches, unfolded.transpose(1, 2))
    row, column = rows - 1, columns - 1  # the last patch is the lower right corner
    assert torch.equal(
        patches[:, -1].view(n, channels, down, right), images[:, :, row * down :, column * right :]
    )


# --- what is refused ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"patch_size": 3}, ValueError, "patch_size must divide image_size = 8, got 3"),
        ({"image_size": (8, 9)}, ValueError, "patch_size must divide image_size = 9, got 2"),
        ({"image_size": 0}, ValueError, "image_size must be 1 or more, got 0"),
        ({"image_size": (8, 8, 8)}, TypeError, "image_size must be an integer"),
        ({"patch_size": 2.0}, TypeError, "patch_size must be an integer, got 2.0"),
        ({"n_channels": 0}, ValueError, "n_channels must be 1 or more"),
        ({"n_classes": 0}, ValueError, "n_classes must be 1 or more"),
        ({"n_heads": 7}, ValueError, "n_heads must divide d_model = 30, got 7"),
        ({"n_layers": 0}, ValueError, "n_layers must be 1 or more"),
        ({"eps": 0.0}, ValueError, "eps must lie between 0 and inf"),
        ({"dropout": 1.0}, ValueError, "dropout must be 0 or more and less than 1"),
    ],
)
def test_a_wrong_configuration_is_refused(changes, error, message):
    sizes = {"image_size": 8, "patch_size": 2, "n_channels": 1, "n_classes": 10, **SIZES}
    with pytest.raises(error, match=message):
        ViTConfig(**{**sizes, **changes})


def test_wrong_images_are_refused():
    model = model_of()
    with pytest.raises(ValueError, match=r"images must have the shape \(B, 2, 10, 21\), got"):
        model(draw(B, C, 21, 10))
    with pytest.raises(ValueError, match=r"images must have the shape \(B, 2, 10, 21\), got"):
        model(draw(B, 1, 10, 21))
    with pytest.raises(TypeError, match=r"images must be a Tensor of torch\.float64, got"):
        model(draw(B, C, 10, 21, dtype=torch.float32))
    with pytest.raises(TypeError, match="config must be a ViTConfig, got dict"):
        ViT(SIZES)
    with pytest.raises(ValueError, match="patch_size must divide width = 21, got 5"):
        to_patches(draw(B, C, 10, 21), 5)
    with pytest.raises(ValueError, match=r"patches must have the shape \(B, 6, numbers\)"):
        to_images(draw(B, 7, 70), (5, 7), (10, 21))
    with pytest.raises(ValueError, match="patch_size must divide the numbers of a patch = 71"):
        to_images(draw(B, 6, 71), (5, 7), (10, 21))

"""Tests of companion.pretraining.llama: equal to the transformers library, both ways."""

import json

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer

from companion.pretraining.gpt import generate
from companion.pretraining.llama import SYSTEM, Llama, LlamaConfig, chat
from companion.sequences.generation import complete
from companion.transformer.attention import padding_mask
from companion.weights import find

from ..twins import disturb

B, T, V = 3, 7, 53
# Odd sizes: a head of 10 numbers, three heads that share one, or five that have their own.
SIZES = {
    "shared": {"d_model": 30, "n_layers": 2, "n_heads": 3, "d_hidden": 37, "n_kv_heads": 1},
    "own": {"d_model": 50, "n_layers": 3, "n_heads": 5, "d_hidden": 41, "n_kv_heads": 5},
    "groups": {"d_model": 36, "n_layers": 1, "n_heads": 6, "d_hidden": 29, "n_kv_heads": 2},
}
IDS = torch.arange(B * T).view(B, T) * 5 % V
LENGTHS = [7, 4, 1]
NAMES = {
    "d_model": "hidden_size",
    "n_layers": "num_hidden_layers",
    "n_heads": "num_attention_heads",
    "n_kv_heads": "num_key_value_heads",
    "d_hidden": "intermediate_size",
    "max_length": "max_position_embeddings",
    "rotary_base": "rope_theta",
    "eps": "rms_norm_eps",
    "tied": "tie_word_embeddings",
}


def library(kind="shared", **options):
    """Return a small Llama of the transformers library, all its numbers away from 0 and 1."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    given = SIZES[kind] | {"max_length": 19, "eps": 1e-4} | options
    settings = {NAMES.get(name, name): value for name, value in given.items()}
    base = settings.pop("rope_theta", 10_000.0)
    rope = {"rope_type": "default", "rope_theta": base}
    config = transformers.LlamaConfig(vocab_size=V, rope_parameters=rope, **settings)
    model = transformers.LlamaForCausalLM(config).double().eval()
    disturb(model)
    return model


def small(kind="shared", **options):
    torch.manual_seed(0)
    model = Llama(LlamaConfig(V, **(SIZES[kind] | {"max_length": 19} | options))).double().eval()
    disturb(model)
    return model


def near(got, expected):
    """Compare with the library, which computes norms and angles in 32 bits, whatever the model."""
    assert got.dtype == expected.dtype == torch.float64
    torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("base", [10_000.0, 137.0, 500_000.0])
def test_read_from_a_folder_of_the_library(tmp_path, kind, tied, base):
    theirs = library(kind, tied=tied, rotary_base=base)
    theirs.save_pretrained(tmp_path)
    ours = Llama.from_pretrained(tmp_path)
    near(ours(IDS), theirs(IDS).logits)
    assert ours.config == LlamaConfig(
        V, **SIZES[kind], max_length=19, rotary_base=base, eps=1e-4, tied=tied
    )
    assert not ours.training


@pytest.mark.parametrize("kind", SIZES)
@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("base", [10_000.0, 137.0])
def test_the_library_reads_ours(tmp_path, kind, tied, base):
    transformers = pytest.importorskip("transformers")
    ours = small(kind, tied=tied, rotary_base=base, eps=1e-3)
    ours.save_pretrained(tmp_path)
    theirs, report = transformers.LlamaForCausalLM.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(report.values()), report
    near(theirs.eval()(IDS).logits, ours(IDS))
    assert torch.equal(Llama.from_pretrained(tmp_path)(IDS), ours(IDS))


def test_reading_draws_no_first_weights(tmp_path):
    small().save_pretrained(tmp_path)
    torch.manual_seed(3)
    before = torch.get_rng_state()
    Llama.from_pretrained(tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
    fresh = Llama(LlamaConfig(V, **SIZES["own"]))
    assert 0.018 < fresh.tokens.weight.std().item() < 0.022
    expected = 0.02 / 6**0.5  # three blocks of two parts
    outer = [block.feed_forward.outer.weight for block in fresh.body.blocks]
    assert torch.cat(outer).std().item() == pytest.approx(expected, rel=0.1)


def test_a_base_changes_the_numbers():
    torch.manual_seed(0)
    one, other = small(rotary_base=10_000.0), small(rotary_base=137.0)
    other.load_state_dict(one.state_dict())
    assert (one(IDS) - other(IDS)).abs().max() > 0.01


def test_folders_of_older_versions(tmp_path):
    """Until version 5, the library wrote the base beside, and kept the turning of the hands."""
    theirs = library(rotary_base=137.0)
    theirs.save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "config.json").read_text())
    settings |= {"rope_theta": 137.0, "rope_scaling": None}
    for name in ("rope_parameters", "head_dim"):
        del settings[name]
    (tmp_path / "config.json").write_text(json.dumps(settings))
    tensors = load_file(tmp_path / "model.safetensors")
    tensors["model.layers.0.self_attn.rotary_emb.inv_freq"] = torch.ones(5)
    save_file(tensors, tmp_path / "model.safetensors")
    near(Llama.from_pretrained(tmp_path)(IDS), theirs(IDS).logits)


def test_padding_on_the_left(tmp_path):
    theirs = library()
    theirs.save_pretrained(tmp_path)
    ours, real = Llama.from_pretrained(tmp_path), padding_mask(LENGTHS, T, left=True)[:, 0]
    near(ours(IDS, mask=real)[real], theirs(IDS, attention_mask=real.long()).logits[real])
    for row, length in enumerate(LENGTHS):
        alone = ours(IDS[row : row + 1, T - length :])[0]
        torch.testing.assert_close(ours(IDS, mask=real)[row, T - length :], alone)


@pytest.mark.parametrize("kind", SIZES)
def test_caches_and_the_weights_of_attention(kind):
    model = small(kind)
    whole, weights = model(IDS, need_weights=True)
    assert [one.shape for one in weights] == [(B, SIZES[kind]["n_heads"], T, T)] * len(weights)
    assert len(weights) == SIZES[kind]["n_layers"]
    caches = model.body.caches()
    parts = [model(part, caches=caches) for part in IDS.split([4, 1, 2], dim=1)]
    torch.testing.assert_close(torch.cat(parts, dim=1), whole, rtol=1e-9, atol=1e-9)
    assert caches[0][0].key.shape[1] == SIZES[kind]["n_kv_heads"]  # that is what is saved


def test_gradients_as_in_the_library(tmp_path):
    theirs = library(tied=True)
    theirs.save_pretrained(tmp_path)
    ours = Llama.from_pretrained(tmp_path)
    ours(IDS).log_softmax(-1)[..., 5].sum().backward()
    theirs(IDS).logits.log_softmax(-1)[..., 5].sum().backward()
    expected = {name: value.grad for name, value in theirs.named_parameters()}
    got = Llama.ours(expected, ours.config)
    for name, value in ours.named_parameters():
        torch.testing.assert_close(value.grad, got[name], rtol=1e-4, atol=1e-4)


def test_greedy_text_as_the_library_writes_it(tmp_path):
    theirs = library("groups", tied=True)
    theirs.generation_config.eos_token_id = None
    theirs.save_pretrained(tmp_path)
    ours = Llama.from_pretrained(tmp_path)
    expected = theirs.generate(
        IDS, attention_mask=torch.ones_like(IDS), max_new_tokens=12, do_sample=False
    )
    assert torch.equal(generate(ours, IDS, 12, temperature=0), expected)
    prompts = [IDS[0].tolist(), IDS[1, :2].tolist()]  # of different lengths
    alone = [generate(ours, torch.tensor(one), 5, temperature=0)[len(one) :] for one in prompts]
    assert complete(ours, prompts, 5, temperature=0) == [one.tolist() for one in alone]


def test_longer_than_the_tables():
    model = small(max_length=7)
    assert model(IDS).shape == (B, 7, V)
    with pytest.raises(ValueError, match="there are 7 positions, but x needs 8"):
        model(torch.zeros(1, 8, dtype=torch.int64))
    with pytest.raises(ValueError, match="must fit 7 positions, got 7 and 2"):
        generate(model, IDS, 2, temperature=0)


def test_one_token_and_one_row():
    model = small()
    torch.testing.assert_close(model(IDS[:1, :1]), model(IDS)[:1, :1])


def test_by_hand():
    """One block whose parts add nothing: the logits are a normalised vector times all vectors."""
    model = Llama(
        LlamaConfig(2, d_model=2, n_layers=1, n_heads=1, d_hidden=1, eps=1e-30, tied=True)
    )
    with torch.no_grad():
        for value in model.body.blocks.parameters():
            value.zero_()
        model.tokens.weight.copy_(torch.tensor([[3.0, 4.0], [1.0, 0.0]]))
    # (3, 4) divided by sqrt(12.5); times (3, 4) and (1, 0)
    expected = torch.tensor([[[25.0, 3.0]]]) / 12.5**0.5
    torch.testing.assert_close(model(torch.tensor([[0]])), expected)


def test_counts_of_llama():
    """Llama 7B and SmolLM2-135M, counted without memory: 6,738,415,616 and 134,515,008."""
    sizes = {
        6_738_415_616: LlamaConfig(32_000, 4096, 32, 32, 11_008),
        134_515_008: LlamaConfig(49_152, 576, 30, 9, 1536, n_kv_heads=3, tied=True),
    }
    for expected, config in sizes.items():
        with torch.device("meta"):
            model = Llama(config)
        assert sum(value.numel() for value in model.parameters()) == expected


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "mistral"}, "model_type must be 'llama', got 'mistral'"),
        ({"hidden_act": "gelu"}, "hidden_act must be 'silu' for Llama, got 'gelu'"),
        ({"attention_bias": True}, "attention_bias must be False for Llama, got True"),
        ({"mlp_bias": True}, "mlp_bias must be False for Llama, got True"),
        ({"head_dim": 12}, "head_dim must be hidden_size / num_attention_heads = 10, got 12"),
        ({"rope_interleaved": True}, "rope_interleaved must be False for Llama, got True"),
        (
            {"rope_parameters": {"rope_type": "llama3", "factor": 8.0, "rope_theta": 5e5}},
            r"rope_parameters \(rope_scaling\) must be plain, of rope_type 'default', got .*llama3",
        ),
        (
            {"rope_parameters": None, "rope_scaling": {"type": "linear", "factor": 2.0}},
            "rope_scaling.* must be plain.*linear",
        ),
        (
            {"rope_parameters": {"rope_type": "default", "partial_rotary_factor": 0.5}},
            "must be plain.*partial_rotary_factor",
        ),
        ({"num_key_value_heads": 2}, "n_kv_heads must divide n_heads = 3, got 2"),
        ({"vocab_size": None}, "config.json must say vocab_size: it does not"),
    ],
)
def test_what_cannot_be_followed_is_refused(tmp_path, changes, message):
    library().save_pretrained(tmp_path)
    settings = json.loads((tmp_path / "config.json").read_text()) | changes
    (tmp_path / "config.json").write_text(json.dumps(settings))
    with pytest.raises(ValueError, match=message):
        Llama.from_pretrained(tmp_path)


def change_weights(folder, **changes):
    tensors = load_file(folder / "model.safetensors")
    for name, value in changes.items():
        tensors[name] = value
    save_file({n: x for n, x in tensors.items() if x is not None}, folder / "model.safetensors")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"lm_head.weight": torch.ones(V, 30)}, "lm_head.weight must be model.embed_tokens.weight"),
        ({"model.norm.weight": None}, "body.norm.weight.* missing"),
        ({"model.norm.bias": torch.ones(30)}, "of the model only, got .*body.norm.bias"),
        ({"model.norm.weight": torch.ones(29)}, r"body.norm.weight.*\(30,\), got \(29,\)"),
    ],
)
def test_weights_that_do_not_fit_are_refused(tmp_path, changes, message):
    library(tied=True).save_pretrained(tmp_path)
    change_weights(tmp_path, **changes)
    with pytest.raises(ValueError, match=message):
        Llama.from_pretrained(tmp_path)


def test_a_tied_folder_may_repeat_the_vectors(tmp_path):
    theirs = library(tied=True)
    theirs.save_pretrained(tmp_path)
    repeated = load_file(tmp_path / "model.safetensors")["model.embed_tokens.weight"]
    change_weights(tmp_path, **{"lm_head.weight": repeated.clone()})
    near(Llama.from_pretrained(tmp_path)(IDS), theirs(IDS).logits)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_kv_heads": 2}, "n_kv_heads must divide n_heads = 3, got 2"),
        ({"d_model": 33}, "d_model / n_heads must be even for rotary positions, got 11"),
        ({"rotary_base": 0.5}, "rotary_base must lie between 1 and inf"),
        ({"max_length": 0}, "max_length must be 1 or more, got 0"),
        ({"vocab_size": 0}, "vocab_size must be 1 or more, got 0"),
        ({"tied": 1}, "tied must be True or False, got 1"),
        ({"eps": -1.0}, "eps must lie between 0 and inf"),
    ],
)
def test_settings_that_do_not_fit(options, message):
    with pytest.raises((ValueError, TypeError), match=message):
        LlamaConfig(**({"vocab_size": V} | SIZES["shared"] | options))


def test_ids_and_masks_that_do_not_fit():
    model = small()
    with pytest.raises(ValueError, match="ids must hold ids from 0 to 52, got 0 to 53"):
        model(torch.tensor([[0, 53]]))
    with pytest.raises(ValueError, match=r"mask must have the shape \(3, 7\)"):
        model(IDS, mask=torch.ones(B, T + 1, dtype=torch.bool))


# --- the conversation -----------------------------------------------------------------------------

# The template of SmolLM2 in the language that the library fills in, Jinja, as our own words put it.
TEMPLATE = (
    "{% if messages[0].role != 'system' %}<|im_start|>system\n{{ system }}<|im_end|>\n{% endif %}"
    "{% for one in messages %}<|im_start|>{{ one.role }}\n{{ one.content }}<|im_end|>\n"
    "{% endfor %}<|im_start|>assistant\n"
)


@pytest.mark.parametrize("roles", ["u", "su", "uau", "suau", "s"])
def test_chat_as_a_template(roles):
    jinja2 = pytest.importorskip("jinja2")
    names = {"u": "user", "s": "system", "a": "assistant"}
    messages = [{"role": names[one], "content": f"{n} <b>"} for n, one in enumerate(roles)]
    template = jinja2.Environment(keep_trailing_newline=True).from_string(TEMPLATE)
    assert chat(messages) == template.render(messages=messages, system=SYSTEM)


def test_chat_without_a_system():
    assert chat([{"role": "user", "content": "A"}], system=None) == (
        "<|im_start|>user\nA<|im_end|>\n<|im_start|>assistant\n"
    )


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ([], "messages must hold 1 or more, got 0"),
        ("Hello", "messages must be a list of messages, got the text"),
        (["Hello"], r"messages\[0\] must be a mapping with 'role' and 'content', got 'Hello'"),
        ([{"role": "user"}], r"messages\[0\] must be a mapping"),
        ([{"role": "robot", "content": ""}], r"the role of messages\[0\] must be .*, got 'robot'"),
        ([{"role": "user", "content": 3}], r"the content of messages\[0\] must be a str, got int"),
        (
            [{"role": "user", "content": "A"}, {"role": "system", "content": "B"}],
            r"the role of messages\[1\] must be 'user' or 'assistant', got 'system'",
        ),
    ],
)
def test_chat_refuses(messages, message):
    with pytest.raises((ValueError, TypeError), match=message):
        chat(messages)


# --- SmolLM2, which the set-up of `make test` fetches ---------------------------------------------


@pytest.fixture(scope="module")
def smollm2():
    folder = find("smollm2")
    return (
        folder,
        Llama.from_pretrained(folder),
        Tokenizer.from_file(str(folder / "tokenizer.json")),
    )


def test_chat_as_the_template_of_smollm2(smollm2):
    jinja2 = pytest.importorskip("jinja2")
    settings = json.loads((smollm2[0] / "tokenizer_config.json").read_text("utf-8"))
    template = jinja2.Environment().from_string(settings["chat_template"])
    for roles in (["user"], ["system", "user"], ["user", "assistant", "user"]):
        messages = [{"role": role, "content": f"{n} 안녕"} for n, role in enumerate(roles)]
        assert chat(messages) == template.render(messages=messages, add_generation_prompt=True)


def test_smollm2_answers(smollm2):
    _, model, tokenizer = smollm2
    text = chat([{"role": "user", "content": "What is the capital of South Korea?"}])
    ids, end = tokenizer.encode(text).ids, tokenizer.token_to_id("<|im_end|>")
    assert len(ids) == 38
    written = generate(model, torch.tensor(ids), 12, temperature=0, stop=[end])
    assert tokenizer.decode(written[38:].tolist()) == "The capital of South Korea is Seoul."


def test_smollm2_as_in_the_library(smollm2):
    transformers = pytest.importorskip("transformers")
    folder, model, _ = smollm2
    theirs = transformers.LlamaForCausalLM.from_pretrained(folder).eval()
    ids = torch.arange(100, 117)[None]
    with torch.no_grad():
        difference = (model(ids) - theirs(ids).logits).abs().max().item()
    assert difference < 1e-3

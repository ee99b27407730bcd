"""Language models: counts against slow counting and numbers by hand, the network against NumPy."""

import math
import random
from collections import Counter
from itertools import chain, product

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torch.nn.functional import cross_entropy

from companion.basics.training import fit
from companion.data.town import tasks
from companion.sequences.generation import beam_search, complete
from companion.sequences.language_models import (
    BEGIN,
    END,
    SPECIAL_TOKENS,
    UNKNOWN,
    NeuralLanguageModel,
    NGramModel,
    Vocabulary,
)

SMOOTHINGS = ("none", "add-k", "kneser-ney", "modified-kneser-ney")
TEXT = [list(word) for word in ("abab", "abc", "ca", "b", "abba", "caba", "", "bcab", "ab")]
texts = st.lists(st.lists(st.sampled_from("abcd"), max_size=6), min_size=1, max_size=12)


def known_words(words):
    return Vocabulary([*SPECIAL_TOKENS, *words], special=SPECIAL_TOKENS)


# The same written a second time, slowly: everything is counted anew for each probability.


def padded(sentences, known):
    return [[BEGIN, *(w if w in known else UNKNOWN for w in s), END] for s in sentences]


def grams_of(lines, n):
    return [tuple(line[i : i + n]) for line in lines for i in range(len(line) - n + 1)]


def slow_count(lines, order, gram):
    """The count of an n-gram as Kneser and Ney want it."""
    n = len(gram)
    if gram == (BEGIN,):
        return 0
    if n == order or gram[0] == BEGIN:
        return grams_of(lines, n).count(gram)
    return len({longer for longer in grams_of(lines, n + 1) if longer[1:] == gram})


def slow_discounts(lines, order, n, modified):
    counts = [slow_count(lines, order, gram) for gram in set(grams_of(lines, n))]
    n1, n2, n3, n4 = (counts.count(c) for c in (1, 2, 3, 4))
    if not modified:
        return [n1 / (n1 + 2 * n2)] * 3 if n1 * n2 else [0.5] * 3
    if n1 * n2 * n3 * n4 == 0:
        return [0.5, 1.0, 1.5]
    y = n1 / (n1 + 2 * n2)
    found = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    inside = all(0 <= d <= c for d, c in zip(found, (1, 2, 3), strict=True))
    return found if inside else [0.5, 1.0, 1.5]


def slow_kneser_ney(lines, order, tokens, history, word, modified):
    n = len(history) + 1
    shorter = (
        slow_kneser_ney(lines, order, tokens, history[1:], word, modified)
        if history
        else 1 / len(tokens)
    )
    counts = {token: slow_count(lines, order, (*history, token)) for token in tokens}
    total = sum(counts.values())
    if total == 0:
        return shorter
    discounts = [0.0, *slow_discounts(lines, order, n, modified)]
    taken = {token: discounts[min(count, 3)] for token, count in counts.items()}
    share = (counts[word] - taken[word]) / total
    return share + sum(taken.values()) / total * shorter


def slow(lines, order, tokens, context, word, smoothing, k):
    history = (BEGIN, *(w if w in tokens else UNKNOWN for w in context))
    history = history[len(history) - min(len(history), order - 1) :]
    if smoothing.endswith("kneser-ney"):
        modified = smoothing.startswith("modified")
        return slow_kneser_ney(lines, order, tokens, history, word, modified)
    found = Counter(
        g[-1] for g in grams_of(lines, len(history) + 1) if g[:-1] == history and g[-1] != BEGIN
    )
    if smoothing == "none":
        return found[word] / found.total() if found else 0.0
    return (found[word] + k) / (found.total() + k * len(tokens))


class TestAgainstSlowCounting:
    @pytest.mark.parametrize("smoothing", SMOOTHINGS)
    @pytest.mark.parametrize("order", [1, 2, 3, 5])
    @pytest.mark.parametrize("min_count", [1, 3])
    def test_every_token_after_many_contexts(self, smoothing, order, min_count):
        model = NGramModel(order, smoothing, k=0.3, min_count=min_count).fit(TEXT)
        tokens = [token for token in model.vocabulary.tokens if token != BEGIN]
        lines = padded(TEXT, tokens)
        for context in ([], ["a"], ["a", "b"], ["c", "a", "b"], ["x", "a"], list("bcab")):
            expected = [slow(lines, order, tokens, context, w, smoothing, 0.3) for w in tokens]
            found = dict(zip(model.vocabulary.tokens, model.distribution(context), strict=True))
            assert found.pop(BEGIN) == 0
            np.testing.assert_allclose(list(found.values()), expected, atol=1e-12)

    def test_a_text_that_is_long_enough_for_the_modified_discounts(self):
        rng = random.Random(5)
        text = [[rng.choice("aaabbcde") for _ in range(rng.randrange(7))] for _ in range(23)]
        found = slow_discounts(padded(text, "abcde"), 2, 2, modified=True)
        assert found != [0.5, 1.0, 1.5]
        model = NGramModel(2, "modified-kneser-ney").fit(text)
        tokens = [token for token in model.vocabulary.tokens if token != BEGIN]
        for context in ([], ["a"], ["e"], ["x"]):
            expected = [
                slow(padded(text, tokens), 2, tokens, context, w, "modified-kneser-ney", 0)
                for w in tokens
            ]
            found = [model.probability(w, context) for w in tokens]
            np.testing.assert_allclose(found, expected, atol=1e-12)

    @pytest.mark.parametrize("order", [1, 2, 4])
    @pytest.mark.parametrize("smoothing", SMOOTHINGS)
    def test_the_quick_way_to_perplexity_agrees_with_the_distributions(self, order, smoothing):
        model = NGramModel(order, smoothing).fit(TEXT)
        new = [list("abc"), ["x", "a"], []]
        steps = [(s[:i], w) for s in new for i, w in enumerate([*s, END])]
        with np.errstate(divide="ignore"):
            expected = np.log([model.probability(w, context) for context, w in steps])
        np.testing.assert_allclose(model.token_log_probabilities(new), expected)
        assert model.perplexity(new) == pytest.approx(math.exp(-expected.mean()))


class TestNumbersByHand:
    def test_maximum_likelihood_of_the_chapters_exercise(self):
        # 나는 | [BOS] 2/3, 밥을 | 나는 1/2, 먹었다 | 밥을 1, [EOS] | 먹었다 1
        text = [["나는", "밥을", "먹었다"], ["나는", "물을", "마셨다"], ["너는", "밥을", "먹었다"]]
        model = NGramModel(2, "none").fit(text)
        assert model.log_probability(text[0]) == pytest.approx(math.log(1 / 3))
        assert model.perplexity(text[:1]) == pytest.approx(3 ** (1 / 4))

    def test_add_k(self):
        # V = 5: [UNK], [EOS], a, b, c; after a: b twice, [EOS] once
        model = NGramModel(2, "add-k", k=0.5).fit([["a", "b"], ["a", "b", "c"], ["a"]])
        assert model.probability("b", ["a"]) == pytest.approx(2.5 / 5.5)
        assert model.probability("z", ["a"]) == pytest.approx(0.5 / 5.5)
        assert model.probability("b", ["z"]) == pytest.approx(1 / 5)

    def test_kneser_ney(self):
        # "a b", "a b", "c b": pairs [BOS]a 2, ab 2, b[EOS] 3, [BOS]c 1, cb 1: n1 = 2, n2 = 2,
        # so D = 2 / 6. Different left neighbours: a 1, b 2, c 1, [EOS] 1: n1 = 3, n2 = 1, D = 3/5,
        # sum 5; what is left there, 4 * 3/5 / 5 = 12/25, goes to the V = 5 tokens alike.
        model = NGramModel(2, "kneser-ney").fit([["a", "b"], ["a", "b"], ["c", "b"]])
        b = (2 - 3 / 5) / 5 + 12 / 25 / 5
        unknown = 12 / 25 / 5
        assert model.probability("b", ["z"]) == pytest.approx(b)
        assert model.probability("b", ["a"]) == pytest.approx((2 - 1 / 3) / 2 + 1 / 3 * 1 / 2 * b)
        assert model.probability("z", ["a"]) == pytest.approx(1 / 3 * 1 / 2 * unknown)

    def test_a_model_that_knows_nothing_has_the_perplexity_of_a_die(self):
        words = known_words("abcdef")  # V = 8, without [BOS]
        model = NGramModel(2, "add-k", k=1e9, vocabulary=words).fit(TEXT)
        assert model.perplexity([list("afd")]) == pytest.approx(8)


class TestProperties:
    @settings(max_examples=60, deadline=None)
    @given(texts, st.sampled_from(SMOOTHINGS), st.integers(1, 4), st.integers(1, 3), st.data())
    def test_probabilities_sum_to_one_after_every_context(self, text, kind, order, least, data):
        assume(max(Counter(chain.from_iterable(text)).values(), default=0) >= least)
        model = NGramModel(order, kind, k=0.1, min_count=least).fit(text)
        context = data.draw(st.lists(st.sampled_from("abcdz"), max_size=5))
        shares = model.distribution(context)
        assert (shares >= 0).all()
        if kind == "none":
            assert shares.sum() == pytest.approx(1) or not shares.any()
        else:
            assert shares[model.vocabulary.begin] == 0
            assert (np.delete(shares, model.vocabulary.begin) > 0).all()
            assert shares.sum() == pytest.approx(1)

    @settings(max_examples=25, deadline=None)
    @given(texts)
    def test_without_smoothing_all_sentences_of_the_text_share_the_probability_1(self, text):
        assume(any(text))
        model = NGramModel(8, "none").fit(text)  # looks back to the beginning
        different = {tuple(sentence) for sentence in text}
        shares = {s: math.exp(model.log_probability(s)) for s in different}
        assert sum(shares.values()) == pytest.approx(1)
        for sentence, share in shares.items():
            assert share == pytest.approx(text.count(list(sentence)) / len(text))

    @settings(max_examples=25, deadline=None)
    @given(texts)
    def test_bigrams_give_a_sentence_the_same_probability_from_both_ends(self, text):
        assume(any(text))
        ahead = NGramModel(2, "none").fit(text)
        back = NGramModel(2, "none").fit([s[::-1] for s in text])
        for sentence in text:
            expected = pytest.approx(ahead.log_probability(sentence))
            assert back.log_probability(sentence[::-1]) == expected

    def test_all_sentences_up_to_a_length_and_those_that_are_longer(self):
        words = known_words("ab")
        model = NGramModel(2, "kneser-ney", vocabulary=words).fit([list("ab"), list("ba"), ["a"]])
        tokens = ("[UNK]", "a", "b")
        within = sum(
            math.exp(model.log_probability(s))
            for length in range(8)
            for s in product(tokens, repeat=length)
        )
        assert 0.9 < within < 1

    @pytest.mark.parametrize("smoothing", SMOOTHINGS)
    def test_words_in_other_sentences_are_no_neighbours(self, smoothing):
        apart = NGramModel(3, smoothing).fit([["a"], ["b"]])
        assert apart.probability("b", ["a"]) <= apart.probability(END, ["a"])
        if smoothing == "none":
            assert apart.probability("b", ["a"]) == 0


class TestUse:
    def test_a_zero_makes_the_perplexity_infinite(self):
        model = NGramModel(2, "none").fit([["a", "b"]])
        assert model.log_probability(["b"]) == -math.inf
        assert model.perplexity([["a", "b"], ["b"]]) == math.inf

    def test_unknown_words_count_as_unk(self):
        model = NGramModel(2, "kneser-ney", min_count=2).fit([["a", "x"], ["a", "y"]])
        assert model.vocabulary.tokens == (UNKNOWN, END, BEGIN, "a")
        assert model.probability("q", ["a"]) == model.probability(UNKNOWN, ["a"]) > 0.5
        assert model.log_probability(["a", "q"]) == model.log_probability(["a", "x"])

    def test_fitting_again_forgets(self):
        model = NGramModel(2, "none").fit([["a"]])
        assert model.fit([["b"]]).probability("b") == 1
        assert model.vocabulary.tokens == (UNKNOWN, END, BEGIN, "b")

    def test_the_collector_is_left_as_it_was(self):
        import gc

        assert gc.isenabled()
        NGramModel(2).fit(TEXT)
        assert gc.isenabled()
        gc.disable()
        try:
            NGramModel(2).fit(TEXT)
            assert not gc.isenabled()
        finally:
            gc.enable()

    def test_an_empty_sentence_is_a_sentence(self):
        model = NGramModel(3, "none").fit([[], ["a"]])
        assert model.log_probability([]) == pytest.approx(math.log(1 / 2))

    def test_samples_follow_the_distribution(self):
        model = NGramModel(2, "kneser-ney").fit(TEXT)
        rng = np.random.default_rng(0)
        drawn = Counter(tuple(model.sample(["a"], max_length=2, seed=rng)) for _ in range(4000))
        for number, token in enumerate(model.vocabulary.tokens):
            if token == BEGIN:
                continue
            key = ("a",) if token == END else ("a", token)
            expected = model.distribution(["a"])[number]
            assert drawn[key] / 4000 == pytest.approx(expected, abs=0.03)

    def test_temperature(self):
        model = NGramModel(1, "none").fit([["a", "a", "a", "b"]])  # a 3/5, b 1/5, [EOS] 1/5
        rng = np.random.default_rng(0)
        options = {"max_length": 1, "seed": rng}
        hot = Counter(tuple(model.sample(temperature=0.5, **options)) for _ in range(4000))
        assert hot[("a",)] / 4000 == pytest.approx(9 / 11, abs=0.03)
        for cold in (1e-3, 0):
            written = {tuple(model.sample(temperature=cold, **options)) for _ in range(100)}
            assert written == {("a",)}
        few = Counter(tuple(model.sample(top_k=1, **options)) for _ in range(100))
        assert few == {("a",): 100}
        most = {tuple(model.sample(top_p=0.5, **options)) for _ in range(100)}
        assert most == {("a",)}

    def test_sampling_is_repeatable_and_bounded(self):
        model = NGramModel(2, "add-k", k=5).fit(TEXT)
        assert model.sample(seed=3) == model.sample(seed=3)
        assert len(model.sample(seed=3, max_length=4, temperature=5)) <= 4
        assert model.sample(["a", "b"], max_length=0) == ["a", "b"]

    def test_a_text_is_fitted_in_no_time(self):
        text = [korean.split() for korean, _ in tasks.parallel(5000, seed=0)]
        new = [korean.split() for korean, _ in tasks.parallel(300, seed=0, split="validation")]
        known = Vocabulary.count(text, special=SPECIAL_TOKENS, min_count=2)
        found = {kind: NGramModel(3, kind, vocabulary=known).fit(text) for kind in SMOOTHINGS}
        judged = {kind: model.perplexity(new) for kind, model in found.items()}
        assert judged["none"] == math.inf
        assert judged["kneser-ney"] < 0.5 * judged["add-k"] < math.inf
        assert judged["modified-kneser-ney"] == pytest.approx(judged["kneser-ney"], rel=0.05)


class TestVocabulary:
    def test_equally_frequent_words_come_by_code_point(self):
        model = NGramModel(1, min_count=2).fit([["c", "a"], ["b", "c"], ["b", UNKNOWN]])
        assert model.vocabulary.tokens == (UNKNOWN, END, BEGIN, "b", "c")
        assert model.vocabulary.counts.tolist() == [1, 0, 0, 2, 2]

    def test_any_vocabulary_with_the_three_symbols_will_do(self):
        # The numbers of the symbols, and others that no sentence has, change no probability.
        plain = NGramModel(2, "add-k", vocabulary=known_words("abc")).fit(TEXT)
        odd = Vocabulary(["c", "</s>", "b", "<s>", "a", "<unk>"], special=["<s>", "</s>", "<unk>"])
        other = NGramModel(2, "add-k", vocabulary=odd).fit(TEXT)
        for words in TEXT:
            assert other.log_probability(words) == pytest.approx(plain.log_probability(words))
        with pytest.raises(ValueError, match=r"no \[BOS\] and no \[EOS\], got <s>"):
            other.log_probability(["<s>"])
        with pytest.raises(ValueError, match=r"token must be a word, .* got <s>"):
            other.probability("<s>")

    @pytest.mark.parametrize(
        ("wrong", "error", "message"),
        [
            (["a"], TypeError, "vocabulary must be a Vocabulary, got list"),
            (Vocabulary(["a"]), ValueError, r"must have \[UNK\] or <unk> as unknown"),
            (Vocabulary([UNKNOWN], special=[UNKNOWN]), ValueError, r"must have \[EOS\] .* as end"),
        ],
    )
    def test_others_are_refused(self, wrong, error, message):
        for make in (NGramModel, NeuralLanguageModel):
            with pytest.raises(error, match=message):
                make(order=2, vocabulary=wrong)


class TestWriting:
    """A language model is one of the models of `companion.sequences.generation`."""

    def test_scores_are_log_probabilities_and_rows_can_be_chosen(self):
        model = NGramModel(3).fit(TEXT)
        begin, a, b = model.vocabulary.begin, *model.vocabulary.encode(["a", "b"])
        state = model.start(torch.tensor([[begin], [begin]]))
        scores, state = model.step(torch.tensor([a, b]), state)
        np.testing.assert_allclose(scores[1].exp(), model.distribution(["b"]))
        scores, _ = model.step(torch.tensor([a]), state.select(torch.tensor([1])))
        np.testing.assert_allclose(scores[0].exp(), model.distribution(["b", "a"]))

    def test_prompts_of_different_lengths(self):
        model = NGramModel(3).fit(TEXT)
        prompts = [["b"], ["a", "b", "c"], []]
        ids = [[model.vocabulary.begin, *model.vocabulary.encode(p)] for p in prompts]
        found = complete(model, ids, 5, temperature=0, stop=[model.vocabulary.end])
        for prompt, got in zip(prompts, found, strict=True):
            text = list(prompt)
            while len(text) < len(prompt) + 5:
                best = model.vocabulary.tokens[model.distribution(text).argmax()]
                if best == END:
                    break
                text.append(best)
            assert model.vocabulary.decode(got) == text[len(prompt) :]

    def test_a_beam_finds_the_most_probable_sentence(self):
        model = NGramModel(2, "kneser-ney").fit(TEXT)
        source = torch.zeros(1, 0, dtype=torch.int64)
        [found] = beam_search(model, source, model.vocabulary, beam_width=200, max_length=4)
        words = [UNKNOWN, "a", "b", "c"]
        all_of_them = [s for n in range(4) for s in product(words, repeat=n)]
        best = max(all_of_them, key=model.log_probability)
        finished = [one for one in found if one.finished]
        assert tuple(model.vocabulary.decode(finished[0].tokens)) == best
        assert finished[0].log_probability == pytest.approx(model.log_probability(best))

    def test_the_network_writes_like_the_counts(self):
        network = neural(3).train()
        assert network.sample(["a"], seed=3, max_length=9) == network.sample(
            ["a"], seed=3, max_length=9
        )
        assert network.training


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"order": 0}, ValueError, r"order must be 1 or more, got 0"),
            ({"order": 2.0}, TypeError, r"order must be an integer, got 2\.0"),
            (
                {"order": 2, "smoothing": "laplace"},
                ValueError,
                r"smoothing must be 'none' or .* got 'laplace'",
            ),
            ({"order": 2, "k": 0}, ValueError, r"k must lie between 0 and inf"),
            ({"order": 2, "k": math.nan}, ValueError, r"k must lie between"),
            ({"order": 2, "min_count": 0}, ValueError, r"min_count must be 1 or more, got 0"),
        ],
    )
    def test_settings(self, options, error, message):
        with pytest.raises(error, match=message):
            NGramModel(**options)

    @pytest.mark.parametrize(
        ("text", "error", "message"),
        [
            ([], ValueError, r"sentences must hold 1 or more, got 0"),
            ("a b", TypeError, r"sentences must be a list of sentences, got 'a b'"),
            (["a b"], TypeError, r"sentences\[0\] must be a list of words, got the text 'a b'"),
            (3, TypeError, r"sentences must be a list of sentences, got 3"),
            ([3], TypeError, r"sentences\[0\] must be a list of words, got 3"),
            ([["a", 3]], TypeError, r"sentences\[0\] must hold texts, got 3"),
            ([["a", None]], TypeError, r"must hold texts, got None"),
            ([["a", ""]], ValueError, r"must hold words, got an empty text"),
            ([["a", END]], ValueError, r"no \[BOS\] and no \[EOS\], got \[EOS\]"),
            ([[BEGIN, "a"]], ValueError, r"sentences must hold no \[BOS\].* got \[BOS\]"),
        ],
    )
    def test_texts(self, text, error, message):
        model = NGramModel(2).fit(TEXT)
        for use in (model.fit, model.perplexity, model.token_log_probabilities):
            with pytest.raises(error, match=message):
                use(text)

    def test_a_model_that_was_not_fitted(self):
        for model in (NGramModel(2), NGramModel(2, vocabulary=known_words("ab"))):
            for use in (model.distribution, model.sample):
                with pytest.raises(ValueError, match=r"no vocabulary yet: fit it first"):
                    use()
            with pytest.raises(ValueError, match=r"fit it first"):
                model.perplexity(TEXT)

    def test_tokens_and_contexts(self):
        model = NGramModel(2).fit(TEXT)
        with pytest.raises(TypeError, match=r"token must be a text, got 3"):
            model.probability(3)
        with pytest.raises(ValueError, match=r"token must be a word.*got \[BOS\]"):
            model.probability(BEGIN)
        with pytest.raises(TypeError, match=r"context must be a list of texts, got one text, 'b'"):
            model.probability("a", "b")
        with pytest.raises(ValueError, match=r"context must hold no \[BOS\]"):
            model.distribution([BEGIN])

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"temperature": -1}, "temperature must be 0 or more, got -1"),
            ({"temperature": math.nan}, "temperature must be finite, got nan"),
            ({"top_k": 0}, r"top_k must be 1 or more, got 0"),
            ({"top_p": 0.0}, r"top_p must be more than 0 and at most 1, got 0"),
            ({"max_length": -1}, r"max_length must be 0 or more"),
            ({"seed": -1}, r"seed must be 0 or more"),
        ],
    )
    def test_sampling(self, options, message):
        with pytest.raises(ValueError, match=message):
            NGramModel(2).fit(TEXT).sample(**options)

    def test_nothing_follows_what_was_never_seen(self):
        model = NGramModel(2, "none").fit([["a", "b"]])
        assert not model.distribution(["q"]).any()
        with pytest.raises(ValueError, match=r"never saw what follows \['q'\]"):
            model.sample(["q"])


WORDS = known_words("abcde")  # V = 8, with [BOS]
SIZES = {"embedding_size": 3, "hidden_size": 5}


def neural(order=3, **options):
    torch.manual_seed(0)
    return NeuralLanguageModel(WORDS, order, **SIZES, **options).double()


class TestNetwork:
    @pytest.mark.parametrize("direct", [False, True])
    @pytest.mark.parametrize("order", [2, 3, 5])
    def test_scores_and_gradients_are_those_of_the_papers_formula(self, order, direct):
        network = neural(order, direct=direct)
        C = network.embedding.weight.detach().numpy()
        H, d = (p.detach().numpy() for p in network.hidden.parameters())
        U, b = (p.detach().numpy() for p in network.output.parameters())
        W = network.direct.weight.detach().numpy() if direct else np.zeros((8, 3 * (order - 1)))
        numbers = np.random.default_rng(0).integers(0, 8, size=(11, order - 1))
        targets = np.arange(11) % 8
        targets[targets == 2] = 3  # [BOS] is never predicted

        x = np.concatenate([C[column] for column in numbers.T], axis=1)
        a = np.tanh(d + x @ H.T)
        y = b + x @ W.T + a @ U.T
        y[:, 2] = -np.inf
        contexts = torch.tensor(numbers)
        scores = network(contexts)
        np.testing.assert_allclose(scores.detach().numpy(), y, atol=1e-12)

        cross_entropy(scores, torch.tensor(targets)).backward()
        p = np.exp(y) / np.exp(y).sum(axis=1, keepdims=True)
        dy = (p - np.eye(8)[targets]) / 11
        dz = (dy @ U) * (1 - a**2)
        dx = dz @ H + dy @ W
        dC = np.zeros_like(C)
        for place, column in enumerate(numbers.T):
            np.add.at(dC, column, dx[:, 3 * place : 3 * place + 3])
        expected = {
            "embedding.weight": dC,
            "hidden.weight": dz.T @ x,
            "hidden.bias": dz.sum(axis=0),
            "output.weight": dy.T @ a,
            "output.bias": dy.sum(axis=0),
        } | ({"direct.weight": dy.T @ x} if direct else {})
        found = {name: p.grad.numpy() for name, p in network.named_parameters()}
        assert found.keys() == expected.keys()
        for name, gradient in expected.items():
            np.testing.assert_allclose(found[name], gradient, atol=1e-12, err_msg=name)

    def test_examples(self):
        contexts, targets = neural(4).examples([["a", "z"], []])
        # [UNK] is 0, [EOS] 1, [BOS] 2, a 3
        assert contexts.tolist() == [[2, 2, 2], [2, 2, 3], [2, 3, 0], [2, 2, 2]]
        assert targets.tolist() == [3, 0, 1, 1]

    @pytest.mark.parametrize("order", [2, 4])
    def test_it_is_a_language_model_like_those_that_count(self, order):
        network = neural(order, dropout=0.5)
        assert network.training
        assert network.distribution(list("abcdeab")).sum() == pytest.approx(1)
        text = [list("abz"), [], ["e"]]
        steps = [(s[:i], w) for s in text for i, w in enumerate([*s, END])]
        expected = [math.log(network.probability(w, context)) for context, w in steps]
        np.testing.assert_allclose(network.token_log_probabilities(text), expected)
        assert network.log_probability(text[0]) == pytest.approx(sum(expected[:4]))
        contexts, targets = network.examples(text)
        with torch.no_grad():
            loss = cross_entropy(network.eval()(contexts), targets).item()
        assert network.perplexity(text) == pytest.approx(math.exp(loss))
        assert network.sample(seed=1, max_length=6) == network.sample(seed=1, max_length=6)

    def test_measuring_leaves_the_mode_and_many_contexts_are_measured_in_pieces(self, monkeypatch):
        network = neural(3, dropout=0.9).train()
        text = [list("abcde")] * 5
        whole = network.token_log_probabilities(text)
        assert network.training
        network.eval().distribution()
        assert not network.training
        monkeypatch.setattr("companion.sequences.language_models.neural.MOST", 7)
        np.testing.assert_allclose(network.token_log_probabilities(text), whole)

    def test_it_learns_and_passes_the_best_n_gram_model_on_new_combinations(self):
        # Two kinds of words, a sentence has one of each; a third of the pairs is kept back.
        words = [f"{kind}{i}" for kind in "xy" for i in range(12)]
        pairs = [[f"x{i}", f"y{j}"] for i in range(12) for j in range(12)]
        random.Random(0).shuffle(pairs)
        train, test = pairs[48:] * 4, pairs[:48]
        known = known_words(words)
        torch.manual_seed(0)
        network = NeuralLanguageModel(known, 2, embedding_size=4, hidden_size=8)
        optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
        data = network.examples(train)
        before = network.perplexity(test)
        history = fit(network, data, loss=cross_entropy, optimizer=optimizer, epochs=3)
        assert history.train_loss[-1] < history.train_loss[0]
        best = min(
            NGramModel(order, kind, vocabulary=known).fit(train).perplexity(test)
            for order in (1, 2, 3)
            for kind in ("add-k", "kneser-ney", "modified-kneser-ney")
        )
        assert network.perplexity(test) < 0.8 * best < before

    @pytest.mark.parametrize(
        ("contexts", "error", "message"),
        [
            ([[1, 2]], TypeError, r"contexts must be a Tensor of torch.int64, got list"),
            (torch.zeros(2, 2), TypeError, r"torch.int64, got torch.float32"),
            (torch.zeros(2, 2, dtype=torch.bool), TypeError, r"torch.int64, got torch.bool"),
            (torch.zeros(2, 3, dtype=torch.long), ValueError, r"shape \(B, 2\).*got \(2, 3\)"),
            (torch.zeros(2, dtype=torch.long), ValueError, r"shape \(B, 2\).*got \(2,\)"),
            (torch.zeros(0, 2, dtype=torch.long), ValueError, r"1 or more, got \(0, 2\)"),
            (torch.tensor([[0, 8]]), ValueError, r"contexts must hold ids from 0 to 7, got 0 to 8"),
            (torch.tensor([[-1, 0]]), ValueError, r"ids from 0 to 7, got -1 to 0"),
        ],
    )
    def test_contexts(self, contexts, error, message):
        with pytest.raises(error, match=message):
            neural(3)(contexts)

    def test_a_batch_of_one(self):
        assert neural(3)(torch.tensor([[7, 7]])).shape == (1, 8)

    @pytest.mark.parametrize(
        ("options", "error", "message"),
        [
            ({"order": 1}, ValueError, r"order must be 2 or more, got 1"),
            ({"order": 3, "embedding_size": 0}, ValueError, r"embedding_size must be 1 or more"),
            ({"order": 3, "hidden_size": 2.5}, TypeError, r"hidden_size must be an integer"),
            (
                {"order": 3, "dropout": 1.0},
                ValueError,
                r"dropout must be 0 or more and less than 1",
            ),
            ({"order": 3, "dropout": -0.1}, ValueError, r"dropout must be 0 or more"),
            ({"order": 3, "dropout": False}, TypeError, r"dropout must be a number, got False"),
        ],
    )
    def test_settings(self, options, error, message):
        with pytest.raises(error, match=message):
            NeuralLanguageModel(WORDS, **options)

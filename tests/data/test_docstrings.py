"""Tests of companion.data.docstrings: what is prose stays, in order; all else goes.

Docstrings here are our own, written for the tests; of the installed packages, only counts are
looked at.
"""

import gc
import hashlib
import os
import re
import subprocess
import sys
import textwrap
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from companion.data import docstrings


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Return a function that makes a package of files and returns its name."""

    def make(name, **files):
        for path, content in files.items():
            file = tmp_path / name / path.replace("__", "/").replace("init", "__init__")
            file = file.with_name(f"{file.name}.py")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content if isinstance(content, bytes) else content.encode())
        monkeypatch.syspath_prepend(tmp_path)
        docstrings._package.cache_clear()
        return name

    return make


# The bar marks where a sentence ends; each line was split by hand.
SPLIT = [
    "Return the sum.|It is exact.|Is it fast?|Yes!|Very.",
    "No full stop at the end",
    "Use a prefix, e.g. The prefix of a word, i.e. Its beginning.|Then stop.",
    "Compare cf. Smith and vs. Jones, approx. Ten, resp. Eleven.",
    "Apples, pears, etc.|They are sold.",
    "Apples, pears, etc. are sold.",
    "See Fig. 2 and Eq. 3.|See Figs. 4 and Eqs. 5.",
    "See No. 5 and nos. 6 to 7.|The answer was no.|That was all.",
    "Dr. Kim met Mr. Lee and Mrs. Park.|Prof. Choi was away.|St. Ives is far.",
    "It weighs 3.14 kg.|It cost 2.|50 were sold.",
    "New in version 3.11.2.|Deprecated since 2.0.|Removed.",
    "Call numpy.linalg.norm here.|Then numpy.sum adds.",
    "It is fast. np.sum adds numbers.".replace(". np", ".|np"),
    "It is used. out_dtype names the type.".replace(". out", ".|out"),
    "It is fast. but this goes on.",
    "J. R. R. Tolkien wrote it.|J.R.R. Tolkien did.",
    "Written by D. Knuth and E. Dijkstra.|Both are known.",
    "Multiply it by the matrix A.|The result is B.|It is square.",
    "Due to R.|Therefore it holds.",
    "Vaswani et al. Attention is used.",
    "It follows Vaswani et al.|The model is large.",
    "Wait ... what happens.|And so on...|Then it ends.",
    "Values 1, 2, ... N are used.",
    "And so on…|Then it ends.",
    'He said "Stop."|Then he left.',
    "(See below.)|Then go on.",
    "It works (really?) and ends.|[Not here.]|Done.",
    "“Is it?”|‘It is.’|“Good.”",
    "1. Open the file. It is small.".replace("file. ", "file.|"),
    "What?!|No way!!|Fine.",
    "Samsung Inc. Seoul is a firm.|Samsung Inc.|It is large.",
    "At 5 p.m. Monday it ends.|It ends at 5 p.m.|Then we go.",
]


@pytest.mark.parametrize("marked", SPLIT)
def test_sentences_are_split_where_a_reader_splits_them(marked):
    assert docstrings.split_sentences(marked.replace("|", " ")) == marked.split("|")


@pytest.mark.parametrize("empty", ["", " ", "\n\t\n"])
def test_no_words_are_no_sentence(empty):
    assert docstrings.split_sentences(empty) == []
    assert docstrings.clean(empty) == []


@given(st.text("aB1. ?!…(\"')\n"))
def test_splitting_loses_nothing_and_is_final(paragraph):
    found = docstrings.split_sentences(paragraph)
    assert " ".join(found) == " ".join(paragraph.split())
    assert all(found)


@given(st.text())
def test_cleaning_takes_any_text_and_returns_single_spaces(docstring):
    for paragraph in docstrings.clean(docstring):
        assert paragraph == " ".join(paragraph.split()) != ""
        assert unicodedata.is_normalized("NFC", paragraph)


# What stands in a docstring, and the paragraphs that must remain of it.
CLEANED = {
    "lines are joined": ("One\nsentence\n  here.", ["One sentence", "here."]),
    "paragraphs": ("One.\n\nTwo.", ["One.", "Two."]),
    "first line": ("One\n    two.\n    Three.", ["One two. Three."]),
    "indentation": ("One.\nTwo\n  Three\n  four.\nFive.", ["One. Two", "Three four.", "Five."]),
    "doctest": ("Add.\n\n>>> 1 + 1\n2\n\nDone.\n\n>>> 2\n2", ["Add.", "Done."]),
    "doctest at once": ("Add:\n>>> 1\n1\n\nDone.", ["Add:", "Done."]),
    "IPython": ("Add.\n\nIn [1]: 1\nOut[1]: 1\n\nDone.", ["Add.", "Done."]),
    "shell": ("Run.\n\n$ python -m this\nBeautiful.\n\nDone.", ["Run.", "Done."]),
    "block after colons": ("Run::\n\n    go()\n\n    stop()\n\nDone.", ["Run:", "Done."]),
    "colons alone": ("::\n\n    Not prose.\n\nDone.", [":", "Done."]),
    "no block after colons": ("Run::\n\nDone.", ["Run:", "Done."]),
    "fence": ("Run.\n```python\nNot prose.\n\nNot prose.\n```\nDone.", ["Run.", "Done."]),
    "bare fence": ("Run.\n```\nNot prose.\n```\nDone.", ["Run.", "Done."]),
    "heading": ("Notes\n-----\nIt is fast.\n\nMore\n====\nDone.", ["It is fast.", "Done."]),
    "heading above": ("====\nNotes\n====\nDone.", ["Done."]),
    "see also": ("Go.\n\nSee Also\n--------\nsum : Add.\n\nNotes\n-----\nDone.", ["Go.", "Done."]),
    "references": ("Go.\n\nReferences\n----------\nA. Book, 1999.\n\nMore.", ["Go."]),
    "simple table": ("Go.\n\n===  ==\nOne  B.\n===  ==\nA.   B.\n===  ==\n\nEnd.", ["Go.", "End."]),
    "grid table": ("Go.\n\n+---+---+\n| A | B |\n+---+---+\n\nEnd.", ["Go.", "End."]),
    "Markdown table": ("Go.\n\n| A | B |\n|---|---|\n| C | D |\n\nEnd.", ["Go.", "End."]),
    "numpydoc": (
        "Parameters\n----------\nx, *y : array_like, shape (n,)\n    The\n    input.\nz :\n    It.",
        ["The input.", "It."],
    ),
    "Google": (
        "Args:\n    x (int, optional): The\n        input.\n    y: The output.",
        ["Args:", "The input.", "The output."],
    ),
    "nested brackets": ("x (tuple(int, int)): The size.", ["The size."]),
    "fields": (":param int x: The input.\n:returns: The output.\n@param y: It.", None),
    "dashes": ("opts -- The options.\nkey=None -- The key.", ["The options.", "The key."]),
    "a capital before a colon stays": ("Note: This is prose.", ["Note: This is prose."]),
    "bullets": ("- One\n  more.\n- Two.\n* x: Three.", ["One more.", "Two.", "Three."]),
    "numbers": ("1. One.\n2) Two.\n(a) Three.\n#. Four.", ["One.", "Two.", "Three.", "Four."]),
    "admonition": (".. note:: Take\n   care.\n\n.. warning::\n\n   Stop.", ["Take care.", "Stop."]),
    "version": (".. versionadded:: 3.1\n   It was new.\n\nDone.", ["It was new.", "Done."]),
    "directive": (".. math:: a + b\n   :label: c\n\n   Not prose.\n\nDone.", ["Done."]),
    "comment": (".. Not prose.\n   Not at all.\n.. [1] A book.\n.. _x: y\n\nDone.", ["Done."]),
    "roles": ("See :func:`foo`, :class:`~a.b.C`, :py:meth:`!bar`.", ["See foo, C, bar."]),
    "role with title": ("See :ref:`the guide <guide>`.", ["See the guide."]),
    "default role": ("See `foo`, `~a.b.c` and ``x + y``.", ["See foo, c and x + y."]),
    "link": ("See `the page <other>`_ and `name`_.", ["See the page and name."]),
    "footnote": ("It is known [1]_, [Kim2020]_.", ["It is known,."]),
    "emphasis": ("A *small*, **big** one.", ["A small, big one."]),
    "no emphasis": ("Here 2*3*4 and *args stay.", ["Here 2*3*4 and *args stay."]),
    "address": ("One. See https://example.org/a.html there. Two.", ["One. Two."]),
    "address alone": ("http://example.org\n\nDone.", ["Done."]),
    "mail": ("Written by kim@example.org in May. Done.", ["Done."]),
    "NFC": ("Cafe\N{COMBINING ACUTE ACCENT}  is\topen.", ["Café is open."]),
}  # fmt: skip
CLEANED["fields"] = (CLEANED["fields"][0], ["The input.", "The output.", "It."])


@pytest.mark.parametrize("case", CLEANED)
def test_prose_stays_and_markup_goes(case):
    docstring, paragraphs = CLEANED[case]
    assert docstrings.clean(docstring) == paragraphs


def test_a_docstring_is_cleaned_in_full():
    docstring = """Add numbers, as :func:`~operator.add` does.

        The sum is *exact*, cf. [1]_. See ``math``::

            add(1, 2)

        Parameters
        ----------
        a, b : int
            The numbers. Both
            must be small.

        Examples
        --------
        The simplest case is this one.

        >>> add(1, 2)
        3
        """
    assert docstrings.clean(docstring) == [
        "Add numbers, as add does.",
        "The sum is exact, cf.. See math:",
        "The numbers. Both must be small.",
        "The simplest case is this one.",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "Too short.",
        "the first letter is small here.",
        "There is no full stop here",
        "The list is as follows:",
        "The value of x = 3 is set.",
        "The formula \\alpha is not text.",
        "The type is a List[int] of {size}.",
        "The brackets (are not closed here.",
        'The quote "is not closed here.',
        "The flag is --verbose or so.",
        "The codes 123 456 789 012 345 are few.",
        "The address is a@b in full.",
        "It takes a prefix, e.g.",
        f"The sentence {'very ' * 80}long.",
    ],
)
def test_fragments_and_code_are_no_prose(package, sentence):
    name = package(
        "fragments", init=f'"""{sentence}\n\nThe only sentence kept."""'.replace("\\", "\\\\")
    )
    assert docstrings.sentences(packages=[name]) == ["The only sentence kept."]


def test_prose_may_hold_quotes_brackets_and_names():
    for sentence in (
        "The function numpy.sum (of NumPy) adds 50% faster.",
        '"It is fast and exact", they said -- and so it was!',
        "(See the other one, too.)",
        "Größe ist ein deutsches Wort.",
    ):
        assert docstrings._is_prose(sentence), sentence


MODULE = '''
"""The module comes first."""
class A:
    """The class comes second."""
    x = """The text of a variable is not read."""
    def f(self):
        r"""The method comes third."""
        """The second text of a body is not read."""
        def g():
            """The inner function comes fourth."""
    async def h(self): "The asynchronous one comes fifth."
if A:
    """The text in a branch is not read."""
    try:
        def i(): """The one in a branch comes sixth."""
    except ImportError:
        def j(): """The one after a failure comes seventh."""
    else:
        def k(): """The other one comes eighth."""
add_docstr(A, r"""The compiled one comes ninth.""" + """\\n\\nThis one comes {tenth} and falls.""")
B = np._add_docstr(A, """The assigned one comes {a}.

It goes on with the eleventh.""".format(**names))
add_newdoc("module", "B", [("name", """The pair comes twelfth."""), ("c", "So is the thirteenth.")])
print("The printed text is not read.")
f"""The {formatted} text is not read."""
'''


def test_docstrings_are_found_in_the_order_of_the_text(package):
    found = docstrings.sentences(packages=[package("module", init=MODULE)])
    ends = " ".join(sentence.split()[-1].strip(".") for sentence in found)
    assert (
        ends
        == "first second third fourth fifth sixth seventh eighth ninth eleventh twelfth thirteenth"
    )


def test_nothing_is_imported_or_executed(package, tmp_path):
    canary = tmp_path / "canary"
    name = package("explosive", init=f'"""It must not run."""\nopen({str(canary)!r}, "w")\n1 / 0')
    assert docstrings.sentences(packages=[name]) == ["It must not run."]
    assert not canary.exists()
    assert name not in sys.modules


def test_files_come_by_path_and_packages_as_asked(package):
    one = package(
        "one",
        init='"""This is number two."""',
        b__init='"""This is number four."""',
        b__a='"""This is number five."""',
        a='"""This is number three."""',
        B='"""This is number one."""',
    )
    two = package("two", init='"""This is number zero. This is number five."""')
    found = docstrings.sentences(packages=(one, two))
    number = [sentence.split()[-1].strip(".") for sentence in found]
    assert number == ["one", "two", "three", "four", "five", "zero"]
    assert docstrings.sentences(packages=[two, one])[:2] == [
        "This is number zero.",
        "This is number five.",
    ]


def test_a_sentence_comes_once(package):
    name = package("twice", init='"""It comes once. It comes once."""', a='"""It comes once."""')
    assert docstrings.sentences(packages=[name, name]) == ["It comes once."]


def test_documents_keep_the_files_apart(package):
    same, new = '"""It comes once or twice."""', '"""It comes once or twice. It is quite new."""'
    one = package("apart", init=same, b=new, c="x = 1", a='"""Here it is not so."""')
    two = package("other", init=same, z='"""This one is another."""')
    assert docstrings.documents(packages=[one, two, one]) == {
        "apart/__init__.py": ["It comes once or twice."],
        "apart/a.py": ["Here it is not so."],
        "apart/b.py": ["It is quite new."],
        "other/z.py": ["This one is another."],
    }
    joined = [
        line for lines in docstrings.documents(packages=[two, one]).values() for line in lines
    ]
    assert joined == docstrings.sentences(packages=[two, one])


def test_tests_and_others_packages_are_left_out(package):
    text = '"""This is not read at all."""'
    name = package(
        "outer",
        init='"""Only this is read."""',
        tests__a=text,
        test__b__c=text,
        testing__a=text,
        tests_of__a='"""This folder is read, too."""',
    )
    assert docstrings.sentences(packages=[name]) == [
        "Only this is read.",
        "This folder is read, too.",
    ]
    assert docstrings.read([name]).files == 2


def test_files_that_cannot_be_read_are_counted_and_named(package, tmp_path):
    name = package(
        "mixed",
        init='"""This one is good."""',
        syntax="def f(:",
        nul=b'"""A."""\0',
        encoding=b'"""\xff\xfe are not UTF-8."""',
        korean='# coding: cp949\n"""이것은 좋은 문장이다. This is good, too."""'.encode("cp949"),
        deep=f"x = {'(' * 5000}1{')' * 5000}",
    )
    (tmp_path / name / "gone.py").symlink_to(tmp_path / "nowhere.py")
    corpus = docstrings.read([name])
    assert corpus.sentences == ("This one is good.", "This is good, too.")
    assert corpus.files == 2
    assert set(corpus.skipped) == {
        f"mixed/{n}.py" for n in ("syntax", "nul", "encoding", "deep", "gone")
    }
    assert corpus.skipped["mixed/syntax.py"].startswith("SyntaxError: ")
    assert corpus.skipped["mixed/gone.py"].startswith("FileNotFoundError: ")


def test_warnings_of_others_code_stay_silent_and_ours_do_not(package):
    name = package("escapes", init='"""It warns of \\d here, perhaps."""\nx = "\\d"')
    assert docstrings.sentences(packages=[name]) == []
    with pytest.warns(UserWarning, match="ours"):
        __import__("warnings").warn("ours", stacklevel=1)


def test_the_collector_of_garbage_is_as_before(package):
    before = gc.isenabled(), gc.get_freeze_count()
    docstrings.sentences(packages=[package("collected", init='"""It is read here."""')])
    assert (gc.isenabled(), gc.get_freeze_count()) == before


def test_the_limit_counts_from_the_beginning_and_stops_reading(package, monkeypatch):
    name = package("limited", init='"""Number one is here. Number two is here. So is three."""')
    assert docstrings.sentences(packages=[name], limit=2) == [
        "Number one is here.",
        "Number two is here.",
    ]
    assert docstrings.sentences(packages=[name], limit=0) == []
    assert len(docstrings.sentences(packages=[name], limit=9)) == 3
    read = []
    once = docstrings._package
    monkeypatch.setattr(docstrings, "_package", lambda n: (read.append(n), once(n))[1])
    docstrings.sentences(packages=[name, "never_read"], limit=3)
    assert read == [name]


def test_files_are_read_once_per_process_and_lists_are_new(package, tmp_path):
    name = package("cached", init='"""It is read once."""')
    first = docstrings.sentences(packages=[name])
    (tmp_path / name / "__init__.py").write_text('"""It has changed now."""')
    first.append("changed by the caller")
    assert docstrings.sentences(packages=[name]) == ["It is read once."]


def test_the_fingerprint_is_that_of_the_text_and_versions_are_told(package):
    name = package("printed", init='"""One is here. Two is here."""')
    corpus = docstrings.read([name])
    assert corpus.text == "One is here.\nTwo is here.\n"
    assert corpus.fingerprint == hashlib.sha256(b"One is here.\nTwo is here.\n").hexdigest()
    assert corpus.versions == {name: "unknown"}


@pytest.mark.parametrize("seed", ["0", "1"])
def test_the_order_does_not_depend_on_the_seed_of_hashes(package, tmp_path, seed):
    texts = {f"m{i}": f'"""Number {i} is here. So is {i} again."""' for i in range(20)}
    name = package("seeded", init="", **texts)
    program = textwrap.dedent(f"""
        import sys; sys.path.insert(0, {str(tmp_path)!r})
        from companion.data import docstrings
        print(docstrings.read(["{name}"]).fingerprint)
    """)
    environment = {**os.environ, "PYTHONHASHSEED": seed, "COMPANION_UNWATCHED": "1"}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == docstrings.read([name]).fingerprint


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"packages": "numpy"},
            TypeError,
            "packages must be a list or tuple of names, got 'numpy'",
        ),
        ({"packages": [3]}, TypeError, r"packages must be a list or tuple of names, got \[3\]"),
        ({"packages": {"numpy"}}, TypeError, "packages must be a list or tuple"),
        ({"packages": []}, ValueError, "packages must name at least one package, got none"),
        ({"packages": ["no_such"]}, ValueError, "must name installed packages, got 'no_such'"),
        ({"packages": ["os.path"]}, ValueError, "must name installed packages, got 'os.path'"),
        ({"packages": ["bisect"]}, ValueError, "must name installed packages, got 'bisect'"),
        ({"limit": -1}, ValueError, "limit must be 0 or more, got -1"),
        ({"limit": 1.5}, TypeError, "limit must be an integer, got 1.5"),
    ],
)
def test_callers_mistakes_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        docstrings.sentences(**arguments)


def test_a_package_without_source_is_refused(package):
    name = package("empty", init="def f(:")
    with pytest.raises(ValueError, match="must be installed as source files, got 'empty' without"):
        docstrings.sentences(packages=[name])


@pytest.mark.parametrize("function", [docstrings.clean, docstrings.split_sentences])
def test_other_things_than_text_are_refused(function):
    with pytest.raises(TypeError, match=r"(docstring|paragraph) must be a string, got NoneType"):
        function(None)


def test_the_import_is_light():
    program = "import sys, companion.data.docstrings; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"torch", "matplotlib", "ipywidgets", "tqdm"} & set(result.stdout.split())


@pytest.fixture(scope="module")
def installed():
    return docstrings.read()


def test_the_installed_packages_give_several_megabytes(installed):
    assert list(installed.versions) == ["python", "numpy", "torch"]
    assert len(installed.text.encode()) > 2_500_000
    assert len(installed.sentences) > 30_000
    assert len(set(installed.sentences)) == len(installed.sentences)
    for name in installed.versions:
        assert len(docstrings.sentences(packages=[name])) > 5_000
    assert len(installed.skipped) < 0.01 * installed.files


def test_what_the_installed_packages_give_is_clean(installed):
    markup = re.compile(r">>>|``|:\w+:`|::|https?:|\\|[{}<>=|]|\s\s|\n|\t")
    dirty = [sentence for sentence in installed.sentences if markup.search(sentence)]
    assert dirty == []
    small = {"the", "of", "a", "is", "to", "in", "and"}
    words = [word for sentence in installed.sentences for word in sentence.split()]
    assert 0.2 < sum(word in small for word in words) / len(words) < 0.4

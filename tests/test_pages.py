"""Tests of companion.pages, and of what a reader's computer has to load for a model."""

import json
import subprocess
import sys

import IPython.display
import pytest

from companion.pages import PREFIX, as_json, publish


def test_publishing_shows_nothing_and_names_the_output(monkeypatch):
    seen = []
    monkeypatch.setattr(
        IPython.display, "display", lambda *given, **options: seen.append((given, options))
    )
    publish("<p>hello</p>", name="own")
    [((data,), options)] = seen
    assert data == {PREFIX + "text/html": "<p>hello</p>"}
    assert options["raw"] is True
    assert options["metadata"] == {"scrapbook": {"name": "own", "mime_prefix": PREFIX}}
    with pytest.raises(TypeError, match="html must be a text, got dict"):
        publish({}, name="own")


def test_data_cannot_end_its_element():
    data = {"words": ["</script>", "<!--", "소년은", '"']}
    written = as_json(data)
    assert json.loads(written) == data
    assert "<" not in written
    with pytest.raises(ValueError, match="not JSON compliant"):
        as_json(float("nan"))


@pytest.mark.parametrize(
    "module", ["companion.transformer.stack", "companion.weights", "companion.sequences.seq2seq"]
)
def test_a_model_loads_nothing_of_a_notebook(module):
    program = f"""
import sys
import {module}
print(*sorted({{"IPython", "ipywidgets", "PIL", "matplotlib"}} & set(sys.modules)))
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == []


def test_a_translator_loads_nothing_of_a_notebook():
    program = """
import sys
import companion.transformer.translation
print(*sorted({"IPython", "ipywidgets"} & set(sys.modules)))
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.split() == []

"""The benchmark harness: it must tell fast from slow, and take turns."""

import json
import time

import pytest

from benchmarks import harness


def test_a_slower_side_is_seen_and_runs_alternate():
    order = []

    def slow():
        order.append("slow")
        time.sleep(0.02)

    def fast():
        order.append("fast")
        time.sleep(0.005)

    result = harness.compare("toy", slow, fast, against="fast", target=1.0, runs=5, warm_up=0)
    assert 1.5 < result.ratio < 8
    assert not result.met
    assert order[:4] == ["slow", "fast", "fast", "slow"]
    assert order.count("slow") == order.count("fast") == 5
    assert harness.compare("toy", fast, slow, against="slow", runs=3).met


def test_the_median_is_held_against_a_limit():
    result = harness.hold("toy", [1.0, 9.0, 2.0], limit=3.0)
    assert result.ours == 2.0
    assert result.met
    assert not harness.hold("toy", [4.0], limit=3.0).met


@pytest.mark.parametrize("arguments", [{"runs": 2}, {"target": 0.0}])
def test_senseless_comparisons_are_refused(arguments):
    with pytest.raises(ValueError, match="need runs >= 3 and target > 0, got"):
        harness.compare("toy", list, list, against="list", **arguments)
    with pytest.raises(ValueError, match="need at least one time and a limit > 0, got 0 and 1"):
        harness.hold("toy", [], limit=1)


def test_table_and_file_name_every_result(tmp_path):
    results = [harness.hold("one", [0.5], limit=1.0), harness.hold("two", [5.0], limit=1.0)]
    lines = harness.table(results).splitlines()
    assert len(lines) == 3
    assert " ".join(lines[1].split()) == "one 500.0 ms 1.0 s limit 0.50 1.00 1 met"
    assert lines[2].endswith("MISSED")
    harness.write(results, tmp_path / "results.json", threads=2)
    written = json.loads((tmp_path / "results.json").read_text("utf-8"))
    assert written["machine"]["threads"] == 2
    assert [line["met"] for line in written["results"]] == [True, False]

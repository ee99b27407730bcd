"""The page of the town shows what the code makes."""

from tools import town_page


def test_the_page_is_what_the_code_says():
    assert town_page.PAGE.read_text("utf-8") == town_page.page()

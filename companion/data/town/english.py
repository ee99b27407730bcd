"""English words in sentences: forms of verbs and nouns, and articles.

Regular forms follow the spelling rules; irregular verbs and plurals are listed. What this module
leaves out: questions, the passive voice, words whose article does not follow their spelling (an
hour, a university), except those that are listed.

Used first in book/sequences/tokenization.ipynb.
"""

from __future__ import annotations

from functools import lru_cache

VOWELS = "aeiou"
# base: past, past participle
IRREGULAR_VERBS = {
    row.split()[0]: (row.split()[1], row.split()[2])
    for row in """
    be was been
    become became become
    begin began begun
    bite bit bitten
    blow blew blown
    break broke broken
    bring brought brought
    build built built
    buy bought bought
    catch caught caught
    choose chose chosen
    come came come
    cut cut cut
    do did done
    draw drew drawn
    drink drank drunk
    drive drove driven
    eat ate eaten
    fall fell fallen
    feed fed fed
    feel felt felt
    find found found
    fly flew flown
    forget forgot forgotten
    forgive forgave forgiven
    get got got
    give gave given
    go went gone
    grow grew grown
    hang hung hung
    have had had
    hear heard heard
    hide hid hidden
    hold held held
    keep kept kept
    knit knitted knitted
    know knew known
    leave left left
    lie lay lain
    lend lent lent
    lose lost lost
    make made made
    meet met met
    pay paid paid
    put put put
    read read read
    ride rode ridden
    run ran run
    say said said
    see saw seen
    sell sold sold
    send sent sent
    sing sang sung
    sit sat sat
    sleep slept slept
    speak spoke spoken
    stand stood stood
    swim swam swum
    take took taken
    tear tore torn
    teach taught taught
    tell told told
    think thought thought
    throw threw thrown
    understand understood understood
    wake woke woken
    wear wore worn
    win won won
    write wrote written
    """.strip().splitlines()
}
IRREGULAR_PLURALS = {
    "calf": "calves",
    "deer": "deer",
    "goose": "geese",
    "leaf": "leaves",
    "wolf": "wolves",
    "child": "children",
    "fish": "fish",
    "goldfish": "goldfish",
    "knife": "knives",
    "man": "men",
    "mouse": "mice",
    "person": "people",
    "sheep": "sheep",
    "woman": "women",
}
DOUBLED = {
    "chat",
    "clap",
    "drop",
    "jog",
    "plan",
    "shop",
    "stop",
    "wrap",
    "beg",
    "hug",
    "trip",
    "slip",
    "spot",
    "trim",
}
DOUBLED_ING = {
    *DOUBLED,
    *("begin", "cut", "forget", "get", "put", "run", "sit", "swim", "win"),
}
PLAIN_O = {"piano", "photo", "cello", "hippo", "rhino"}
AN = {"hour", "honest"}
NOT_AN = {"university", "uniform", "used", "useful", "European", "one"}


def _first(phrase: str) -> tuple[str, str]:
    """Split a verb phrase such as "look for" into the verb and what follows it."""
    head, space, rest = phrase.partition(" ")
    if not head.isascii() or not head.replace("-", "").isalpha():
        raise ValueError(f"verb must be an English word or phrase, got {phrase!r}")
    return head, space + rest


@lru_cache(maxsize=10_000)
def past(verb: str) -> str:
    """Return the past tense of a verb.

    Parameters
    ----------
    verb : str
        The base form; a phrase such as "look for" changes in its first word.

    Returns
    -------
    str
        Such as "went", "looked for".

    Raises
    ------
    ValueError
        If it does not begin with an English word.

    Examples
    --------
    >>> [past(verb) for verb in ("go", "study", "stop", "look for", "bake")]
    ['went', 'studied', 'stopped', 'looked for', 'baked']
    """
    head, rest = _first(verb)
    if head in IRREGULAR_VERBS:
        return IRREGULAR_VERBS[head][0] + rest
    return _regular_past(head) + rest


@lru_cache(maxsize=10_000)
def participle(verb: str) -> str:
    """Return the past participle of a verb, as in "has gone".

    Parameters
    ----------
    verb : str
        As in `past`.

    Returns
    -------
    str
        Such as "gone", "looked for".

    Raises
    ------
    ValueError
        If it does not begin with an English word.

    Examples
    --------
    >>> participle("write"), participle("bake")
    ('written', 'baked')
    """
    head, rest = _first(verb)
    if head in IRREGULAR_VERBS:
        return IRREGULAR_VERBS[head][1] + rest
    return _regular_past(head) + rest


def _regular_past(head: str) -> str:
    if head.endswith("e"):
        return head + "d"
    if head.endswith("y") and head[-2] not in VOWELS:
        return head[:-1] + "ied"
    return head + head[-1] + "ed" if head in DOUBLED else head + "ed"


@lru_cache(maxsize=10_000)
def third_person(verb: str) -> str:
    """Return the present tense after he, she or it.

    Parameters
    ----------
    verb : str
        As in `past`.

    Returns
    -------
    str
        Such as "goes", "looks for".

    Raises
    ------
    ValueError
        If it does not begin with an English word.

    Examples
    --------
    >>> [third_person(verb) for verb in ("go", "study", "play", "watch", "have", "be")]
    ['goes', 'studies', 'plays', 'watches', 'has', 'is']
    """
    head, rest = _first(verb)
    special = {"be": "is", "have": "has"}
    return special.get(head, _with_s(head)) + rest


@lru_cache(maxsize=10_000)
def gerund(verb: str) -> str:
    """Return the -ing form of a verb.

    Parameters
    ----------
    verb : str
        As in `past`.

    Returns
    -------
    str
        Such as "going", "looking for".

    Raises
    ------
    ValueError
        If it does not begin with an English word.

    Examples
    --------
    >>> [gerund(verb) for verb in ("go", "bake", "run", "see", "study")]
    ['going', 'baking', 'running', 'seeing', 'studying']
    """
    head, rest = _first(verb)
    if head.endswith("ie"):
        return head[:-2] + "ying" + rest
    if head in DOUBLED_ING:
        return head + head[-1] + "ing" + rest
    silent = head.endswith("e") and head[-2] not in "eoy" and head != "be"
    return (head[:-1] if silent else head) + "ing" + rest


@lru_cache(maxsize=10_000)
def plural(noun: str) -> str:
    """Return the plural of a noun; of a phrase, that of its last word.

    Parameters
    ----------
    noun : str
        In the singular.

    Returns
    -------
    str
        Such as "bakeries", "rice cakes".

    Examples
    --------
    >>> [plural(noun) for noun in ("book", "bakery", "bus", "child", "rice cake")]
    ['books', 'bakeries', 'buses', 'children', 'rice cakes']
    """
    before, space, last = noun.rpartition(" ")
    return before + space + IRREGULAR_PLURALS.get(last, _with_s(last))


def _with_s(word: str) -> str:
    if word.endswith(("s", "x", "z", "ch", "sh", "o")) and not word.endswith(("oo", "eo", "io")):
        return word + ("s" if word in PLAIN_O else "es")
    if word.endswith("y") and word[-2] not in VOWELS:
        return word[:-1] + "ies"
    return word + "s"


@lru_cache(maxsize=10_000)
def indefinite(phrase: str) -> str:
    """Put "a" or "an" before a phrase, by the sound with which it begins.

    Parameters
    ----------
    phrase : str
        A noun, perhaps with adjectives before it.

    Returns
    -------
    str
        Such as "an old book".

    Examples
    --------
    >>> indefinite("apple"), indefinite("red apple"), indefinite("useful book")
    ('an apple', 'a red apple', 'a useful book')
    """
    word = phrase.split()[0]
    vowel = (word[0].lower() in VOWELS and word not in NOT_AN) or word in AN
    return f"{'an' if vowel else 'a'} {phrase}"

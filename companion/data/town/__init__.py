"""A small invented Korean town, in Korean and in English, from a grammar with a seed.

In the tradition of the bAbI tasks (Weston et al., 2015). From the ground up:

- ``hangul``: syllables and particles
- ``korean``, ``english``: the forms of words
- ``nouns``, ``verbs``, ``people``: the words, and who lives there
- ``patterns``, ``choices``, ``grammar``: sentences in both languages
- ``tasks``: parallel sentences, running text, sentiment, tags; the splits
- ``endings``, ``dialogue``: what people ask, answer, tell and propose to each other
- ``inference``: premises and hypotheses
- ``stories``: a world with a memory, and questions on it
- ``topics``, ``news``: articles with named and anonymous sources
"""

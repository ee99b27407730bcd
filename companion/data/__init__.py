"""The data of the course, all made or read where it runs.

- ``town``: a small invented town, in Korean and in English, for every task of the course
- ``docstrings``: real English, from the documentation of what is installed
- ``public``: public data sets, for readers with a network; no chapter needs them
"""
